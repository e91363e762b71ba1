import { backoffMs, type Clock, DeadlineError, withDeadline } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { type Endpoint, endpointName } from "./endpoint.ts";
import { ModbusConnection } from "./modbus-connection.ts";
import { ModbusError } from "./modbus-error.ts";
import type { LineMemory } from "./rtu-port.ts";

const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 30_000;
/** A port that does not say that it is closed is not waited for longer. */
const LONGEST_CLOSING_MS = 1000;

export interface BusContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** The one connection to an endpoint: made when it is needed, given up when it is broken, tried less and less often. */
export class ConnectionKeeper implements AsyncDisposable {
  readonly #endpoint: Endpoint;
  readonly #context: BusContext;
  readonly #memory: LineMemory;
  #connection: ModbusConnection | undefined;
  #lastClosed: Promise<void> = Promise.resolve();
  #generation = 0;
  /** Connections in a row that failed before one good answer. */
  #failures = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(endpoint: Endpoint, context: BusContext) {
    this.#endpoint = endpoint;
    this.#context = context;
    const echo = "serial" in endpoint ? endpoint.serial.echo : undefined;
    this.#memory = { echoes: echo, told: echo !== undefined };
  }

  /** Connections that were made so far. */
  get generation(): number {
    return this.#generation;
  }

  /** The connection, if it is open. */
  get current(): ModbusConnection | undefined {
    return this.#connection?.isOpen ? this.#connection : undefined;
  }

  /** Somebody answered: the next failure is the first again. */
  wasAnswered(): void {
    this.#failures = 0;
  }

  /**
   * Connects. Where it is too early for another attempt it waits, but no longer than one wait for an answer.
   * @throws ModbusError `closed` or `timeout`, and `resting` where it is too early for that
   */
  async connect(timeoutMs: number, signal: AbortSignal): Promise<ModbusConnection> {
    const { clock, log } = this.#context;
    const name = endpointName(this.#endpoint);
    if (this.#connection !== undefined) this.fail(this.#connection, "the connection broke");
    const waitMs = this.#notBeforeMs - clock.elapsedMs();
    if (waitMs > timeoutMs) {
      throw new ModbusError("resting", `${name} is not reachable; next try in ${Math.ceil(waitMs / 1000)} s`);
    }
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    await this.#closedBefore();
    try {
      this.#connection = await ModbusConnection.open(this.#endpoint, clock, this.#memory, timeoutMs, signal);
    } catch (error) {
      this.#backOff();
      throw error;
    }
    this.#generation += 1;
    this.#lastClosed = this.#connection.closed;
    log.debug("modbus link open", { endpoint: name });
    const { connectDelayMs = 0 } = this.#endpoint;
    if (connectDelayMs > 0) await clock.sleep(connectDelayMs, signal);
    return this.#connection;
  }

  /** Gives a connection up that may be half open; the next one may be made at once. */
  drop(connection: ModbusConnection, why: unknown): void {
    connection.destroy();
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#context.log.debug("modbus link lost", { endpoint: endpointName(this.#endpoint), why: String(why) });
  }

  /** Gives a connection up that broke. */
  fail(connection: ModbusConnection, why: unknown): void {
    this.drop(connection, why);
    this.#backOff();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.destroy();
    await this.#closedBefore();
  }

  /** A serial port is locked until its predecessor is closed, and many devices take one connection only. */
  async #closedBefore(): Promise<void> {
    const { signal } = new AbortController();
    try {
      await withDeadline(this.#context.clock, LONGEST_CLOSING_MS, signal, () => this.#lastClosed);
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
    }
  }

  /** The first attempt after a working connection is made at once; each further failure doubles the wait. */
  #backOff(): void {
    const { clock, random } = this.#context;
    const waitMs =
      this.#failures === 0 ? 0 : backoffMs(this.#failures - 1, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, random);
    this.#failures += 1;
    this.#notBeforeMs = clock.elapsedMs() + waitMs;
  }
}
