import { backoffMs, type Clock, DeadlineError, withDeadline } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { type Endpoint, endpointName, frameGapMs, isRtu } from "./endpoint.ts";
import { ModbusConnection } from "./modbus-connection.ts";
import { GATEWAY_PATH_UNAVAILABLE, GATEWAY_TARGET_SILENT, ILLEGAL_FUNCTION, ModbusError } from "./modbus-error.ts";
import { type Overdue, OwedAnswers } from "./owed-answers.ts";
import {
  checkedCoils,
  checkedRegisters,
  checkedUnit,
  MAX_READ,
  MAX_READ_BITS,
  MAX_WRITE,
  MAX_WRITE_COILS,
  piecesOf,
} from "./register-range.ts";
import { type Priority, RequestQueue } from "./request-queue.ts";
import type { LineMemory } from "./rtu-port.ts";
import { UnitStanding } from "./unit-standing.ts";

const MAX_WAITING = 256;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 30_000;
/** A port that does not say that it is closed is not waited for longer. */
const LONGEST_CLOSING_MS = 1000;

/** Silence after a damaged answer. */
const NOISE_MS = 250;

/** The four tables of a device (Modbus Application Protocol V1.1b3, 4.3). */
export type Space = "holding" | "input" | "coil" | "discrete";

/** How one unit behind a link wants to be treated. */
export interface Manners {
  readonly unit: number;
  /** Longest wait for a connection, and for an answer; the time of the bytes on a serial line comes on top. */
  readonly timeoutMs: number;
  /** Silence before each request. */
  readonly gapMs: number;
}

/** Counted since the start. */
export interface LinkFigures {
  readonly requests: number;
  readonly timeouts: number;
  readonly exceptions: number;
  readonly connections: number;
}

interface Job {
  /** Absent where only a connection is wanted. */
  readonly run: ((connection: ModbusConnection, manners: Manners) => Promise<unknown>) | undefined;
  readonly manners: Manners;
  readonly standing: UnitStanding;
  readonly priority: Priority;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  cancelled: boolean;
}

/**
 * The one connection to an endpoint, shared by all units behind it: many devices take a single client, and most answer
 * one request at a time. Requests wait in line by priority. A fault of the wire breaks the connection, an exception does
 * not; a unit that is away rests alone. It connects when it is first needed, and after a failure waits longer each time.
 */
export class ModbusLink implements AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #random: () => number;
  readonly #life = new AbortController();
  readonly #queue = new RequestQueue<Job>();
  readonly #standings = new Map<number, UnitStanding>();
  /** Units that answered function 16 with "illegal function" (Kostal does). */
  readonly #singleWritersOnly = new Set<number>();
  readonly #memory: LineMemory;
  /** By unit; on serial lines only. */
  readonly #owed = new Map<number, OwedAnswers>();
  readonly #frameGapMs: number;
  #connection: ModbusConnection | undefined;
  #lastClosed: Promise<void> = Promise.resolve();
  #generation = 0;
  /** Connections in a row that failed before one good answer. */
  #failures = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #lastAnswerMs = Number.NEGATIVE_INFINITY;
  #draining: Promise<void> | undefined;
  #wake: AbortController | undefined;
  #requests = 0;
  #timeouts = 0;
  #exceptions = 0;

  constructor(endpoint: Endpoint, context: { clock: Clock; log: Log; random: () => number }) {
    this.endpoint = endpoint;
    this.#clock = context.clock;
    this.#log = context.log;
    this.#random = context.random;
    const echo = "serial" in endpoint ? endpoint.serial.echo : undefined;
    this.#memory = { echoes: echo, told: echo !== undefined };
    this.#frameGapMs = frameGapMs(endpoint);
  }

  /** What happened so far. */
  figures(): LinkFigures {
    return {
      requests: this.#requests,
      timeouts: this.#timeouts,
      exceptions: this.#exceptions,
      connections: this.#generation,
    };
  }

  /**
   * Connects if need be.
   * @returns a number that is another one after each reconnection, and after this unit was away, so that a caller sees that
   *   the device may have restarted
   */
  async open(manners: Manners, signal: AbortSignal): Promise<number> {
    await this.#enqueue(manners, "fast", signal, undefined);
    return this.#generation + this.#standing(manners.unit).returns;
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
      this.#enqueue<readonly number[]>(manners, options?.priority ?? "fast", signal, (connection) =>
        connection.readRegisters(code, manners.unit, range.address, range.count, manners.timeoutMs),
      );
    return this.#readPieces(piecesOf(address, count, MAX_READ), read);
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
      this.#enqueue<readonly boolean[]>(manners, options?.priority ?? "fast", signal, (connection) =>
        connection.readBits(code, manners.unit, range.address, range.count, manners.timeoutMs),
      );
    return this.#readPieces(piecesOf(address, count, MAX_READ_BITS), read);
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
          await this.#enqueue(manners, "write", signal, (connection) =>
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
        await this.#enqueue(manners, "write", signal, (connection) =>
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
      await this.#enqueue(manners, "write", signal, (connection) =>
        part.length === 1 && first !== undefined
          ? connection.writeCoil(unit, piece.address, first, timeoutMs)
          : connection.writeCoils(unit, piece.address, part, timeoutMs),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new ModbusError("closed", "the link is closed"));
    this.#connection?.destroy();
    this.#wake?.abort();
    await this.#draining;
    await this.#closedBefore();
  }

  async #readPieces<T>(
    pieces: readonly { address: number; count: number }[],
    read: (piece: { address: number; count: number }) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) return read(only);
    const all: T[] = [];
    for (const piece of pieces) all.push(...(await read(piece)));
    return all;
  }

  #standing(unit: number): UnitStanding {
    const known = this.#standings.get(unit);
    if (known !== undefined) return known;
    const standing = new UnitStanding();
    this.#standings.set(unit, standing);
    return standing;
  }

  /** The caller may leave early; a request that is on the wire runs to its own end, so that no answer goes astray. */
  #enqueue<T>(
    manners: Manners,
    priority: Priority,
    signal: AbortSignal,
    run: ((connection: ModbusConnection) => Promise<T>) | undefined,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      checkedUnit(manners.unit);
      if (signal.aborted) throw signal.reason;
      if (this.#life.signal.aborted) throw this.#life.signal.reason;
      if (this.#queue.size >= MAX_WAITING) {
        throw new ModbusError("busy", `${MAX_WAITING} requests already wait for ${this.#name}`);
      }
      const onAbort = () => {
        job.cancelled = true;
        reject(signal.reason);
        // So that the line does not wait for nobody's sake.
        this.#wake?.abort();
      };
      const job: Job = {
        run,
        manners,
        standing: this.#standing(manners.unit),
        priority,
        cancelled: false,
        resolve: (value) => {
          signal.removeEventListener("abort", onAbort);
          resolve(value as T);
        },
        reject: (error) => {
          signal.removeEventListener("abort", onAbort);
          reject(error);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#queue.push(job);
      if (this.#draining === undefined) this.#draining = this.#drain();
      else this.#wake?.abort();
    });
  }

  async #drain(): Promise<void> {
    while (this.#queue.size > 0) {
      const nowMs = this.#clock.elapsedMs();
      // One whose unit rests for longer than its caller would wait is taken too, to be told so.
      const job = this.#queue.take(
        ({ standing, manners, cancelled }) =>
          cancelled || standing.restsUntilMs <= nowMs || standing.restsUntilMs - nowMs > manners.timeoutMs,
      );
      if (this.#life.signal.aborted) {
        for (const left of [...(job === undefined ? [] : [job]), ...this.#queue.clear()]) {
          left.reject(this.#life.signal.reason);
        }
      } else if (job === undefined) await this.#restUntilOneIsReady(nowMs);
      else if (!job.cancelled) await this.#serve(job);
    }
    this.#draining = undefined;
  }

  /** All that wait are for units that rest; a new request may be for another one. */
  async #restUntilOneIsReady(nowMs: number): Promise<void> {
    const readyAtMs = this.#queue.least(({ standing }) => standing.restsUntilMs) ?? nowMs;
    this.#wake = new AbortController();
    await this.#clock.sleep(Math.max(1, readyAtMs - nowMs), this.#wake.signal).catch(() => {});
    this.#wake = undefined;
  }

  async #serve(job: Job): Promise<void> {
    const { manners, standing } = job;
    let connection: ModbusConnection;
    try {
      const restMs = standing.restsUntilMs - this.#clock.elapsedMs();
      if (restMs > 0) {
        const again = `next try in ${Math.ceil(restMs / 1000)} s`;
        throw new ModbusError("resting", `unit ${manners.unit} at ${this.#name} is away: ${standing.why}; ${again}`);
      }
      connection = this.#connection?.isOpen ? this.#connection : await this.#connectForAll(manners);
      if (job.run === undefined) {
        job.resolve(undefined);
        return;
      }
      const gapMs = Math.max(manners.gapMs, this.#frameGapMs);
      const gapLeftMs = this.#lastAnswerMs + gapMs - this.#clock.elapsedMs();
      if (gapMs > 0 && gapLeftMs > 0) await this.#clock.sleep(gapLeftMs, this.#life.signal);
    } catch (error) {
      job.reject(error);
      return;
    }
    // Whoever asked may have left while the connection was made.
    if (job.cancelled) return;
    this.#requests += 1;
    try {
      await this.#passFence(connection, manners);
      const value = await job.run(connection, manners);
      this.#lastAnswerMs = this.#clock.elapsedMs();
      this.#failures = 0;
      if (standing.answered()) this.#log.debug("modbus unit is back", { endpoint: this.#name, unit: manners.unit });
      job.resolve(value);
    } catch (error) {
      this.#lastAnswerMs = this.#clock.elapsedMs();
      job.reject(error);
      await this.#consider(error, job, connection);
    }
  }

  /** What follows from a failed request for its unit and for the connection. */
  async #consider(error: unknown, { manners, standing }: Job, connection: ModbusConnection): Promise<void> {
    const { fault, code } = error instanceof ModbusError ? error : { fault: "format" as const, code: undefined };
    if (fault === "exception") {
      this.#exceptions += 1;
      this.#failures = 0;
      // The gateway is well, and the device behind it is away.
      if (code === GATEWAY_TARGET_SILENT || code === GATEWAY_PATH_UNAVAILABLE) this.#rest(manners, standing, error);
      else standing.answered();
      return;
    }
    if (fault === "format" && isRtu(this.endpoint)) {
      // Noise: the unit is there, and what is left of its answer must be over before anything else is sent.
      await connection.quiet(Math.min(manners.timeoutMs, NOISE_MS));
      return;
    }
    if (fault !== "timeout") {
      this.#drop(connection, error);
      this.#backOff();
      return;
    }
    this.#timeouts += 1;
    if (isRtu(this.endpoint)) {
      const isOver = (await connection.quiet(manners.timeoutMs)) === "answered-late";
      this.#lastAnswerMs = this.#clock.elapsedMs();
      if (isOver) {
        this.#owed.get(manners.unit)?.settle();
        return;
      }
      this.#owes(manners.unit, connection.overdue);
    }
    this.#rest(manners, standing, error);
    // A connection on which others answer is well. If not, it may be half open; nothing but a new one would tell.
    if (!connection.othersAnswered(manners.unit)) this.#drop(connection, error);
  }

  #owes(unit: number, overdue: Overdue | undefined): void {
    if (overdue === undefined) return;
    const owed = this.#owed.get(unit) ?? new OwedAnswers();
    this.#owed.set(unit, owed);
    owed.add(overdue, this.#clock.elapsedMs());
  }

  /**
   * On a serial line, after an answer that never came: first something whose answer looks like none that is owed.
   * @throws ModbusError where the unit is still silent
   */
  async #passFence(connection: ModbusConnection, { unit, timeoutMs, gapMs }: Manners): Promise<void> {
    const owed = this.#owed.get(unit);
    const fence = owed?.fence(this.#clock.elapsedMs());
    if (owed === undefined || fence === undefined) return;
    const { code, address, count } = fence;
    try {
      if (code === 3 || code === 4) await connection.readRegisters(code, unit, address, count, timeoutMs);
      else await connection.readBits(code, unit, address, count, timeoutMs);
    } catch (error) {
      // It need not have such a register; that it says so is enough.
      if (!(error instanceof ModbusError) || error.fault !== "exception") throw error;
    }
    owed.settle();
    await this.#clock.sleep(Math.max(gapMs, this.#frameGapMs), this.#life.signal);
  }

  #rest({ unit }: Manners, standing: UnitStanding, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (standing.failed(why, this.#clock.elapsedMs(), this.#random)) {
      this.#log.debug("modbus unit is away", { endpoint: this.#name, unit, why });
    }
  }

  /** What keeps one from connecting keeps all that wait: they are told together, not one timeout after the other. */
  async #connectForAll(manners: Manners): Promise<ModbusConnection> {
    try {
      return await this.#connect(manners);
    } catch (error) {
      for (const waiting of this.#queue.clear()) waiting.reject(error);
      throw error;
    }
  }

  async #connect(manners: Manners): Promise<ModbusConnection> {
    const life = this.#life.signal;
    if (this.#connection !== undefined) {
      this.#drop(this.#connection, new ModbusError("closed", "the connection broke"));
      this.#backOff();
    }
    const waitMs = this.#notBeforeMs - this.#clock.elapsedMs();
    if (waitMs > manners.timeoutMs) {
      throw new ModbusError("closed", `${this.#name} is not reachable; next try in ${Math.ceil(waitMs / 1000)} s`);
    }
    if (waitMs > 0) await this.#clock.sleep(waitMs, life);
    await this.#closedBefore();
    try {
      this.#connection = await ModbusConnection.open(this.endpoint, this.#clock, this.#memory, manners.timeoutMs, life);
    } catch (error) {
      this.#backOff();
      throw error;
    }
    this.#generation += 1;
    this.#lastClosed = this.#connection.closed;
    this.#log.debug("modbus link open", { endpoint: this.#name });
    const { connectDelayMs = 0 } = this.endpoint;
    if (connectDelayMs > 0) await this.#clock.sleep(connectDelayMs, life);
    return this.#connection;
  }

  /** A serial port is locked until its predecessor is closed, and many devices take one connection only. */
  async #closedBefore(): Promise<void> {
    await withDeadline(this.#clock, LONGEST_CLOSING_MS, new AbortController().signal, () => this.#lastClosed).catch(
      (error: unknown) => {
        if (!(error instanceof DeadlineError)) throw error;
      },
    );
  }

  #drop(connection: ModbusConnection, why: unknown): void {
    connection.destroy();
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#log.debug("modbus link lost", { endpoint: this.#name, why: String(why) });
  }

  /** The first attempt after a working connection is made at once; each further failure doubles the wait. */
  #backOff(): void {
    const waitMs =
      this.#failures === 0 ? 0 : backoffMs(this.#failures - 1, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, this.#random);
    this.#failures += 1;
    this.#notBeforeMs = this.#clock.elapsedMs() + waitMs;
  }

  get #name(): string {
    return endpointName(this.endpoint);
  }
}
