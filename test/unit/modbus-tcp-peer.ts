import { createServer, type Server, type Socket } from "node:net";

export interface Request {
  readonly transaction: number;
  readonly unit: number;
  readonly functionCode: number;
  readonly address: number;
  /** Count of a read or function 16, value of function 6. */
  readonly operand: number;
  readonly socket: Socket;
}

/** A peer that answers each request as the test says; it notes what it was asked. */
export class Peer {
  readonly requests: Request[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  answer: (request: Request, nth: number) => void = (request) => reply(request);
  readonly #server: Server = createServer((socket) => {
    this.connections += 1;
    this.sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.sockets.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 6 && rest.length >= 6 + rest.readUInt16BE(4)) {
        const frame = rest.subarray(0, 6 + rest.readUInt16BE(4));
        rest = rest.subarray(frame.length);
        const request: Request = {
          transaction: frame.readUInt16BE(0),
          unit: frame.readUInt8(6),
          functionCode: frame.readUInt8(7),
          address: frame.readUInt16BE(8),
          operand: frame.readUInt16BE(10),
          socket,
        };
        this.requests.push(request);
        this.answer(request, this.requests.length);
      }
    });
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function send(
  request: Request,
  pdu: readonly number[],
  unit = request.unit,
  transaction = request.transaction,
): void {
  const frame = Buffer.alloc(7 + pdu.length);
  frame.writeUInt16BE(transaction, 0);
  frame.writeUInt16BE(pdu.length + 1, 4);
  frame.writeUInt8(unit, 6);
  Buffer.from(pdu).copy(frame, 7);
  request.socket.write(frame);
}

/** The right answer: a read gives each register its own address as the value. */
export function reply(request: Request): void {
  const { functionCode, address, operand } = request;
  if (functionCode !== 3) {
    send(request, [functionCode, address >> 8, address & 0xff, operand >> 8, operand & 0xff]);
    return;
  }
  const bytes = Array.from({ length: operand }, (_, i) => [(address + i) >> 8, (address + i) & 0xff]).flat();
  send(request, [3, bytes.length, ...bytes]);
}
