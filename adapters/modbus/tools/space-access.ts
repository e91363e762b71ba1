import { ModbusError } from "../link/modbus-error.ts";
import type { Manners, ModbusLink, Space } from "../link/modbus-link.ts";

export interface WriteOptions {
  /** The function that the device is known to take; absent: 16, and 6 where that is refused. */
  readonly fc?: 6 | 16 | undefined;
  /** The values make sense one by one. */
  readonly mayTear: boolean;
}

/** Reads any of the four tables; what a technician asks waits behind what the daemon needs. */
export async function readSpace(
  link: ModbusLink,
  manners: Manners,
  space: Space,
  address: number,
  count: number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  if (space === "holding" || space === "input") {
    return link.read(manners, address, count, signal, { space, priority: "slow" });
  }
  const bits = await link.readBits(manners, address, count, signal, { space, priority: "slow" });
  return bits.map(Number);
}

/** Writes holding registers or coils. */
export async function writeSpace(
  link: ModbusLink,
  manners: Manners,
  space: "holding" | "coil",
  address: number,
  values: readonly number[],
  { fc, mayTear }: WriteOptions,
  signal: AbortSignal,
): Promise<void> {
  if (space === "holding") {
    await link.write(manners, address, values, { mayTear, ...(fc !== undefined && { fc }) }, signal);
    return;
  }
  if (values.some((value) => value !== 0 && value !== 1)) throw new ModbusError("argument", "a coil is 0 or 1");
  await link.writeCoils(
    manners,
    address,
    values.map((value) => value === 1),
    signal,
  );
}
