import { OperationError } from "../../kind.ts";

/** An address as a person typed it, counted from 0 as on the wire. @throws OperationError where it is none */
export function addressFrom(text: string, base: string | boolean | undefined): number {
  if (base !== undefined && base !== "0" && base !== "1") {
    throw new OperationError("invalid", `--base must be 0 or 1, got "${base}"`);
  }
  const typed = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  const address = typed - (base === "1" ? 1 : 0);
  if (!(address >= 0 && address <= 0xffff)) {
    const range = base === "1" ? "1 to 65536" : "0 to 65535";
    throw new OperationError("invalid", `the address must be ${range}, got "${text}"`);
  }
  return address;
}

/** As on the wire, and as in manuals that count from 1. */
export function addressCells(address: number): readonly [string, string] {
  return [String(address), String(address + 1)];
}

export function hexOf(registers: readonly number[]): string {
  return registers.map((register) => register.toString(16).padStart(4, "0")).join(" ");
}
