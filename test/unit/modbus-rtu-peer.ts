import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../support/wait-for.ts";

export interface RtuRequest {
  readonly unit: number;
  readonly functionCode: number;
  readonly address: number;
  /** Count of a read or function 16, value of function 6. */
  readonly operand: number;
  readonly bytes: Buffer;
}

/** Bitwise, apart from the code under test. */
function checksum(bytes: Buffer): Buffer {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return Buffer.from([crc & 0xff, crc >> 8]);
}

export function rtuFrame(bytes: readonly number[]): Buffer {
  const body = Buffer.from(bytes);
  return Buffer.concat([body, checksum(body)]);
}

/** The right answer: each register holds its own address; what is written is confirmed. */
export function rightAnswer({ unit, functionCode, address, operand }: RtuRequest): Buffer {
  switch (functionCode) {
    case 1:
    case 2: {
      const bytes = Array.from({ length: Math.ceil(operand / 8) }, () => 0b0101_0101);
      return rtuFrame([unit, functionCode, bytes.length, ...bytes]);
    }
    case 3:
    case 4: {
      const bytes = Array.from({ length: operand }, (_, i) => [(address + i) >> 8, (address + i) & 0xff]).flat();
      return rtuFrame([unit, functionCode, bytes.length, ...bytes]);
    }
    default:
      return rtuFrame([unit, functionCode, address >> 8, address & 0xff, operand >> 8, operand & 0xff]);
  }
}

/**
 * A serial bus with devices on it, reached as a plain TCP bridge or, with `asTty`, as a terminal. It answers as the test says.
 */
export class RtuPeer implements AsyncDisposable {
  readonly requests: RtuRequest[] = [];
  connections = 0;
  /** The adapter hears itself: what is sent comes back first. */
  echoes = false;
  answer: (request: RtuRequest, nth: number) => void = (request) => this.say(rightAnswer(request));
  #bus: Socket | undefined;
  #socat: (() => Promise<void>) | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), "modbus-rtu-"));
  readonly #server: Server = createServer((socket) => {
    this.connections += 1;
    this.#bus = socket;
    socket.on("error", () => {});
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      if (this.echoes) socket.write(chunk);
      rest = Buffer.concat([rest, chunk]);
      for (let length = lengthOf(rest); length !== undefined && rest.length >= length; length = lengthOf(rest)) {
        const bytes = rest.subarray(0, length);
        rest = rest.subarray(length);
        if (!checksum(bytes.subarray(0, -2)).equals(bytes.subarray(-2)))
          throw new Error("a request with a bad checksum");
        const request = {
          unit: bytes.readUInt8(0),
          functionCode: bytes.readUInt8(1),
          address: bytes.readUInt16BE(2),
          operand: bytes.readUInt16BE(4),
          bytes,
        };
        this.requests.push(request);
        this.answer(request, this.requests.length);
      }
    });
  });

  async listen(): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("not listening");
    return { host: "127.0.0.1", port: address.port };
  }

  /** A terminal that leads to the bus; socat bridges. */
  async asTty(): Promise<string> {
    const { port } = await this.listen();
    const path = join(this.#folder, "tty");
    const socat = spawn("socat", [`PTY,link=${path},raw,echo=0,wait-slave=0`, `TCP:127.0.0.1:${port}`]);
    const exited = once(socat, "exit");
    this.#socat = async () => {
      socat.kill();
      await exited;
    };
    await waitFor("the terminal", () => existsSync(path) && this.connections > 0);
    return path;
  }

  /** Pulls the plug of the terminal. */
  async unplug(): Promise<void> {
    await this.#socat?.();
    this.#socat = undefined;
  }

  say(bytes: Buffer): void {
    this.#bus?.write(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unplug();
    this.#bus?.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function lengthOf(bytes: Buffer): number | undefined {
  if (bytes.length < 8) return undefined;
  const functionCode = bytes.readUInt8(1);
  return functionCode === 15 || functionCode === 16 ? 9 + bytes.readUInt8(6) : 8;
}
