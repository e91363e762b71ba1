import { ModbusError } from "./modbus-error.ts";

/** Most registers in one read and one write, Modbus Application Protocol V1.1b3, 6.3 and 6.12. */
export const MAX_READ = 125;
export const MAX_WRITE = 123;
/** Most coils in one read and one write, 6.1 and 6.11. */
export const MAX_READ_BITS = 2000;
export const MAX_WRITE_COILS = 1968;

/** A run of registers or of bits. */
export interface RegisterRange {
  readonly address: number;
  readonly count: number;
}

/**
 * Cuts a run into pieces that fit one request each.
 * @throws ModbusError `argument` if the run is empty, not whole, or leaves 0 to 65535
 */
export function piecesOf(address: number, count: number, mostPerPiece: number): RegisterRange[] {
  if (!Number.isInteger(address) || address < 0 || address > 0xffff) {
    throw new ModbusError("argument", `register address ${address} is not a whole number from 0 to 65535`);
  }
  if (!Number.isInteger(count) || count < 1 || address + count > 0x10000) {
    throw new ModbusError("argument", `${count} registers from ${address} are not inside 0 to 65535`);
  }
  if (count <= mostPerPiece) return [{ address, count }];
  const pieces: RegisterRange[] = [];
  for (let done = 0; done < count; done += mostPerPiece) {
    pieces.push({ address: address + done, count: Math.min(mostPerPiece, count - done) });
  }
  return pieces;
}

/**
 * Lets only whole 16-bit values through. The wire codec would send NaN as 0, and 0 is a command.
 * @throws ModbusError `argument`
 */
export function checkedRegisters(values: readonly number[]): readonly number[] {
  for (const [index, value] of values.entries()) {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
      throw new ModbusError("argument", `value ${value} at place ${index} is not a whole number from 0 to 65535`);
    }
  }
  return values;
}

/** @throws ModbusError `argument` for anything but true and false; the codec would take any text for true */
export function checkedCoils(values: readonly boolean[]): readonly boolean[] {
  for (const [index, value] of values.entries()) {
    if (typeof value !== "boolean") {
      throw new ModbusError("argument", `value ${String(value)} at place ${index} is neither true nor false`);
    }
  }
  return values;
}

/**
 * A unit is one device: 0 speaks to all of them, and no answer would tell what became of it.
 * @throws ModbusError `argument`
 */
export function checkedUnit(unit: number): number {
  if (!Number.isInteger(unit) || unit < 1 || unit > 255) {
    throw new ModbusError("argument", `unit ${unit} is not a whole number from 1 to 255; nothing is ever broadcast`);
  }
  return unit;
}
