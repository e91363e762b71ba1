import { setMaxListeners } from "node:events";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { ModbusBehaviour } from "./behaviour.ts";
import { type Answerer, Conversation } from "./conversation.ts";
import type { Framing, ModbusFrame } from "./frame.ts";
import { mbapFraming } from "./mbap.ts";
import {
  answerRequest,
  EXCEPTION,
  exceptionPdu,
  type RegisterBank,
  WRITE_MULTIPLE,
  WRITE_SINGLE,
} from "./modbus-request.ts";
import { ModbusServer } from "./modbus-server.ts";
import { rtuFraming } from "./rtu.ts";
import type { SerialLine } from "./serial-line.ts";
import { WireFaults } from "./wire-faults.ts";

/** A write request as it came, whether or not it was taken. Function 5 and 15 write coils. */
export interface ReceivedWrite {
  readonly address: number;
  readonly values: readonly number[];
  readonly functionCode: number;
}

export interface ModbusDeviceOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly bank: RegisterBank;
  readonly behaviour: ModbusBehaviour;
  readonly unit: number;
  /** What another unit's request gets over TCP: exception 11 as from a gateway, or nothing. On a bus it is nothing. */
  readonly otherUnit: "exception" | "silence";
  /** Chance for faults that hit a share of the answers. */
  readonly random: () => number;
  /** Told of each write that was taken, once it was. */
  readonly onWrite?: ((write: ReceivedWrite) => void) | undefined;
}

const BROADCAST = 0;
const MOST_WRITES_KEPT = 1000;

/** One unit with its registers, and the ways to reach it: TCP in either framing, and serial lines. */
export class ModbusDevice implements Answerer, AsyncDisposable {
  readonly behaviour: ModbusBehaviour;
  readonly faults: WireFaults;
  readonly #options: ModbusDeviceOptions;
  readonly #bank: RegisterBank;
  readonly #stop = new AbortController();
  readonly #servers: ModbusServer[] = [];
  readonly #lines: SerialLine[] = [];
  #writes: ReceivedWrite[] = [];

  constructor(options: ModbusDeviceOptions) {
    this.#options = options;
    // Every answer that is held back listens for the end.
    setMaxListeners(0, this.#stop.signal);
    this.behaviour = options.behaviour;
    this.faults = new WireFaults(options.behaviour, options.random);
    this.#bank = {
      read: (space, address, count) => options.bank.read(space, address, count),
      write: (space, address, values, functionCode) => {
        const write = { address, values, functionCode };
        this.#remember(write);
        if (functionCode === WRITE_MULTIPLE && this.behaviour.rejectsWriteMultiple) return EXCEPTION.illegalFunction;
        if (functionCode === WRITE_SINGLE && this.behaviour.rejectsWriteSingle) return EXCEPTION.illegalFunction;
        const fault = options.bank.write(space, address, values, functionCode);
        if (fault === undefined) options.onWrite?.(write);
        return fault;
      },
    };
  }

  /** The last write requests, newest last, at most 1000; refused ones too. */
  get writes(): readonly ReceivedWrite[] {
    return this.#writes;
  }

  /** Opens a TCP server; port 0 takes a free one. @throws Error when the port is taken */
  async listen(port: number, host: string, framing: "tcp" | "rtu" = "tcp"): Promise<{ host: string; port: number }> {
    const server = new ModbusServer({
      framing: framing === "tcp" ? mbapFraming : rtuFraming,
      answerer: this,
      clock: this.#options.clock,
      log: this.#options.log,
    });
    const address = await server.listen(port, host);
    this.#servers.push(server);
    return address;
  }

  /** Answers on a serial line too, and closes it in the end. */
  attach(line: SerialLine): void {
    this.#lines.push(line);
    new Conversation(line.wire, {
      framing: rtuFraming,
      answerer: this,
      clock: this.#options.clock,
      log: this.#options.log,
      signal: this.#stop.signal,
    });
  }

  /** Resets all connections; clients may come back at once. */
  dropConnections(): void {
    for (const server of this.#servers) server.dropConnections();
  }

  /** All connections are dead from now on and do not say so; clients may open others. */
  killConnections(): void {
    for (const server of this.#servers) server.killConnections();
  }

  answer(request: ModbusFrame, framing: Framing): ModbusFrame | undefined {
    if (framing.isBus && request.unit === BROADCAST) {
      answerRequest(request.pdu, this.#bank);
      return undefined;
    }
    if (request.unit === this.#options.unit) return { ...request, pdu: answerRequest(request.pdu, this.#bank) };
    if (framing.isBus || this.#options.otherUnit === "silence") return undefined;
    return { ...request, pdu: exceptionPdu(request.pdu.readUInt8(0), EXCEPTION.targetSilent) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    const open = [...this.#servers, ...this.#lines];
    this.#servers.length = 0;
    this.#lines.length = 0;
    await Promise.all(open.map((each) => each[Symbol.asyncDispose]()));
  }

  #remember(write: ReceivedWrite): void {
    this.#writes.push(write);
    if (this.#writes.length > MOST_WRITES_KEPT) this.#writes = this.#writes.slice(-MOST_WRITES_KEPT / 2);
  }
}
