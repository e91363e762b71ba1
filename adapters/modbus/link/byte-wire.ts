import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, DeadlineError, withDeadline } from "../../../src/clock.ts";
import { type Endpoint, endpointName, type SerialLine, type TcpEndpoint } from "./endpoint.ts";
import { ModbusError, messageOf } from "./modbus-error.ts";

const KEEP_ALIVE_MS = 30_000;

/** An open way for bytes to an endpoint. */
export interface ByteWire {
  readonly stream: Duplex;
  /** Gives it up; what was in flight is lost. */
  destroy(): void;
  /** Resolves when nothing of it is open any more. */
  readonly closed: Promise<void>;
}

/**
 * Opens a socket or a serial port within `timeoutMs`; leaves nothing behind if it fails.
 * @throws ModbusError `closed` or `timeout`
 */
export async function openWire(
  endpoint: Endpoint,
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ByteWire> {
  signal.throwIfAborted();
  const name = endpointName(endpoint);
  try {
    return "serial" in endpoint
      ? await openSerial(endpoint.serial, clock, timeoutMs, signal)
      : await openSocket(endpoint, clock, timeoutMs, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof DeadlineError) {
      throw new ModbusError("timeout", `no connection to ${name} within ${timeoutMs} ms`, { cause: error });
    }
    throw new ModbusError("closed", `no connection to ${name}: ${messageOf(error)}`, { cause: error });
  }
}

async function openSocket(
  { host, port }: TcpEndpoint,
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ByteWire> {
  const socket = connect({ host, port });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // Whoever uses the wire listens too; a socket that failed to connect has nobody else.
  socket.on("error", () => {});
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
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return { stream: socket, destroy: () => void socket.destroy(), closed };
}

async function openSerial(line: SerialLine, clock: Clock, timeoutMs: number, signal: AbortSignal): Promise<ByteWire> {
  const { path, baudRate, parity, stopBits } = line;
  // An optional dependency with a native part: loaded only where a serial bus is used.
  const { SerialPort } = await import("serialport").catch((error: unknown) => {
    throw new Error(`the package "serialport" is not installed on this machine (${messageOf(error)})`);
  });
  const port = new SerialPort({ path, baudRate, parity, stopBits, dataBits: 8, autoOpen: false });
  let destroyed = false;
  let onClosed: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    onClosed = resolve;
  });
  port.once("close", onClosed);
  port.on("error", () => {});
  const opening = new Promise<void>((resolve, reject) => {
    port.open((error) => {
      if (error !== null && error !== undefined) {
        onClosed();
        reject(new Error(explained(error.message)));
      } else {
        resolve();
        // Too late for whoever waited.
        if (destroyed) port.close();
      }
    });
  });
  const destroy = () => {
    if (destroyed) return;
    destroyed = true;
    if (port.isOpen) port.close();
    else if (!port.opening) onClosed();
  };
  try {
    await withDeadline(clock, timeoutMs, signal, () => opening);
  } catch (error) {
    destroy();
    throw error;
  }
  return { stream: port, destroy, closed };
}

function explained(message: string): string {
  return /cannot lock port/i.test(message)
    ? `${message}; another program holds it, perhaps the daemon: name its config with --config and it is asked instead`
    : message;
}
