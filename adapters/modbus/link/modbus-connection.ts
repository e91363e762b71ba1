import modbusSerial from "modbus-serial";
import type { Clock } from "../../../src/clock.ts";
import { type ByteWire, openWire } from "./byte-wire.ts";
import { Deadline } from "./deadline.ts";
import { type Endpoint, isRtu, lineTimeMs } from "./endpoint.ts";
import type { Aftermath, FramedPort } from "./framed-port.ts";
import { MbapPort } from "./mbap-port.ts";
import { exceptionText, ModbusError, messageOf } from "./modbus-error.ts";
import type { Overdue } from "./owed-answers.ts";
import { type LineMemory, RtuPort } from "./rtu-port.ts";

// The package is CommonJS whose type says "default"; under nodenext the class sits one level down.
const ModbusRTU = modbusSerial.default;
type Codec = InstanceType<typeof ModbusRTU>;
type Answer<T> = (error: unknown, result: T | undefined) => void;

const READ_REQUEST_BYTES = 8;
const ECHO_BYTES = 8;

interface Ask extends Overdue {
  readonly unit: number;
  readonly timeoutMs: number;
  readonly isWrite: boolean;
  /** Bytes of request and answer together. */
  readonly bytes: number;
}

/**
 * One connection with one request in flight. The wire, the framing, the deadline and the promise are ours: the codec's
 * own ports lose requests when a connection is reset or destroyed, and take late answers for those to later requests.
 * The codec writes requests and reads answers.
 */
export class ModbusConnection {
  readonly #endpoint: Endpoint;
  readonly #wire: ByteWire;
  readonly #port: FramedPort;
  readonly #codec: Codec;
  readonly #deadline: Deadline;
  #whyClosed: string | undefined;
  #rejectInFlight: ((error: ModbusError) => void) | undefined;
  #asked: Ask | undefined;
  #overdueAsk: Overdue | undefined;
  /** Units that answered since somebody last kept us waiting in vain. */
  readonly #answered = new Set<number>();

  private constructor(endpoint: Endpoint, wire: ByteWire, clock: Clock, memory: LineMemory) {
    this.#endpoint = endpoint;
    this.#wire = wire;
    this.#deadline = new Deadline(clock);
    this.#port = isRtu(endpoint) ? new RtuPort(wire.stream, clock, memory) : new MbapPort(wire.stream);
    this.#port.on("garbage", (what: string) => this.#broken(what));
    wire.stream.on("error", (error: Error) => this.#gone(error.message));
    wire.stream.on("end", () => this.#gone("the device closed the connection"));
    wire.stream.on("close", () => this.#gone("the connection closed"));
    this.#codec = new ModbusRTU(this.#port);
    // The port is open already; the codec begins to listen to it.
    this.#codec.open();
    this.#codec.on("error", (error) => this.#gone(messageOf(error)));
  }

  /**
   * Connects within `timeoutMs`; leaves nothing open if it fails.
   * @throws ModbusError `closed` or `timeout`
   */
  static async open(
    endpoint: Endpoint,
    clock: Clock,
    memory: LineMemory,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ModbusConnection> {
    const wire = await openWire(endpoint, clock, timeoutMs, signal);
    return new ModbusConnection(endpoint, wire, clock, memory);
  }

  /** The request that was last not answered in time. */
  get overdue(): Overdue | undefined {
    return this.#overdueAsk;
  }

  get isOpen(): boolean {
    return this.#whyClosed === undefined;
  }

  /** Resolves when the socket or port is really gone; a serial port can't be opened again before. */
  get closed(): Promise<void> {
    return this.#wire.closed;
  }

  /** Function 3 or 4. @throws ModbusError */
  async readRegisters(
    code: 3 | 4,
    unit: number,
    address: number,
    count: number,
    timeoutMs: number,
  ): Promise<readonly number[]> {
    const ask = { code, unit, address, count, timeoutMs, isWrite: false, bytes: READ_REQUEST_BYTES + 5 + 2 * count };
    const { data } = await this.#ask<{ data: number[] }>(ask, (answer) =>
      code === 3
        ? this.#codec.writeFC3(unit, address, count, answer)
        : this.#codec.writeFC4(unit, address, count, answer),
    );
    // The codec checks the length of the frame, not the byte count inside it.
    if (data.length !== count) throw new ModbusError("format", `asked for ${count} registers, got ${data.length}`);
    return data;
  }

  /** Function 1 or 2. @throws ModbusError */
  async readBits(
    code: 1 | 2,
    unit: number,
    address: number,
    count: number,
    timeoutMs: number,
  ): Promise<readonly boolean[]> {
    const bytes = READ_REQUEST_BYTES + 5 + Math.ceil(count / 8);
    const ask = { code, unit, address, count, timeoutMs, isWrite: false, bytes };
    const { data } = await this.#ask<{ data: boolean[] }>(ask, (answer) =>
      code === 1
        ? this.#codec.writeFC1(unit, address, count, answer)
        : this.#codec.writeFC2(unit, address, count, answer),
    );
    // Bits come in whole bytes.
    if (data.length !== Math.ceil(count / 8) * 8) {
      throw new ModbusError("format", `asked for ${count} bits, got ${data.length}`);
    }
    return data.slice(0, count);
  }

  /** Function 16. @throws ModbusError */
  async writeMany(unit: number, address: number, values: readonly number[], timeoutMs: number): Promise<void> {
    const count = values.length;
    const ask = { code: 16, unit, address, count, timeoutMs, isWrite: true, bytes: 9 + 2 * count + ECHO_BYTES };
    const echo = await this.#ask<{ address: number; length: number }>(ask, (answer) =>
      this.#codec.writeFC16(unit, address, [...values], answer),
    );
    this.#confirm("registers", address, values.length, echo);
  }

  /** Function 6. @throws ModbusError */
  async writeOne(unit: number, address: number, value: number, timeoutMs: number): Promise<void> {
    const bytes = READ_REQUEST_BYTES + ECHO_BYTES;
    const ask = { code: 6, unit, address, count: 1, timeoutMs, isWrite: true, bytes };
    const echo = await this.#ask<{ address: number; value: number }>(ask, (answer) =>
      this.#codec.writeFC6(unit, address, value, answer),
    );
    if (echo.address !== address || echo.value !== value) {
      throw new ModbusError(
        "format",
        `wrote ${value} to ${address}, the answer says ${echo.value} at ${echo.address}`,
        {
          outcomeUnknown: true,
        },
      );
    }
  }

  /** Function 5. @throws ModbusError */
  async writeCoil(unit: number, address: number, value: boolean, timeoutMs: number): Promise<void> {
    const bytes = READ_REQUEST_BYTES + ECHO_BYTES;
    const ask = { code: 5, unit, address, count: 1, timeoutMs, isWrite: true, bytes };
    const echo = await this.#ask<{ address: number; state: boolean }>(ask, (answer) =>
      this.#codec.writeFC5(unit, address, value, answer),
    );
    if (echo.address !== address || echo.state !== value) {
      throw new ModbusError(
        "format",
        `set coil ${address} to ${value}, the answer says ${echo.state} at ${echo.address}`,
        {
          outcomeUnknown: true,
        },
      );
    }
  }

  /** Function 15. @throws ModbusError */
  async writeCoils(unit: number, address: number, values: readonly boolean[], timeoutMs: number): Promise<void> {
    const count = values.length;
    const bytes = 9 + Math.ceil(count / 8) + ECHO_BYTES;
    const ask = { code: 15, unit, address, count, timeoutMs, isWrite: true, bytes };
    const echo = await this.#ask<{ address: number; length: number }>(ask, (answer) =>
      this.#codec.writeFC15(unit, address, [...values], answer),
    );
    this.#confirm("coils", address, values.length, echo);
  }

  /** After a timeout or a damaged answer: waits until the overdue answer can do no harm, at most `ms`. */
  quiet(ms: number): Promise<Aftermath> {
    return this.#port.quiet(ms);
  }

  /**
   * To be asked after a timeout: did others behind the same endpoint answer since the last one? Then only this unit is away,
   * else the connection itself may be dead without having said so.
   */
  othersAnswered(unit: number): boolean {
    const others = [...this.#answered].some((one) => one !== unit);
    this.#answered.clear();
    return others;
  }

  destroy(): void {
    this.#gone("closed by us");
  }

  #confirm(what: string, address: number, count: number, echo: { address: number; length: number }): void {
    if (echo.address === address && echo.length === count) return;
    const told = `${echo.length} at ${echo.address}`;
    throw new ModbusError("format", `wrote ${count} ${what} at ${address}, the answer confirms ${told}`, {
      outcomeUnknown: true,
    });
  }

  #ask<T>(ask: Ask, send: (answer: Answer<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#whyClosed !== undefined) {
        reject(new ModbusError("closed", this.#whyClosed));
        return;
      }
      if (this.#rejectInFlight !== undefined) {
        reject(new ModbusError("busy", "a request is already in flight on this connection"));
        return;
      }
      this.#rejectInFlight = reject;
      this.#asked = ask;
      this.#deadline.set(ask.timeoutMs + lineTimeMs(this.#endpoint, ask.bytes), () => this.#overdue(ask));
      const answer: Answer<T> = (error, result) => {
        if (this.#asked !== ask) return;
        this.#done();
        if (error || result === undefined) {
          const fault = faultOf(error, ask);
          if (fault.fault === "exception") this.#answered.add(ask.unit);
          reject(fault);
        } else {
          this.#answered.add(ask.unit);
          resolve(result);
        }
      };
      try {
        send(answer);
      } catch (error) {
        this.#done();
        reject(new ModbusError("argument", messageOf(error), { cause: error }));
      }
    });
  }

  /** The answer may already be here and only wait for its turn, when the machine is busy. */
  #overdue(ask: Ask): void {
    setImmediate(() => {
      if (this.#asked !== ask) return;
      const reject = this.#rejectInFlight;
      const stray = this.#port.strayBytes;
      this.#port.abandon();
      this.#done();
      this.#overdueAsk = ask;
      const instead = stray === 0 ? "" : `; ${stray} bytes came that are no answer to it${this.#hint}`;
      reject?.(
        new ModbusError("timeout", `unit ${ask.unit} did not answer within ${ask.timeoutMs} ms${instead}`, {
          outcomeUnknown: ask.isWrite,
        }),
      );
    });
  }

  get #hint(): string {
    return "serial" in this.#endpoint ? " (baud rate and parity right?)" : "";
  }

  #done(): void {
    this.#rejectInFlight = undefined;
    this.#asked = undefined;
    this.#deadline.clear();
  }

  /** On a serial line the next frame begins anew; in a TCP stream nobody knows where it would. */
  #broken(what: string): void {
    const [reject, ask] = [this.#rejectInFlight, this.#asked];
    this.#port.abandon();
    this.#done();
    const where = isRtu(this.#endpoint) ? `${what}${this.#hint}` : what;
    reject?.(new ModbusError("format", where, { outcomeUnknown: ask?.isWrite ?? false }));
    if (!isRtu(this.#endpoint)) this.#gone(what);
  }

  #gone(why: string): void {
    this.#whyClosed ??= why;
    const [reject, ask] = [this.#rejectInFlight, this.#asked];
    this.#done();
    this.#deadline.close();
    reject?.(new ModbusError("closed", why, { outcomeUnknown: ask?.isWrite ?? false }));
    this.#wire.destroy();
  }
}

/** The codec's errors are plain objects, some of them not even an `Error`. */
function faultOf(error: unknown, { isWrite }: Ask): ModbusError {
  if (typeof error === "object" && error !== null) {
    if ("modbusCode" in error && typeof error.modbusCode === "number") {
      return new ModbusError("exception", exceptionText(error.modbusCode), { code: error.modbusCode, cause: error });
    }
    if ("errno" in error) return new ModbusError("closed", messageOf(error), { cause: error });
  }
  return new ModbusError("format", messageOf(error), { cause: error, outcomeUnknown: isWrite });
}
