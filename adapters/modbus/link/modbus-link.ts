import type { BusContext } from "./connection-keeper.ts";
import type { Endpoint } from "./endpoint.ts";
import { ILLEGAL_FUNCTION, ModbusError } from "./modbus-error.ts";
import {
  checkedCoils,
  checkedRegisters,
  MAX_READ,
  MAX_READ_BITS,
  MAX_WRITE,
  MAX_WRITE_COILS,
  piecesOf,
} from "./register-range.ts";
import type { Priority } from "./request-queue.ts";
import { type LinkFigures, type Manners, SharedBus } from "./shared-bus.ts";

export type { LinkFigures, Manners } from "./shared-bus.ts";

/** The four tables of a device (Modbus Application Protocol V1.1b3, 4.3). */
export type Space = "holding" | "input" | "coil" | "discrete";

/**
 * What can be asked of the units behind one endpoint. They share its one connection, since many devices take a single client
 * and most answer one request at a time (`SharedBus`). It connects when it is first needed.
 */
export class ModbusLink implements AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly #bus: SharedBus;
  /** Units that answered function 16 with "illegal function" (Kostal does). */
  readonly #singleWritersOnly = new Set<number>();

  constructor(endpoint: Endpoint, context: BusContext) {
    this.endpoint = endpoint;
    this.#bus = new SharedBus(endpoint, context);
  }

  /** What happened so far. */
  figures(): LinkFigures {
    return this.#bus.figures();
  }

  /**
   * Connects if need be.
   * @returns a number that is another one after each reconnection, and after this unit was away, so that a caller sees that
   *   the device may have restarted
   */
  async open(manners: Manners, signal: AbortSignal): Promise<number> {
    await this.#bus.ask(manners, "fast", signal, undefined);
    return this.#bus.generationOf(manners.unit);
  }

  /** Registers, in as many requests as it takes. @throws ModbusError */
  async read(
    manners: Manners,
    address: number,
    count: number,
    signal: AbortSignal,
    options?: { readonly space?: Extract<Space, "holding" | "input">; readonly priority?: Priority },
  ): Promise<readonly number[]> {
    const code = options?.space === "input" ? 4 : 3;
    const read = (range: { address: number; count: number }) =>
      this.#bus.ask<readonly number[]>(manners, options?.priority ?? "fast", signal, (connection) =>
        connection.readRegisters(code, manners.unit, range.address, range.count, manners.timeoutMs),
      );
    return readPieces(piecesOf(address, count, MAX_READ), read);
  }

  /** Coils or discrete inputs, in as many requests as it takes. @throws ModbusError */
  async readBits(
    manners: Manners,
    address: number,
    count: number,
    signal: AbortSignal,
    options?: { readonly space?: Extract<Space, "coil" | "discrete">; readonly priority?: Priority },
  ): Promise<readonly boolean[]> {
    const code = options?.space === "discrete" ? 2 : 1;
    const read = (range: { address: number; count: number }) =>
      this.#bus.ask<readonly boolean[]>(manners, options?.priority ?? "fast", signal, (connection) =>
        connection.readBits(code, manners.unit, range.address, range.count, manners.timeoutMs),
      );
    return readPieces(piecesOf(address, count, MAX_READ_BITS), read);
  }

  /**
   * Writes consecutive holding registers and compares the echo.
   * @param options.mayTear the values make sense one by one, so a unit that refuses function 16 gets them with function 6
   * @param options.fc the function that the device is known to take; absent: 16, and 6 where that is refused
   * @throws ModbusError
   */
  async write(
    manners: Manners,
    address: number,
    values: readonly number[],
    options: { readonly mayTear: boolean; readonly fc?: 6 | 16 },
    signal: AbortSignal,
  ): Promise<void> {
    checkedRegisters(values);
    const { mayTear, fc } = options;
    if (fc === 6 && !mayTear && values.length > 1) {
      throw new ModbusError("argument", `${values.length} registers that belong together can't go with function 6`);
    }
    const { unit, timeoutMs } = manners;
    for (const piece of piecesOf(address, values.length, MAX_WRITE)) {
      const start = piece.address - address;
      const part = values.slice(start, start + piece.count);
      const onlySingle = fc === 6 || (fc === undefined && mayTear && this.#singleWritersOnly.has(unit));
      if (!onlySingle) {
        try {
          await this.#bus.ask(manners, "write", signal, (connection) =>
            connection.writeMany(unit, piece.address, part, timeoutMs),
          );
          continue;
        } catch (error) {
          const refusesMany = error instanceof ModbusError && error.code === ILLEGAL_FUNCTION;
          if (!refusesMany || !mayTear || fc === 16) throw error;
          this.#singleWritersOnly.add(unit);
        }
      }
      for (const [index, value] of part.entries()) {
        await this.#bus.ask(manners, "write", signal, (connection) =>
          connection.writeOne(unit, piece.address + index, value, timeoutMs),
        );
      }
    }
  }

  /** Writes consecutive coils, one with function 5 and more with function 15, and compares the echo. @throws ModbusError */
  async writeCoils(manners: Manners, address: number, values: readonly boolean[], signal: AbortSignal): Promise<void> {
    checkedCoils(values);
    const { unit, timeoutMs } = manners;
    for (const piece of piecesOf(address, values.length, MAX_WRITE_COILS)) {
      const start = piece.address - address;
      const part = values.slice(start, start + piece.count);
      const [first] = part;
      await this.#bus.ask(manners, "write", signal, (connection) =>
        part.length === 1 && first !== undefined
          ? connection.writeCoil(unit, piece.address, first, timeoutMs)
          : connection.writeCoils(unit, piece.address, part, timeoutMs),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus[Symbol.asyncDispose]();
  }
}

async function readPieces<T>(
  pieces: readonly { address: number; count: number }[],
  read: (piece: { address: number; count: number }) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return read(only);
  const all: T[] = [];
  for (const piece of pieces) all.push(...(await read(piece)));
  return all;
}
