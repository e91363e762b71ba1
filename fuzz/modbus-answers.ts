import type { Framing, ModbusFrame } from "../simulators/modbus/frame.ts";
import { exceptionPdu } from "../simulators/modbus/modbus-request.ts";
import { crc16 } from "../simulators/modbus/rtu.ts";
import type { Chance } from "./chance.ts";

/** Something that goes over the wire, or happens to it. */
export interface Step {
  readonly afterMs: number;
  readonly bytes?: Buffer;
  readonly end?: "fin" | "rst";
  /** The rest of the frame never comes. */
  readonly breaksOff?: boolean;
}

/** What a device makes of one request. */
export interface Answer {
  readonly steps: readonly Step[];
  /** False: a write was not carried out, so that no answer may make anybody believe it was. */
  readonly obeys: boolean;
}

/** What a mutation has to work with. */
export interface Scene {
  readonly request: ModbusFrame;
  /** The right answer. */
  readonly answer: ModbusFrame;
  /** Right answers to requests before this one on the same connection, as they went over the wire. */
  readonly earlier: readonly Buffer[];
  readonly framing: Framing;
  readonly chance: Chance;
  /** When the client gives up; ms. */
  readonly patienceMs: number;
}

/** One way to answer wrongly. */
export type Mutation = readonly [name: string, answer: (scene: Scene) => Answer];

const WRITES: readonly number[] = [5, 6, 15, 16];

/** Wrong answers that any framing can carry. */
export const ANSWERS_OF_ANY_FRAMING: readonly Mutation[] = [
  ["right", ({ answer, framing }) => said([framing.encode(answer)])],
  ["another byte count", otherByteCount],
  ["more or fewer registers", otherCount],
  ["an exception", exception],
  ["half an exception", halfAnException],
  ["another echo", otherEcho],
  ["cut off", cutOff],
  ["bytes behind it", (scene) => said([Buffer.concat([scene.framing.encode(scene.answer), noise(scene.chance)])])],
  ["bytes before it", (scene) => said([Buffer.concat([noise(scene.chance), scene.framing.encode(scene.answer)])])],
  ["noise", (scene) => said([noise(scene.chance)], false)],
  ["in pieces", inPieces],
  ["late", late],
  ["nothing", () => ({ steps: [], obeys: false })],
  ["the end", (scene) => ({ steps: [theEnd(scene)], obeys: false })],
];

export function said(chunks: readonly Buffer[], obeys = true): Answer {
  return { steps: chunks.map((bytes) => ({ afterMs: 0, bytes })), obeys };
}

/** Whether a write is carried out, where the answer leaves it open. */
function maybe(scene: Scene): boolean {
  return scene.chance.integer(0, 1) === 1;
}

function otherByteCount(scene: Scene): Answer {
  if (isWrite(scene)) return otherEcho(scene);
  const pdu = Buffer.from(scene.answer.pdu);
  pdu.writeUInt8((pdu.readUInt8(1) + scene.chance.integer(1, 255)) & 0xff, 1);
  return said([scene.framing.encode({ ...scene.answer, pdu })], false);
}

/** A frame that is right in itself and not what was asked for. */
function otherCount(scene: Scene): Answer {
  if (isWrite(scene)) return otherEcho(scene);
  const registers = (scene.answer.pdu.length - 2) / 2;
  let count = scene.chance.integer(0, 125);
  if (count === registers) count = registers === 1 ? 2 : registers - 1;
  const pdu = Buffer.alloc(2 + 2 * count, 0x5a);
  scene.answer.pdu.copy(pdu, 0);
  pdu.writeUInt8(2 * count, 1);
  return said([scene.framing.encode({ ...scene.answer, pdu })], false);
}

function exception(scene: Scene): Answer {
  const code = scene.chance.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 99, 255]);
  return said(
    [scene.framing.encode({ ...scene.answer, pdu: exceptionPdu(scene.request.pdu.readUInt8(0), code) })],
    false,
  );
}

function cutOff(scene: Scene): Answer {
  const bytes = scene.framing.encode(scene.answer);
  const part = bytes.subarray(0, scene.chance.integer(0, bytes.length - 1));
  const end = scene.chance.pick([undefined, "fin", "rst"] as const);
  const steps: Step[] = [{ afterMs: 0, bytes: part, breaksOff: true }];
  if (end !== undefined) steps.push({ afterMs: 0, end });
  return { steps, obeys: maybe(scene) };
}

function inPieces(scene: Scene): Answer {
  const bytes = scene.framing.encode(scene.answer);
  const steps: Step[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + scene.chance.integer(1, Math.max(1, bytes.length >> 1)));
    steps.push({ afterMs: steps.length === 0 ? 0 : scene.chance.integer(0, 2), bytes: bytes.subarray(from, to) });
    from = to;
  }
  return { steps, obeys: true };
}

/** After the client gave up, and on RTU while it listens for what is overdue. */
function late(scene: Scene): Answer {
  const { patienceMs, framing, chance } = scene;
  const most = framing.name === "tcp" ? 3 : 1.4;
  const afterMs = Math.round(patienceMs * (1.1 + (chance.integer(0, 100) / 100) * (most - 1.1)));
  return { steps: [{ afterMs, bytes: framing.encode(scene.answer) }], obeys: true };
}

/** The echo of a write that was not carried out as it was ordered. */
function otherEcho(scene: Scene): Answer {
  if (!isWrite(scene)) return otherCount(scene);
  const pdu = Buffer.from(scene.answer.pdu);
  const at = scene.chance.pick([1, 3]);
  pdu.writeUInt16BE(otherWord(scene.chance, pdu.readUInt16BE(at)), at);
  return said([scene.framing.encode({ ...scene.answer, pdu })], false);
}

/** Bytes that are no frame: noise that happened to be one would be right to take. */
function noise(chance: Chance): Buffer {
  const bytes = Buffer.from(Array.from({ length: chance.integer(1, 40) }, () => chance.integer(0, 255)));
  for (let end = 4; end <= bytes.length; end++) {
    const crc = bytes.readUInt16LE(end - 2);
    if (crc16(bytes.subarray(0, end - 2)) === crc) bytes[end - 1] = (bytes[end - 1] ?? 0) ^ 0xff;
  }
  return bytes;
}

export function isWrite({ request }: Scene): boolean {
  return WRITES.includes(request.pdu.readUInt8(0));
}

export function otherWord(chance: Chance, word: number): number {
  return chance.pick(
    [word + 1, word - 1, word + 256, 0, 0xffff, word + chance.integer(1, 0xffff)]
      .map((each) => each & 0xffff)
      .filter((each) => each !== word),
  );
}

function halfAnException(scene: Scene): Answer {
  const pdu = Buffer.from([scene.request.pdu.readUInt8(0) | 0x80]);
  return said([scene.framing.encode({ ...scene.answer, pdu })], false);
}

/** The connection is closed or reset. */
export function theEnd({ chance }: Scene): Step {
  return { afterMs: 0, end: chance.pick(["fin", "rst"] as const) };
}
