import { createServer, type Server, type Socket } from "node:net";

export type Space = "holding" | "input" | "coil" | "discrete";

export interface Request {
  readonly fc: number;
  readonly address: number;
  /** Registers or bits that were asked for or written. */
  readonly count: number;
  readonly values: readonly number[];
}

const READS: Readonly<Record<number, Space>> = { 1: "coil", 2: "discrete", 3: "holding", 4: "input" };
const MAX_REGISTERS = 125;

/**
 * A Modbus TCP device for tests: four tables, of which only what was put there exists. It answers exception 2 for the
 * rest, 1 for functions that it does not have, and nothing for another unit. It shares no code with the adapter.
 */
export class ModbusDevice implements AsyncDisposable {
  readonly unit: number;
  readonly tables: Readonly<Record<Space, Map<number, number>>> = {
    holding: new Map(),
    input: new Map(),
    coil: new Map(),
    discrete: new Map(),
  };
  readonly requests: Request[] = [];
  /** Most registers in one read. */
  maxRead = MAX_REGISTERS;
  /** Function codes that it refuses with exception 1. */
  readonly refusedFunctions = new Set<number>();
  /** Called before a write takes effect; an exception code refuses it, false ignores it and says yes. */
  onWrite: (request: Request) => number | boolean = () => true;
  silent = false;
  /** Answers with bytes that are no Modbus. */
  talksNonsense = false;
  /** Holding registers that may be written and not read. */
  readonly writeOnly = new Set<number>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(unit: number) {
    this.unit = unit;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  get writes(): readonly Request[] {
    return this.requests.filter(({ fc }) => fc === 5 || fc === 6 || fc === 15 || fc === 16);
  }

  /** Registers from an address on. */
  put(space: Space, address: number, ...values: number[]): this {
    for (const [index, value] of values.entries()) this.tables[space].set(address + index, value & 0xffff);
    return this;
  }

  /** A 32-bit value, most significant word first. */
  put32(space: Space, address: number, value: number): this {
    return this.put(space, address, (value >>> 16) & 0xffff, value & 0xffff);
  }

  putFloat(space: Space, address: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatBE(value);
    return this.put(space, address, bytes.readUInt16BE(0), bytes.readUInt16BE(2));
  }

  holding(address: number): number | undefined {
    return this.tables.holding.get(address);
  }

  /** What was written to a register, in order. */
  writtenTo(address: number): readonly number[] {
    return this.writes.flatMap((write) => write.values.filter((_, index) => write.address + index === address));
  }

  async listen(): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return { host: "127.0.0.1", port: address.port };
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dropConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    let held = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= 8 && held.length >= 6 + held.readUInt16BE(4)) {
        const frame = held.subarray(0, 6 + held.readUInt16BE(4));
        held = held.subarray(frame.length);
        if (this.talksNonsense) {
          socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
          continue;
        }
        const answer = this.silent || frame[6] !== this.unit ? undefined : this.#answer(frame.subarray(7));
        if (answer === undefined) continue;
        const head = Buffer.from(frame.subarray(0, 7));
        head.writeUInt16BE(answer.length + 1, 4);
        socket.write(Buffer.concat([head, answer]));
      }
    });
  }

  #answer(pdu: Buffer): Buffer {
    const fc = pdu[0] ?? 0;
    const address = pdu.readUInt16BE(1);
    const refuse = (code: number) => Buffer.from([fc | 0x80, code]);
    if (this.refusedFunctions.has(fc)) return refuse(1);
    const space = READS[fc];
    if (space !== undefined) return this.#read(fc, space, address, pdu.readUInt16BE(3)) ?? refuse(2);
    const values = writtenValues(fc, pdu);
    if (values === undefined) return refuse(1);
    const request: Request = { fc, address, count: values.length, values };
    this.requests.push(request);
    const verdict = this.onWrite(request);
    if (typeof verdict === "number") return refuse(verdict);
    const table = this.tables[fc === 5 || fc === 15 ? "coil" : "holding"];
    const exists = values.every((_, index) => table.has(address + index) || this.writeOnly.has(address + index));
    if (!exists) return refuse(2);
    if (verdict) for (const [index, value] of values.entries()) table.set(address + index, value);
    return Buffer.from(pdu.subarray(0, 5));
  }

  #read(fc: number, space: Space, address: number, count: number): Buffer | undefined {
    this.requests.push({ fc, address, count, values: [] });
    const isBits = fc < 3;
    if (count < 1 || count > (isBits ? 2000 : this.maxRead)) return Buffer.from([fc | 0x80, 3]);
    const values = Array.from({ length: count }, (_, index) =>
      space === "holding" && this.writeOnly.has(address + index) ? undefined : this.tables[space].get(address + index),
    );
    if (values.includes(undefined)) return undefined;
    const body = isBits ? Buffer.alloc(Math.ceil(count / 8)) : Buffer.alloc(count * 2);
    for (const [index, value = 0] of values.entries()) {
      if (!isBits) body.writeUInt16BE(value, index * 2);
      else if (value) body[index >> 3] = (body[index >> 3] ?? 0) | (1 << (index & 7));
    }
    return Buffer.concat([Buffer.from([fc, body.length]), body]);
  }
}

function writtenValues(fc: number, pdu: Buffer): number[] | undefined {
  if (fc === 5) return [pdu.readUInt16BE(3) === 0xff00 ? 1 : 0];
  if (fc === 6) return [pdu.readUInt16BE(3)];
  const count = fc === 15 || fc === 16 ? pdu.readUInt16BE(3) : 0;
  if (fc === 15) return Array.from({ length: count }, (_, index) => ((pdu[6 + (index >> 3)] ?? 0) >> (index & 7)) & 1);
  if (fc === 16) return Array.from({ length: count }, (_, index) => pdu.readUInt16BE(6 + index * 2));
  return undefined;
}
