import { type ChildProcess, execFile, spawn } from "node:child_process";
import { close, constants, open, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { ReadStream } from "node:tty";
import { promisify } from "node:util";
import type { Wire } from "./conversation.ts";

const TERMINAL_FLAGS = constants.O_RDWR | constants.O_NOCTTY;

/** How bytes go over a serial line. Eight data bits, one stop bit. */
export interface SerialFormat {
  readonly baud: number;
  readonly parity: "none" | "even" | "odd";
}

/** A serial line that is open; closing it gives the port back. */
export interface SerialLine extends AsyncDisposable {
  readonly wire: Wire;
  /** Where a client opens its end; for a port of the machine the port itself. */
  readonly path: string;
}

/** The line can't be had; the message says why. */
export class SerialLineError extends Error {
  override readonly name = "SerialLineError";
}

const PARITY_FLAGS = { none: ["-parenb"], even: ["parenb", "-parodd"], odd: ["parenb", "parodd"] } as const;

/** Opens a serial port of this machine. @throws SerialLineError */
export async function openSerialPort(path: string, format: SerialFormat): Promise<SerialLine> {
  const settings = [String(format.baud), "raw", "-echo", "cs8", "-cstopb", ...PARITY_FLAGS[format.parity]];
  try {
    await promisify(execFile)("stty", ["-F", path, ...settings]);
    const port = new ReadStream(openSync(path, TERMINAL_FLAGS | constants.O_NONBLOCK));
    port.on("error", () => {});
    return {
      path,
      wire: { input: port, output: port, reset: () => {}, giveUp: () => {} },
      [Symbol.asyncDispose]: async () => {
        port.destroy();
      },
    };
  } catch (error) {
    throw new SerialLineError(`${path} cannot be opened as a serial port: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Makes a pseudo-terminal: a serial port that is no hardware, for clients on this machine. Node cannot make one, so that
 * the program `socat` does.
 * @param link name under which it appears; without, the one that the system gives
 * @throws SerialLineError where socat is missing or can't make one
 */
export async function openPseudoTerminal(link: string | undefined): Promise<SerialLine> {
  const address = ["PTY", "raw", "echo=0", ...(link === undefined ? [] : [`link=${link}`])].join(",");
  const socat = spawn("socat", ["-d", "-d", address, "STDIO"], { stdio: ["pipe", "pipe", "pipe"] });
  socat.stdin.on("error", () => {});
  const path = await terminalOf(socat);
  // The first client that closed it would end socat, were it not open here too.
  const held = await promisify(open)(path, TERMINAL_FLAGS);
  return {
    path: link ?? path,
    wire: { input: socat.stdout, output: socat.stdin, reset: () => {}, giveUp: () => {} },
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => socat.once("close", resolve));
      const isRunning = socat.exitCode === null && socat.signalCode === null;
      socat.kill();
      await promisify(close)(held);
      if (isRunning) await ended;
    },
  };
}

/** The terminal that socat made, once it passes bytes. */
function terminalOf(socat: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let path = "";
    let said = "";
    socat.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "ENOENT" ? "the program socat is not installed (Debian: apt install socat)" : error.message;
      reject(new SerialLineError(`a pseudo-terminal cannot be made: ${why}`, { cause: error }));
    });
    socat.once("close", () => reject(new SerialLineError(`a pseudo-terminal cannot be made: socat says: ${said}`)));
    if (socat.stderr === null) return;
    createInterface(socat.stderr).on("line", (line) => {
      said = line;
      path = /PTY is (\S+)/.exec(line)?.[1] ?? path;
      if (path !== "" && line.includes("starting data transfer")) resolve(path);
    });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error);
}
