import type { CommandContext } from "../../kind.ts";
import { OperationError } from "../../kind.ts";
import { type Endpoint, endpointName } from "../link/endpoint.ts";
import { isAwayBehindGateway, ModbusError } from "../link/modbus-error.ts";
import { ModbusLink, type Space } from "../link/modbus-link.ts";
import { ExchangeAnswer, type ExchangeRequest } from "./exchange.ts";
import { readSpace, type WriteOptions, writeSpace } from "./space-access.ts";

/** The bus as a technician's tool sees it: one request after the other, whoever sends them. Throws `ModbusError`. */
export interface FieldBus extends AsyncDisposable {
  /** Who speaks on the bus, for a person. */
  readonly through: "daemon" | "direct";
  readonly name: string;
  /** Registers; bits are 0 and 1. */
  read(unit: number, space: Space, address: number, count: number): Promise<readonly number[]>;
  /** Holding registers, or coils as 0 and 1. */
  write(
    unit: number,
    space: "holding" | "coil",
    address: number,
    values: readonly number[],
    options: WriteOptions,
  ): Promise<void>;
}

/**
 * The bus behind an endpoint: the running daemon's, so that nobody talks at the same time and devices that take one client
 * are left in peace; or a connection of its own where the daemon does not run or has no such bus.
 */
export async function openBus(
  endpoint: Endpoint,
  manners: { readonly timeoutMs: number; readonly gapMs: number },
  context: CommandContext,
): Promise<FieldBus> {
  const name = endpointName(endpoint);
  const known = (await context.askIfRunning("buses")) as { answer: { buses: readonly string[] } } | undefined;
  if (known?.answer.buses.includes(name)) return new DaemonBus(name, manners.timeoutMs, context);
  return new DirectBus(endpoint, manners, context);
}

class DaemonBus implements FieldBus {
  readonly through = "daemon";
  readonly name: string;
  readonly #timeoutMs: number;
  readonly #context: CommandContext;

  constructor(name: string, timeoutMs: number, context: CommandContext) {
    this.name = name;
    this.#timeoutMs = timeoutMs;
    this.#context = context;
  }

  async read(unit: number, space: Space, address: number, count: number): Promise<readonly number[]> {
    return this.#exchange({ unit, read: { space, address, count } });
  }

  async write(
    unit: number,
    space: "holding" | "coil",
    address: number,
    values: readonly number[],
    { fc, mayTear }: WriteOptions,
  ): Promise<void> {
    const write = { space, address, values: [...values], mayTear, ...(fc !== undefined && { fc }) };
    await this.#exchange({ unit, write });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #exchange(what: Omit<ExchangeRequest, "bus" | "timeoutMs">): Promise<readonly number[]> {
    this.#context.signal.throwIfAborted();
    const request: ExchangeRequest = { bus: this.name, timeoutMs: this.#timeoutMs, ...what };
    const answer = ExchangeAnswer.parse(await this.#context.ask("exchange", request));
    if (answer.ok) return answer.values;
    const { fault, message, code, outcomeUnknown } = answer;
    throw new ModbusError(fault, message, { code, outcomeUnknown });
  }
}

class DirectBus implements FieldBus {
  readonly through = "direct";
  readonly name: string;
  readonly #link: ModbusLink;
  readonly #manners: { readonly timeoutMs: number; readonly gapMs: number };
  readonly #signal: AbortSignal;

  constructor(
    endpoint: Endpoint,
    manners: { readonly timeoutMs: number; readonly gapMs: number },
    { clock, log, signal }: CommandContext,
  ) {
    this.name = endpointName(endpoint);
    this.#link = new ModbusLink(endpoint, { clock, log, random: Math.random });
    this.#manners = manners;
    this.#signal = signal;
  }

  read(unit: number, space: Space, address: number, count: number): Promise<readonly number[]> {
    return readSpace(this.#link, { ...this.#manners, unit }, space, address, count, this.#signal);
  }

  write(
    unit: number,
    space: "holding" | "coil",
    address: number,
    values: readonly number[],
    options: WriteOptions,
  ): Promise<void> {
    return writeSpace(this.#link, { ...this.#manners, unit }, space, address, values, options, this.#signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}

/** What went wrong on the bus, in terms of the command line. */
export function operationErrorFrom(error: unknown, doing: string): unknown {
  if (!(error instanceof ModbusError)) return error;
  const message = `${doing}: ${error.detail}`;
  const isSaid = error.fault === "exception" && !isAwayBehindGateway(error.code);
  if (isSaid) return new OperationError("refused", message, { cause: error });
  return new OperationError(error.fault === "argument" ? "invalid" : "unreachable", message, { cause: error });
}
