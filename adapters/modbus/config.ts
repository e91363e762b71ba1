import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Endpoint } from "./link/endpoint.ts";

/** Nothing is shared between Modbus devices apart from the connections, which need no setting. */
export const modbusShared = z.strictObject({});

/** A serial bus; all devices on it say the same. */
const serialLine = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(4096)
    .describe("Serial port, best by its lasting name, such as /dev/serial/by-id/usb-FTDI_RS485-if00-port0"),
  baudRate: z.int().min(300).max(3_000_000).default(9600),
  parity: z
    .enum(["none", "even", "odd"])
    .default("none")
    .describe("none with 1 stop bit is what most devices ship with"),
  stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  echo: z
    .boolean()
    .optional()
    .describe("The RS-485 adapter hears what it sends; found out by itself where it is not said"),
});

/** How to reach one SunSpec device, and how to treat it. */
export const modbusDevice = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe("Name or address of the device or of the gateway before it; this or `serial`"),
  port: z.int().min(1).max(65_535).default(502),
  framing: z
    .enum(["tcp", "rtu"])
    .default("tcp")
    .describe("tcp: Modbus TCP. rtu: serial frames through a plain TCP bridge, as many RS-485 servers do"),
  serial: serialLine.optional().describe("The device is on a serial bus of this machine; this or `host`"),
  unit: z.int().min(1).max(255).default(1).describe("Modbus unit id; SMA answers SunSpec under 126"),
  connectDelayMs: z
    .int()
    .min(0)
    .max(30_000)
    .default(0)
    .describe("Pause after connecting that the device needs before the first request"),
  pollMs: z.int().min(100).max(60_000).default(1000).describe("Time between two readings"),
  timeoutMs: z.int().min(50).max(30_000).default(2000).describe("Longest wait for one answer"),
  gapMs: z.int().min(0).max(5000).default(0).describe("Silence that the device needs between two requests"),
  revertS: z
    .int()
    .min(5)
    .max(3600)
    .default(60)
    .describe("Reversion time armed with every write: the device falls back this long after we are gone"),
  minPercent: z
    .number()
    .min(0)
    .max(20)
    .default(1)
    .describe("Least limit written to model 123; some inverters lock up at 0 %"),
  control: z
    .enum(["auto", "704", "123", "124", "none"])
    .default("auto")
    .describe("Model that carries the commands: 704, else 123 (solar) or 124 (battery); none only measures"),
  settleS: z.number().min(0).max(600).default(6).describe("Time from a command until the meter is expected to show it"),
  ratingKW: z
    .number()
    .positive()
    .max(100_000)
    .optional()
    .describe("Rating in kW, for a device that does not say its own"),
});

export type ModbusShared = z.infer<typeof modbusShared>;
export type ModbusDevice = z.infer<typeof modbusDevice>;

/** Where a device is, for the link layer. @throws RangeError where `endpointFault` has something to say */
export function endpointOf(device: ModbusDevice): Endpoint {
  const { host, port, framing, serial, connectDelayMs } = device;
  if (serial !== undefined) {
    const { echo, ...line } = serial;
    return { serial: { ...line, ...(echo !== undefined && { echo }) }, connectDelayMs };
  }
  if (host === undefined) throw new RangeError("a device needs host or serial");
  return { host, port, framing, connectDelayMs };
}

/** What the schema of the keys can't say: where the device is, once and only once, and that one bus has one setting. */
export function endpointFault(device: ModbusDevice, before: readonly ModbusDevice[]): string | undefined {
  const { host, serial, framing, unit } = device;
  if (host === undefined && serial === undefined) {
    return "needs `host` (a device or gateway on the network, for example host: 192.168.1.50) or `serial` (a bus of this machine)";
  }
  if (serial === undefined) return undefined;
  if (host !== undefined) return "has both `host` and `serial`; a device is at one of them";
  if (framing === "rtu") return "`framing` belongs to `host`; a serial bus is always RTU";
  // Modbus over Serial Line V1.02, 2.2
  if (unit > 247) return `\`unit\` is 1 to 247 on a serial bus, not ${unit}`;
  const other = before.find((one) => one.serial?.path === serial.path && !isDeepStrictEqual(one.serial, serial));
  if (other === undefined) return undefined;
  return `\`serial\` differs from that of another device on ${serial.path}; all devices on a bus have one speed, parity and stop bits`;
}
