import { type AddressInfo, createServer, type Socket } from "node:net";
import { ModbusError } from "../../adapters/modbus/link/modbus-error.ts";
import type { RegisterImage } from "./sunspec-register-image.ts";

/** Functions that a served image answers. */
const READ_HOLDING = 3;
const WRITE_SINGLE = 6;
const WRITE_MULTIPLE = 16;

export interface ServedImage extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Function codes of the writes, in order. */
  readonly writeFunctions: number[];
  /** Write functions that are answered with exception 1. */
  readonly refusedFunctions: Set<number>;
}

/** An image of registers as a Modbus TCP device on loopback, for any unit. */
export async function serveImage(image: RegisterImage): Promise<ServedImage> {
  const writeFunctions: number[] = [];
  const refusedFunctions = new Set<number>();
  const sockets = new Set<Socket>();

  const answer = async (pdu: Buffer): Promise<Buffer> => {
    const code = pdu.readUInt8(0);
    const address = pdu.readUInt16BE(1);
    try {
      if (code === READ_HOLDING) {
        const words = await image.read(address, pdu.readUInt16BE(3));
        const out = Buffer.alloc(2 + 2 * words.length);
        out.writeUInt8(code, 0);
        out.writeUInt8(2 * words.length, 1);
        for (const [index, word] of words.entries()) out.writeUInt16BE(word, 2 + 2 * index);
        return out;
      }
      if (code !== WRITE_SINGLE && code !== WRITE_MULTIPLE) return Buffer.from([code | 0x80, 1]);
      writeFunctions.push(code);
      if (refusedFunctions.has(code)) return Buffer.from([code | 0x80, 1]);
      const from = code === WRITE_SINGLE ? 3 : 6;
      const count = code === WRITE_SINGLE ? 1 : pdu.readUInt16BE(3);
      await image.write(
        address,
        Array.from({ length: count }, (_, index) => pdu.readUInt16BE(from + 2 * index)),
      );
      return pdu.subarray(0, 5);
    } catch (error) {
      return Buffer.from([code | 0x80, error instanceof ModbusError ? (error.code ?? 4) : 4]);
    }
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let bytes = Buffer.alloc(0);
    let last = Promise.resolve();
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 6 && bytes.length >= 6 + bytes.readUInt16BE(4)) {
        const frame = bytes.subarray(0, 6 + bytes.readUInt16BE(4));
        bytes = bytes.subarray(frame.length);
        last = last.then(async () => {
          const pdu = await answer(frame.subarray(7));
          const head = Buffer.from(frame.subarray(0, 7));
          head.writeUInt16BE(pdu.length + 1, 4);
          socket.write(Buffer.concat([head, pdu]));
        });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    writeFunctions,
    refusedFunctions,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
