import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { InverterSimulator } from "../../simulators/inverter/inverter-simulator.ts";
import { crc16, rtuFraming } from "../../simulators/modbus/rtu.ts";
import { openPseudoTerminal, openSerialPort, type SerialLine } from "../../simulators/modbus/serial-line.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import type { Sun } from "../../simulators/world/sun.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { exceptionOf, HandClock, sky } from "./inverter-simulator-bench.ts";
import { connectTo } from "./modbus-simulator-client.ts";

const socat = spawnSync("socat", ["-V"]).error === undefined;

function inverter(unit = 7): InverterSimulator {
  const clock = new HandClock();
  const source = new SolarPanel(clock, { share: () => sky.share } as Sun, { ratingKW: 10 });
  return new InverterSimulator({ kind: "solar", source, clock, log: silentLog, map: "legacy", unit });
}

/** A frame of this unit with its checksum. */
function frame(...bytes: number[]): Buffer {
  const crc = crc16(Uint8Array.from(bytes));
  return Buffer.from([...bytes, crc & 0xff, crc >> 8]);
}

const READ_MARKER = frame(7, 3, 0x9c, 0x40, 0, 2);
const MARKER = frame(7, 3, 4, 0x53, 0x75, 0x6e, 0x53);

test("the checksum is the one of the standard's example", () => {
  // Modbus over serial line 1.02, 6.2.2: unit 2, function 7 is 0x41, 0x12 on the wire.
  expect([...frame(2, 7)]).toEqual([2, 7, 0x41, 0x12]);
});

describe("RTU frames in a stream", () => {
  const requests = (...chunks: Buffer[]) => {
    const reader = rtuFraming.reader();
    return chunks.flatMap((chunk, index) => [...reader.push(chunk, index)].map(({ pdu }) => [...pdu]));
  };
  const write = frame(7, 16, 0, 1, 0, 2, 4, 0, 1, 0, 2);

  test("are found however they are split or glued", () => {
    const bytes = Buffer.concat([READ_MARKER, write, READ_MARKER]);
    const whole = [
      [3, 0x9c, 0x40, 0, 2],
      [16, 0, 1, 0, 2, 4, 0, 1, 0, 2],
      [3, 0x9c, 0x40, 0, 2],
    ];
    expect(requests(bytes)).toEqual(whole);
    expect(requests(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test("with a wrong checksum are passed over, with all that came along", () => {
    const wrong = Buffer.from(READ_MARKER);
    wrong[7] = (wrong[7] ?? 0) ^ 1;
    expect(requests(wrong, READ_MARKER)).toEqual([[3, 0x9c, 0x40, 0, 2]]);
    expect(requests(Buffer.concat([wrong, READ_MARKER]))).toEqual([]);
  });

  test("that break off are forgotten after a silence", () => {
    const reader = rtuFraming.reader();
    expect([...reader.push(READ_MARKER.subarray(0, 5), 0)]).toEqual([]);
    expect([...reader.push(READ_MARKER, 500)]).toHaveLength(1);
  });

  test("of a function that nobody knows are taken as they come, so that they can be refused", () => {
    expect(requests(frame(7, 43, 14, 1, 0))).toEqual([[43, 14, 1, 0]]);
  });

  test("that never end hold no more than a frame", () => {
    const reader = rtuFraming.reader();
    for (let chunk = 0; chunk < 100; chunk++) expect([...reader.push(Buffer.alloc(64, 16), 0)]).toEqual([]);
  });
});

describe("RTU over TCP", () => {
  test("an independent client reads and writes, and another unit is silent", async () => {
    await using simulator = inverter();
    const address = await simulator.listen(0, "127.0.0.1", "rtu");
    await using client = await connectTo(address, { unit: 7, framing: "rtu" });
    expect((await client.readHoldingRegisters(40_000, 2)).data).toEqual([0x5375, 0x6e53]);
    expect((await client.readHoldingRegisters(40_000, 125)).data).toHaveLength(125);
    await client.writeRegister(40_152, 900);
    expect(await exceptionOf(client.readHoldingRegisters(1, 1))).toBe(2);
    client.setID(8);
    client.setTimeout(100);
    await expect(client.readHoldingRegisters(40_000, 2)).rejects.toMatchObject({ errno: "ETIMEDOUT" });
  });

  test("a broadcast is carried out by all and answered by none", async () => {
    await using simulator = inverter();
    const { host, port } = await simulator.listen(0, "127.0.0.1", "rtu");
    const socket = connect({ host, port, noDelay: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    // WMax of model 121 lies 152 registers behind the base.
    socket.write(frame(0, 6, 0x9c, 0x40 + 152, 0x03, 0x84));
    await waitFor("the write", () => simulator.writes.length === 1);
    socket.write(READ_MARKER);
    await waitFor("an answer", () => Buffer.concat(chunks).length >= MARKER.length);
    expect(Buffer.concat(chunks)).toEqual(MARKER);
    socket.destroy();
  });

  test("through an adapter that hears itself the request comes back before the answer", async () => {
    await using simulator = inverter();
    simulator.behaviour.echoesRequests = true;
    const { host, port } = await simulator.listen(0, "127.0.0.1", "rtu");
    const socket = connect({ host, port, noDelay: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.write(READ_MARKER);
    await waitFor("both", () => Buffer.concat(chunks).length >= READ_MARKER.length + MARKER.length);
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat([READ_MARKER, MARKER]));
    socket.destroy();
  });

  test("nonsense never carries a right checksum for a wrong answer", async () => {
    await using simulator = inverter();
    simulator.behaviour.talksNonsense = true;
    const { host, port } = await simulator.listen(0, "127.0.0.1", "rtu");
    const socket = connect({ host, port, noDelay: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    for (let request = 1; request <= 3; request++) {
      const before = Buffer.concat(chunks).length;
      socket.write(READ_MARKER);
      await waitFor("an answer", () => Buffer.concat(chunks).length > before);
      const answer = Buffer.concat(chunks).subarray(before);
      expect(crc16(answer.subarray(0, -2))).not.toBe(answer.readUInt16LE(answer.length - 2));
    }
    socket.destroy();
  });
});

describe.skipIf(!socat)(
  `RTU on a pseudo-terminal${socat ? "" : " (skipped: the Debian package socat is not installed)"}`,
  () => {
    const open: SerialLine[] = [];
    afterEach(async () => {
      for (const line of open.splice(0)) await line[Symbol.asyncDispose]();
    });

    /** Sends a frame and returns what comes back. */
    async function ask(client: SerialLine, request: Buffer, length: number): Promise<Buffer> {
      const chunks: Buffer[] = [];
      client.wire.input.on("data", (chunk: Buffer) => chunks.push(chunk));
      client.wire.output.write(request);
      await waitFor("the answer", () => Buffer.concat(chunks).length >= length);
      client.wire.input.removeAllListeners("data");
      return Buffer.concat(chunks);
    }

    test("the terminal has the name that was asked for, and clients come and go", async () => {
      const folder = await mkdtemp(join(tmpdir(), "setpointd-pty-"));
      const link = join(folder, "ttyInverter");
      const simulator = inverter();
      simulator.attach(await openPseudoTerminal(link));
      expect(existsSync(link)).toBe(true);
      for (let visit = 0; visit < 3; visit++) {
        const client = await openSerialPort(link, { baud: 19_200, parity: "none" });
        expect(await ask(client, READ_MARKER, MARKER.length)).toEqual(MARKER);
        await client[Symbol.asyncDispose]();
      }
      await simulator[Symbol.asyncDispose]();
      await waitFor("the terminal to be gone", () => !existsSync(link));
      await rm(folder, { recursive: true });
    });

    test("a device on a serial port of the machine answers there", async () => {
      const cable = await openPseudoTerminal(undefined);
      open.push(cable);
      await using simulator = inverter();
      simulator.attach(await openSerialPort(cable.path, { baud: 9600, parity: "none" }));
      // The other end of the cable is what socat passes on.
      expect(await ask(cable, READ_MARKER, MARKER.length)).toEqual(MARKER);
    });

    test("all 256 bytes pass, also those that a terminal would swallow", async () => {
      const cable = await openPseudoTerminal(undefined);
      open.push(cable);
      const port = await openSerialPort(cable.path, { baud: 115_200, parity: "none" });
      open.push(port);
      const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      expect(await ask(port, Buffer.alloc(0), 0)).toEqual(Buffer.alloc(0));
      const chunks: Buffer[] = [];
      cable.wire.input.on("data", (chunk: Buffer) => chunks.push(chunk));
      port.wire.output.write(all);
      await waitFor("the bytes", () => Buffer.concat(chunks).length >= 256);
      expect(Buffer.concat(chunks)).toEqual(all);
    });
  },
);

test("a port that is none is explained", async () => {
  await expect(openSerialPort("/dev/null", { baud: 9600, parity: "none" })).rejects.toThrow(
    /\/dev\/null cannot be opened as a serial port/,
  );
});

test("without socat a pseudo-terminal can't be made, and the error says what to install", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/nowhere";
  try {
    await expect(openPseudoTerminal(undefined)).rejects.toThrow(/socat is not installed/);
  } finally {
    process.env["PATH"] = path;
  }
});
