import { connect, type Socket } from "node:net";
import modbusSerial from "modbus-serial";
import { type Clock, DeadlineError, withDeadline } from "../../../src/clock.ts";
import { exceptionText, ModbusError } from "./modbus-error.ts";

// The package is CommonJS whose type says "default"; under nodenext the class sits one level down.
const ModbusRTU = modbusSerial.default;
type Codec = InstanceType<typeof ModbusRTU>;
type Answer<T> = (error: unknown, result: T | undefined) => void;

const KEEP_ALIVE_MS = 30_000;

/** Address of a Modbus TCP endpoint. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * One TCP connection with one request in flight. The socket, the deadline and the promise are ours: the codec
 * loses requests when a connection is reset or destroyed. A connection that failed once is thrown away, because a late
 * answer would be taken for the answer to a later request.
 */
export class ModbusConnection {
  readonly #socket: Socket;
  readonly #codec: Codec = new ModbusRTU();
  #whyClosed: string | undefined;
  #rejectInFlight: ((error: ModbusError) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", (error: Error) => this.#gone(error.message));
    socket.on("end", () => this.#gone("the device closed the connection"));
    socket.on("close", () => this.#gone("the connection closed"));
  }

  /**
   * Connects within `timeoutMs`; leaves no socket behind if it fails.
   * @throws ModbusError `closed` or `timeout`
   */
  static async open(
    endpoint: Endpoint,
    clock: Clock,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ModbusConnection> {
    const where = `${endpoint.host}:${endpoint.port}`;
    signal.throwIfAborted();
    const socket = connect({ host: endpoint.host, port: endpoint.port });
    const connection = new ModbusConnection(socket);
    try {
      await withDeadline(
        clock,
        timeoutMs,
        signal,
        () =>
          new Promise<void>((resolve, reject) => {
            socket.once("connect", resolve);
            socket.once("error", reject);
            socket.once("close", () => reject(new Error("closed while connecting")));
          }),
      );
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      connection.#codec.on("error", (error) => connection.#gone(String(error)));
      await connection.#codec.linkTCP(socket, { port: endpoint.port });
      return connection;
    } catch (error) {
      connection.destroy();
      if (signal.aborted) throw signal.reason;
      if (error instanceof DeadlineError) {
        throw new ModbusError("timeout", `no connection to ${where} within ${timeoutMs} ms`, { cause: error });
      }
      throw new ModbusError("closed", `no connection to ${where}: ${messageOf(error)}`, { cause: error });
    }
  }

  get isOpen(): boolean {
    return this.#whyClosed === undefined;
  }

  /** Function 3, or 4 for input registers. @throws ModbusError */
  async read(
    unit: number,
    address: number,
    count: number,
    space: "holding" | "input" = "holding",
  ): Promise<readonly number[]> {
    const { data } = await this.#ask<{ data: number[] }>((answer) =>
      space === "input"
        ? this.#codec.writeFC4(unit, address, count, answer)
        : this.#codec.writeFC3(unit, address, count, answer),
    );
    // The codec checks the length of the frame, not the byte count inside it.
    if (data.length !== count) throw new ModbusError("format", `asked for ${count} registers, got ${data.length}`);
    return data;
  }

  /** Function 1, or 2 for discrete inputs. @throws ModbusError */
  async readBits(
    unit: number,
    address: number,
    count: number,
    space: "coil" | "discrete",
  ): Promise<readonly boolean[]> {
    const { data } = await this.#ask<{ data: boolean[] }>((answer) =>
      space === "discrete"
        ? this.#codec.writeFC2(unit, address, count, answer)
        : this.#codec.writeFC1(unit, address, count, answer),
    );
    // Bits come in whole bytes, so more may be there than were asked for.
    if (data.length < count) throw new ModbusError("format", `asked for ${count} bits, got ${data.length}`);
    return data.slice(0, count);
  }

  /** Function 15. @throws ModbusError */
  async writeCoils(unit: number, address: number, values: readonly boolean[]): Promise<void> {
    const echo = await this.#ask<{ address: number; length: number }>((answer) =>
      this.#codec.writeFC15(unit, address, [...values], answer),
    );
    if (echo.address !== address || echo.length !== values.length) {
      const asked = `${values.length} coils at ${address}`;
      throw new ModbusError("format", `wrote ${asked}, the answer confirms ${echo.length} at ${echo.address}`);
    }
  }

  /** Function 16. @throws ModbusError */
  async writeMany(unit: number, address: number, values: readonly number[]): Promise<void> {
    const echo = await this.#ask<{ address: number; length: number }>((answer) =>
      this.#codec.writeFC16(unit, address, [...values], answer),
    );
    if (echo.address !== address || echo.length !== values.length) {
      const asked = `${values.length} registers at ${address}`;
      throw new ModbusError("format", `wrote ${asked}, the answer confirms ${echo.length} at ${echo.address}`);
    }
  }

  /** Function 6. @throws ModbusError */
  async writeOne(unit: number, address: number, value: number): Promise<void> {
    const echo = await this.#ask<{ address: number; value: number }>((answer) =>
      this.#codec.writeFC6(unit, address, value, answer),
    );
    if (echo.address !== address || echo.value !== value) {
      throw new ModbusError("format", `wrote ${value} to ${address}, the answer says ${echo.value} at ${echo.address}`);
    }
  }

  destroy(): void {
    this.#gone("closed by us");
    this.#socket.destroy();
  }

  #ask<T>(send: (answer: Answer<T>) => void): Promise<T> {
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
      send((error, result) => {
        this.#rejectInFlight = undefined;
        if (error || result === undefined) reject(faultOf(error));
        else resolve(result);
      });
    });
  }

  #gone(why: string): void {
    this.#whyClosed ??= why;
    const reject = this.#rejectInFlight;
    this.#rejectInFlight = undefined;
    reject?.(new ModbusError("closed", why));
    this.#socket.destroy();
  }
}

/** The codec's errors are plain objects, some of them not even an `Error`. */
function faultOf(error: unknown): ModbusError {
  if (typeof error === "object" && error !== null) {
    if ("modbusCode" in error && typeof error.modbusCode === "number") {
      return new ModbusError("exception", exceptionText(error.modbusCode), { code: error.modbusCode, cause: error });
    }
    if ("errno" in error) return new ModbusError("closed", messageOf(error), { cause: error });
  }
  return new ModbusError("format", messageOf(error), { cause: error });
}

function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}
