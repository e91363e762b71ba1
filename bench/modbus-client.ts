import { connect, createServer, type Socket } from "node:net";
import { ModbusLink } from "../adapters/modbus/link/modbus-link.ts";
import { systemClock } from "../src/clock.ts";
import { silentLog } from "../src/log.ts";
import { answerQuestions } from "./asked-program.ts";

// One end of the Modbus figures in a process of its own: our link, or bare sockets that do the least that can be done.

const FIRST_REGISTERS = 100;
const HEADER_BYTES = 7;
const signal = new AbortController().signal;

interface Reads {
  readonly port: number;
  readonly requests: number;
  readonly registers: number;
}

/** Time of so many reads, one after the other, ms; each answer is looked at. */
async function linkReads({ port, requests, registers }: Reads): Promise<number> {
  const context = { clock: systemClock, log: silentLog, random: Math.random };
  await using link = new ModbusLink({ host: "127.0.0.1", port }, context);
  const manners = { unit: 1, timeoutMs: 5000, gapMs: 0 };
  await link.open(manners, signal);
  const startedMs = performance.now();
  for (let nth = 0; nth < requests; nth++) {
    const address = nth % FIRST_REGISTERS;
    const values = await link.read(manners, address, registers, signal);
    if (values.length !== registers || values[0] !== address) throw new Error(`read ${values[0]} at ${address}`);
  }
  return performance.now() - startedMs;
}

function bareReads({ port, requests, registers }: Reads): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let nth = 0;
    let startedMs = 0;
    const ask = () => {
      const request = Buffer.from([nth >> 8, nth, 0, 0, 0, 6, 1, 3, 0, nth % FIRST_REGISTERS, 0, registers]);
      socket.write(request);
    };
    socket.setNoDelay(true);
    socket.on("connect", () => {
      startedMs = performance.now();
      ask();
    });
    socket.on("data", (answer) => {
      if (answer.readUInt16BE(HEADER_BYTES + 2) !== nth % FIRST_REGISTERS) reject(new Error("a wrong value"));
      nth += 1;
      if (nth < requests) ask();
      else {
        resolve(performance.now() - startedMs);
        socket.destroy();
      }
    });
    socket.on("error", reject);
  });
}

/** A server whose registers hold their own address. */
function serve(): Promise<number> {
  const answer = (socket: Socket, request: Buffer) => {
    const [first, registers] = [request.readUInt16BE(8), request.readUInt16BE(10)];
    const reply = Buffer.alloc(HEADER_BYTES + 2 + 2 * registers);
    request.copy(reply, 0, 0, HEADER_BYTES + 1);
    reply.writeUInt16BE(3 + 2 * registers, 4);
    reply.writeUInt8(2 * registers, 8);
    for (let index = 0; index < registers; index++) reply.writeUInt16BE(first + index, 9 + 2 * index);
    socket.write(reply);
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on("data", (request) => answer(socket, request));
    socket.on("error", () => {});
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

answerQuestions({ linkReads, bareReads, serve });
