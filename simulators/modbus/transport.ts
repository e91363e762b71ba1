import { CliError, EXIT } from "../../src/cli/exit-code.ts";
import { oneOf, optionalNumberOf, type SimContext, type SimOptions, textOf, wholeOf } from "../sim-options.ts";
import type { FramingName } from "./frame.ts";
import type { ReceivedWrite } from "./modbus-device.ts";
import { openPseudoTerminal, openSerialPort, type SerialLine, SerialLineError } from "./serial-line.ts";

/** Where a simulated Modbus device is reached, as the command line says it. */
export const transportOptions = [
  { flags: "--host <host>", description: "address to listen on", defaultValue: "127.0.0.1" },
  { flags: "--port <port>", description: "0 takes a free one", defaultValue: "5020" },
  { flags: "--framing <framing>", description: "over TCP: tcp, or rtu for RTU over TCP", defaultValue: "tcp" },
  { flags: "--pty [link]", description: "instead of TCP, RTU on a pseudo-terminal under this name; needs socat" },
  { flags: "--serial <path>", description: "instead of TCP, RTU on a serial port" },
  { flags: "--baud <rate>", description: "of the serial port", defaultValue: "9600" },
  { flags: "--parity <parity>", description: "of the serial port: none, even or odd", defaultValue: "none" },
  { flags: "--unit <id>", description: "Modbus unit id", defaultValue: "1" },
  {
    flags: "--other-unit <answer>",
    description: "what another unit's request gets over TCP: exception (11) or silence",
    defaultValue: "exception",
  },
  { flags: "--max-clients <number>", description: "one connection more is reset", defaultValue: "4" },
  { flags: "--for <seconds>", description: "end by itself" },
] as const;

/** How a device is addressed. */
export interface Address {
  readonly unit: number;
  readonly otherUnit: "exception" | "silence";
  readonly maxConnections: number;
}

/** @throws CliError */
export function addressOf(options: SimOptions): Address {
  return {
    unit: wholeOf(options, "unit", 1, 255),
    otherUnit: oneOf(options, "otherUnit", ["exception", "silence"]),
    maxConnections: wholeOf(options, "maxClients", 1, 10_000),
  };
}

/** Something that can be reached over Modbus. */
export interface Reachable {
  listen(port: number, host: string, framing: FramingName): Promise<{ host: string; port: number }>;
  attach(line: SerialLine): void;
}

/**
 * Opens the way to a device that the options name, says where it is, and waits until the run is over.
 * @throws CliError for options that make no sense, or a way that can't be opened
 */
export async function serve(device: Reachable, options: SimOptions, context: SimContext): Promise<void> {
  const forS = optionalNumberOf(options, "for", 0, 31_536_000);
  const framing = oneOf(options, "framing", ["tcp", "rtu"]);
  const line = await lineOf(options);
  if (line === undefined) {
    const host = textOf(options, "host");
    const address = await device.listen(wholeOf(options, "port", 0, 65_535), host, framing);
    context.onListening(`${framing === "tcp" ? "modbus" : "modbus-rtu"}://${address.host}:${address.port}`);
  } else {
    device.attach(line);
    context.onListening(line.path);
  }
  await over(context, forS);
}

/** Tells each write that a device took: what a client does to it is what is looked for. */
export function writeEvents({ onEvent }: SimContext): (write: ReceivedWrite) => void {
  return ({ address, values, functionCode }) =>
    onEvent(
      { event: "write", address, values, functionCode },
      `write ${address}: ${values.join(" ")} (function ${functionCode})`,
    );
}

async function lineOf(options: SimOptions): Promise<SerialLine | undefined> {
  const { pty, serial } = options;
  const format = {
    baud: wholeOf(options, "baud", 50, 4_000_000),
    parity: oneOf(options, "parity", ["none", "even", "odd"]),
  };
  try {
    if (typeof serial === "string") return await openSerialPort(serial, format);
    if (pty === undefined || pty === false) return undefined;
    return await openPseudoTerminal(typeof pty === "string" ? pty : undefined);
  } catch (error) {
    if (error instanceof SerialLineError) throw new CliError(EXIT.failed, error.message, { cause: error });
    throw error;
  }
}

async function over({ clock, signal }: SimContext, forS: number | undefined): Promise<void> {
  if (signal.aborted) return;
  if (forS !== undefined) {
    await clock.sleep(forS * 1000, signal).catch(() => {});
    return;
  }
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
