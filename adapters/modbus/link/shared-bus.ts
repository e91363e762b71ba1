import { type BusContext, ConnectionKeeper } from "./connection-keeper.ts";
import { type Endpoint, endpointName, frameGapMs, isRtu } from "./endpoint.ts";
import type { ModbusConnection } from "./modbus-connection.ts";
import { isAwayBehindGateway, ModbusError } from "./modbus-error.ts";
import { type Overdue, OwedAnswers } from "./owed-answers.ts";
import { checkedUnit } from "./register-range.ts";
import { type Priority, RequestQueue } from "./request-queue.ts";
import { UnitStanding } from "./unit-standing.ts";

const MAX_WAITING = 256;
/** Silence after a damaged answer. */
const NOISE_MS = 250;

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
 * One bus, whatever it is made of: requests wait in line by priority, one is on the wire, and what came of it decides what
 * becomes of its unit and of the connection. A fault of the wire breaks the connection, an exception does not; a unit that
 * is away rests alone.
 */
export class SharedBus implements AsyncDisposable {
  readonly #endpoint: Endpoint;
  readonly #context: BusContext;
  readonly #life = new AbortController();
  readonly #queue = new RequestQueue<Job>();
  readonly #keeper: ConnectionKeeper;
  readonly #standings = new Map<number, UnitStanding>();
  /** By unit; on serial lines only. */
  readonly #owed = new Map<number, OwedAnswers>();
  readonly #frameGapMs: number;
  #lastAnswerMs = Number.NEGATIVE_INFINITY;
  #draining: Promise<void> | undefined;
  #wake: AbortController | undefined;
  #requests = 0;
  #timeouts = 0;
  #exceptions = 0;

  constructor(endpoint: Endpoint, context: BusContext) {
    this.#endpoint = endpoint;
    this.#context = context;
    this.#keeper = new ConnectionKeeper(endpoint, context);
    this.#frameGapMs = frameGapMs(endpoint);
  }

  figures(): LinkFigures {
    return {
      requests: this.#requests,
      timeouts: this.#timeouts,
      exceptions: this.#exceptions,
      connections: this.#keeper.generation,
    };
  }

  /** Another number after each reconnection, and after the unit was away. */
  generationOf(unit: number): number {
    return this.#keeper.generation + this.#standing(unit).returns;
  }

  /**
   * Runs a request when its turn comes; without one it only sees to it that there is a connection. The caller may leave
   * early; a request that is on the wire runs to its own end, so that no answer goes astray.
   * @throws ModbusError
   */
  ask<T>(
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new ModbusError("closed", "the link is closed"));
    this.#keeper.current?.destroy();
    this.#wake?.abort();
    await this.#draining;
    await this.#keeper[Symbol.asyncDispose]();
  }

  async #drain(): Promise<void> {
    while (this.#queue.size > 0) {
      const nowMs = this.#context.clock.elapsedMs();
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
    await this.#context.clock.sleep(Math.max(1, readyAtMs - nowMs), this.#wake.signal).catch(() => {});
    this.#wake = undefined;
  }

  async #serve(job: Job): Promise<void> {
    const { manners, standing } = job;
    let connection: ModbusConnection;
    try {
      const restMs = standing.restsUntilMs - this.#context.clock.elapsedMs();
      if (restMs > 0) {
        const again = `next try in ${Math.ceil(restMs / 1000)} s`;
        throw new ModbusError("resting", `unit ${manners.unit} at ${this.#name} is away: ${standing.why}; ${again}`);
      }
      connection = this.#keeper.current ?? (await this.#connect(manners));
      if (job.run === undefined) {
        job.resolve(undefined);
        return;
      }
      const gapMs = Math.max(manners.gapMs, this.#frameGapMs);
      const gapLeftMs = this.#lastAnswerMs + gapMs - this.#context.clock.elapsedMs();
      if (gapMs > 0 && gapLeftMs > 0) await this.#context.clock.sleep(gapLeftMs, this.#life.signal);
    } catch (error) {
      job.reject(error);
      return;
    }
    // Whoever asked may have left while the connection was made.
    if (job.cancelled) return;
    this.#requests += 1;
    try {
      if (this.#owed.size > 0) await this.#passFence(connection, manners);
      const value = await job.run(connection, manners);
      this.#lastAnswerMs = this.#context.clock.elapsedMs();
      this.#keeper.wasAnswered();
      if (standing.answered())
        this.#context.log.debug("modbus unit is back", { endpoint: this.#name, unit: manners.unit });
      job.resolve(value);
    } catch (error) {
      this.#lastAnswerMs = this.#context.clock.elapsedMs();
      job.reject(error);
      await this.#consider(error, job, connection);
    }
  }

  /** What follows from a failed request for its unit and for the connection. */
  async #consider(error: unknown, { manners, standing }: Job, connection: ModbusConnection): Promise<void> {
    const { fault, code } = error instanceof ModbusError ? error : { fault: "format" as const, code: undefined };
    if (fault === "exception") {
      this.#exceptions += 1;
      this.#keeper.wasAnswered();
      // The gateway is well, and the device behind it is away.
      if (isAwayBehindGateway(code)) this.#rest(manners, standing, error);
      else standing.answered();
      return;
    }
    if (fault === "format" && isRtu(this.#endpoint)) {
      // Noise: the unit is there, and what is left of its answer must be over before anything else is sent.
      await connection.quiet(Math.min(manners.timeoutMs, NOISE_MS));
      return;
    }
    if (fault !== "timeout") {
      this.#keeper.fail(connection, error);
      return;
    }
    this.#timeouts += 1;
    if (isRtu(this.#endpoint)) {
      const isOver = (await connection.quiet(manners.timeoutMs)) === "answered-late";
      this.#lastAnswerMs = this.#context.clock.elapsedMs();
      if (isOver) {
        this.#owed.get(manners.unit)?.settle();
        return;
      }
      this.#owes(manners.unit, connection.overdue);
    }
    this.#rest(manners, standing, error);
    // A connection on which others answer is well. If not, it may be half open; nothing but a new one would tell.
    if (!connection.othersAnswered(manners.unit)) this.#keeper.drop(connection, error);
  }

  #owes(unit: number, overdue: Overdue | undefined): void {
    if (overdue === undefined) return;
    const owed = this.#owed.get(unit) ?? new OwedAnswers();
    this.#owed.set(unit, owed);
    owed.add(overdue, this.#context.clock.elapsedMs());
  }

  /**
   * On a serial line, after an answer that never came: first something whose answer looks like none that is owed.
   * @throws ModbusError where the unit is still silent
   */
  async #passFence(connection: ModbusConnection, { unit, timeoutMs, gapMs }: Manners): Promise<void> {
    const owed = this.#owed.get(unit);
    const fence = owed?.fence(this.#context.clock.elapsedMs());
    if (owed === undefined || fence === undefined) return;
    const { code, address, count } = fence;
    try {
      if (code === 3 || code === 4) await connection.readRegisters(code, unit, address, count, timeoutMs);
      else await connection.readBits(code, unit, address, count, timeoutMs);
    } catch (error) {
      // It need not have such a register; that it says so is enough. A gateway that speaks in its place is not.
      if (!(error instanceof ModbusError) || error.fault !== "exception" || isAwayBehindGateway(error.code))
        throw error;
    }
    owed.settle();
    await this.#context.clock.sleep(Math.max(gapMs, this.#frameGapMs), this.#life.signal);
  }

  #rest({ unit }: Manners, standing: UnitStanding, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (standing.failed(why, this.#context.clock.elapsedMs(), this.#context.random)) {
      this.#context.log.debug("modbus unit is away", { endpoint: this.#name, unit, why });
    }
  }

  #standing(unit: number): UnitStanding {
    const known = this.#standings.get(unit);
    if (known !== undefined) return known;
    const standing = new UnitStanding();
    this.#standings.set(unit, standing);
    return standing;
  }

  /** What keeps one from connecting keeps all that wait: they are told together, not one timeout after the other. */
  async #connect({ timeoutMs }: Manners): Promise<ModbusConnection> {
    try {
      return await this.#keeper.connect(timeoutMs, this.#life.signal);
    } catch (error) {
      // Where it is only too early, who has more patience waits on.
      const isEarly = error instanceof ModbusError && error.fault === "resting";
      if (!isEarly) for (const waiting of this.#queue.clear()) waiting.reject(error);
      throw error;
    }
  }

  get #name(): string {
    return endpointName(this.#endpoint);
  }
}
