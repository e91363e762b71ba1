import type { BenchMarket } from "./bench-market.ts";

export const CHARGERS = 12;
export const INVERTERS = 8;

const OCPP_IDENTITIES = Array.from({ length: CHARGERS }, (_, index) => `CP-${index + 1}`);

/** Name of a charger, which is also its ERA. */
export function chargerNames(): readonly string[] {
  return OCPP_IDENTITIES;
}

export function inverterName(index: number): string {
  return `inverter-${index + 1}`;
}

/** A site with 12 chargers and 8 SunSpec inverters behind one fuse, read every second. */
export function twentyDeviceConfig(market: BenchMarket, inverterPorts: readonly number[]): object {
  return {
    site: { name: "Bench", maxImportKW: 150 },
    market: market.config(),
    ocpp: { port: 0, meterIntervalS: 1 },
    devices: [
      ...OCPP_IDENTITIES.map((identity) => ({
        era: identity,
        kind: "charger",
        ocpp: { identity, phases: 3, maxA: 16 },
      })),
      ...inverterPorts.map((port, index) => ({
        era: inverterName(index),
        kind: "solar",
        modbus: { host: "127.0.0.1", port, pollMs: 1000 },
      })),
    ],
  };
}
