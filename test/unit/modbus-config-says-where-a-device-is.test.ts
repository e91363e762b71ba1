import { expect, test } from "vitest";
import { adapters } from "../../adapters/index.ts";
import { ConfigError, parseConfig } from "../../src/config/load.ts";

const BUS = "path: /dev/ttyUSB0, baudRate: 19200, parity: even";

function faultsOf(...parts: readonly string[]): readonly string[] {
  const devices = parts.map((part, index) => `  - { era: pv-${index}, kind: solar, modbus: { ${part} } }`);
  try {
    parseConfig(`devices:\n${devices.join("\n")}\n`, "site.yaml", adapters);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split("\n");
  }
}

test("a device is on the network, behind a bridge, or on a bus that it shares with others", () => {
  expect(faultsOf("host: 192.168.1.50", "host: bridge, port: 4001, framing: rtu, unit: 3")).toEqual([]);
  expect(faultsOf(`serial: { ${BUS} }, unit: 1`, `serial: { ${BUS} }, unit: 2`)).toEqual([]);
});

test.each([
  ["nowhere", ["unit: 3"], /devices\[0\]\.modbus: needs `host`.*or `serial`/],
  ["at two places", [`host: h, serial: { ${BUS} }`], /has both/],
  ["on a bus with a framing of the network", [`framing: rtu, serial: { ${BUS} }`], /always RTU/],
  ["on a bus under a number that no bus has", [`unit: 255, serial: { ${BUS} }`], /1 to 247/],
  ["to be broadcast to", ["host: h, unit: 0"], /devices\[0\]\.modbus\.unit/],
  [
    "on a bus that is said to have two speeds",
    [`serial: { ${BUS} }`, "serial: { path: /dev/ttyUSB0, baudRate: 9600 }, unit: 2"],
    /devices\[1\]\.modbus: .*differs/,
  ],
])("a device %s is refused with the reason", (_, parts, reason) => {
  const faults = faultsOf(...parts);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(reason);
});
