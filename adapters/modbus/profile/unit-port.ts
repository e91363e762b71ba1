import type { Manners, ModbusLink } from "../link/modbus-link.ts";
import type { Priority } from "../link/request-queue.ts";
import type { Point } from "./point.ts";

type Space = Point["space"];

/** One Modbus unit, as the profile engine sees it. A bit is 0 or 1. Each call throws a `ModbusError`. */
export interface UnitPort {
  /** Connects if need be; another number after each reconnection. */
  open(signal: AbortSignal): Promise<number>;
  read(
    space: Space,
    address: number,
    count: number,
    priority: Priority,
    signal: AbortSignal,
  ): Promise<readonly number[]>;
  /** @param fc function code of registers: 6 one by one, 16 in one request */
  write(
    space: "holding" | "coil",
    address: number,
    values: readonly number[],
    fc: 6 | 16,
    signal: AbortSignal,
  ): Promise<void>;
}

/** A unit behind a link. */
export function portOver(link: ModbusLink, manners: Manners): UnitPort {
  return {
    open: (signal) => link.open(manners, signal),
    read: async (space, address, count, priority, signal) => {
      if (space === "holding" || space === "input") {
        return link.read(manners, address, count, signal, { space, priority });
      }
      const bits = await link.readBits(manners, address, count, signal, { space, priority });
      return bits.map(Number);
    },
    write: async (space, address, values, fc, signal) => {
      if (space === "coil") {
        await link.writeCoils(manners, address, values.map(Boolean), signal);
      } else {
        // A device that refuses function 16 may be told with 6 only where a single register is all there is.
        await link.write(manners, address, values, { mayTear: fc === 6 || values.length === 1, fc }, signal);
      }
    },
  };
}
