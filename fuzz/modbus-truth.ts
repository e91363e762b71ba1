import type { Chance } from "./chance.ts";

/** What a client asks the device for. */
export type ModbusAsk =
  | { readonly kind: "read"; readonly unit: number; readonly address: number; readonly count: number }
  | {
      readonly kind: "write";
      readonly unit: number;
      readonly address: number;
      readonly values: readonly number[];
      readonly mayTear: boolean;
    };

/** What came of it. An error is what it may always be; a value must be the true one. */
export type ModbusOutcome =
  | { readonly kind: "values"; readonly values: readonly number[] }
  | { readonly kind: "written" }
  /** @param fault of a `ModbusError`; absent for an error of another kind, which none may see */
  | { readonly kind: "error"; readonly fault?: string; readonly message: string };

/** Registers lie there in the device's memory; no two have the same neighbours. */
export function truthAt(unit: number, address: number): number {
  let mixed = Math.imul((unit << 16) + address + 1, 0x9e37_79b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85eb_ca6b);
  return (mixed ^ (mixed >>> 13)) & 0xffff;
}

export function truthOf({ unit, address, count }: Extract<ModbusAsk, { kind: "read" }>): number[] {
  return Array.from({ length: count }, (_, index) => truthAt(unit, address + index));
}

const UNITS = 4;
const LAST_ADDRESS = 60_000;

/** The request of one input. */
export function askOf(chance: Chance): ModbusAsk {
  const unit = chance.integer(1, UNITS);
  const address = chance.integer(0, LAST_ADDRESS);
  const shape = chance.integer(0, 9);
  if (shape < 4) return { kind: "read", unit, address, count: chance.integer(1, 8) };
  if (shape < 6) return { kind: "read", unit, address, count: chance.integer(100, 125) };
  // More than fits one answer.
  if (shape === 6) return { kind: "read", unit, address, count: chance.integer(126, 300) };
  const values = Array.from({ length: shape === 9 ? 1 : chance.integer(1, 20) }, () => chance.integer(0, 0xffff));
  return { kind: "write", unit, address, values, mayTear: chance.integer(0, 1) === 1 };
}

/** A request whose right answer must come through, whatever was said before; often of the same shape, or of none other. */
export function probeAfter(ask: ModbusAsk, chance: Chance): Extract<ModbusAsk, { kind: "read" }> {
  const likeIt = ask.kind === "read" && ask.count <= 125 && chance.integer(0, 3) > 0;
  const count = likeIt ? ask.count : chance.integer(1, 8);
  return { kind: "read", unit: ask.unit, address: chance.integer(0, LAST_ADDRESS), count };
}
