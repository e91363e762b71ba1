import { backoffMs, type Clock, DeadlineError, withDeadline } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { type Endpoint, ModbusConnection } from "./modbus-connection.ts";
import { ILLEGAL_FUNCTION, ModbusError } from "./modbus-error.ts";
import { checkedRegisters, MAX_READ, MAX_WRITE, piecesOf } from "./register-range.ts";

const MAX_WAITING = 64;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 30_000;
/** What a write gives back: the device spoke, which is more than that it let us connect. */
const ANSWERED = true;

/** How one unit behind a link wants to be treated. */
export interface Manners {
  readonly unit: number;
  /** Longest wait for a connection, and for an answer. */
  readonly timeoutMs: number;
  /** Silence before each request. */
  readonly gapMs: number;
}

interface Job {
  readonly run: (connection: ModbusConnection) => Promise<unknown>;
  readonly manners: Manners;
  readonly settle: (outcome: Outcome) => void;
  cancelled: boolean;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * The one connection to an endpoint, shared by all units behind it: many devices take a single client, and most answer
 * one request at a time. Requests wait in line; a fault of the wire breaks the connection, an exception does not.
 * It connects when it is first needed, and after a failure waits longer each time.
 */
export class ModbusLink implements AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #life = new AbortController();
  readonly #waiting: Job[] = [];
  /** Units that answered function 16 with "illegal function" (Kostal does). */
  readonly #singleWritersOnly = new Set<number>();
  #connection: ModbusConnection | undefined;
  #generation = 0;
  /** Connections in a row that failed before one good answer. */
  #failures = 0;
  #notBeforeMs = 0;
  #lastAnswerMs = Number.NEGATIVE_INFINITY;
  #draining: Promise<void> | undefined;

  constructor(endpoint: Endpoint, context: { clock: Clock; log: Log; random: () => number }) {
    this.endpoint = endpoint;
    this.#clock = context.clock;
    this.#log = context.log;
    this.#random = context.random;
  }

  /**
   * Connects if need be.
   * @returns a number that is another one after each reconnection, so that a caller sees that the link was away
   */
  async open(manners: Manners, signal: AbortSignal): Promise<number> {
    await this.#enqueue(manners, signal, async () => undefined);
    return this.#generation;
  }

  /** Holding registers, in as many requests as it takes. @throws ModbusError */
  async read(manners: Manners, address: number, count: number, signal: AbortSignal): Promise<readonly number[]> {
    const registers: number[] = [];
    for (const piece of piecesOf(address, count, MAX_READ)) {
      const part = await this.#enqueue(manners, signal, (connection) =>
        connection.read(manners.unit, piece.address, piece.count),
      );
      registers.push(...part);
    }
    return registers;
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
    for (const piece of piecesOf(address, values.length, MAX_WRITE)) {
      const start = piece.address - address;
      const part = values.slice(start, start + piece.count);
      const onlySingle = fc === 6 || (fc === undefined && mayTear && this.#singleWritersOnly.has(manners.unit));
      if (!onlySingle) {
        try {
          await this.#enqueue(manners, signal, async (connection) => {
            await connection.writeMany(manners.unit, piece.address, part);
            return ANSWERED;
          });
          continue;
        } catch (error) {
          const refusesMany = error instanceof ModbusError && error.code === ILLEGAL_FUNCTION;
          if (!refusesMany || !mayTear || fc === 16) throw error;
          this.#singleWritersOnly.add(manners.unit);
        }
      }
      for (const [index, value] of part.entries()) {
        await this.#enqueue(manners, signal, async (connection) => {
          await connection.writeOne(manners.unit, piece.address + index, value);
          return ANSWERED;
        });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new ModbusError("closed", "the link is closed"));
    this.#connection?.destroy();
    await this.#draining;
  }

  /** The caller may leave early; a request that is on the wire runs to its own end, so that no answer goes astray. */
  #enqueue<T>(manners: Manners, signal: AbortSignal, run: (connection: ModbusConnection) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      if (this.#life.signal.aborted) {
        reject(this.#life.signal.reason);
        return;
      }
      if (this.#waiting.length >= MAX_WAITING) {
        reject(new ModbusError("busy", `${MAX_WAITING} requests already wait for ${this.#name}`));
        return;
      }
      const onAbort = () => {
        job.cancelled = true;
        reject(signal.reason);
      };
      const job: Job = {
        run,
        manners,
        cancelled: false,
        settle: (outcome) => {
          signal.removeEventListener("abort", onAbort);
          if ("error" in outcome) reject(outcome.error);
          else resolve(outcome.value as T);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(job);
      this.#draining ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      if (job.cancelled) continue;
      try {
        job.settle({ value: await this.#perform(job) });
      } catch (error) {
        job.settle({ error });
      }
    }
    this.#draining = undefined;
  }

  async #perform(job: Job): Promise<unknown> {
    const life = this.#life.signal;
    const connection = await this.#connected(job.manners);
    const gapLeftMs = this.#lastAnswerMs + job.manners.gapMs - this.#clock.elapsedMs();
    if (gapLeftMs > 0) await this.#clock.sleep(gapLeftMs, life);
    try {
      const value = await withDeadline(this.#clock, job.manners.timeoutMs, life, () => job.run(connection));
      if (value !== undefined) this.#failures = 0;
      return value;
    } catch (error) {
      if (error instanceof ModbusError && error.fault === "exception") {
        this.#failures = 0;
        throw error;
      }
      const fault =
        error instanceof DeadlineError
          ? new ModbusError("timeout", `unit ${job.manners.unit} did not answer within ${job.manners.timeoutMs} ms`, {
              cause: error,
            })
          : error;
      this.#drop(connection, fault);
      throw fault;
    } finally {
      this.#lastAnswerMs = this.#clock.elapsedMs();
    }
  }

  async #connected(manners: Manners): Promise<ModbusConnection> {
    if (this.#connection?.isOpen) return this.#connection;
    if (this.#connection !== undefined) this.#drop(this.#connection, new ModbusError("closed", "the connection broke"));
    const life = this.#life.signal;
    const waitMs = this.#notBeforeMs - this.#clock.elapsedMs();
    if (waitMs > manners.timeoutMs) {
      throw new ModbusError("closed", `${this.#name} is not reachable; next try in ${Math.ceil(waitMs / 1000)} s`);
    }
    if (waitMs > 0) await this.#clock.sleep(waitMs, life);
    try {
      this.#connection = await ModbusConnection.open(this.endpoint, this.#clock, manners.timeoutMs, life);
    } catch (error) {
      this.#backOff();
      throw error;
    }
    this.#generation += 1;
    this.#log.debug("modbus link open", { endpoint: this.#name });
    return this.#connection;
  }

  #drop(connection: ModbusConnection, why: unknown): void {
    connection.destroy();
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#log.debug("modbus link lost", { endpoint: this.#name, why: String(why) });
    this.#backOff();
  }

  /** The first attempt after a working connection is made at once; each further failure doubles the wait. */
  #backOff(): void {
    const waitMs =
      this.#failures === 0 ? 0 : backoffMs(this.#failures - 1, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, this.#random);
    this.#failures += 1;
    this.#notBeforeMs = this.#clock.elapsedMs() + waitMs;
  }

  get #name(): string {
    return `${this.endpoint.host}:${this.endpoint.port}`;
  }
}
