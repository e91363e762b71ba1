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

/** What the device makes of one request. */
export interface Reply {
  readonly name: string;
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

type Mutation = (scene: Scene) => Omit<Reply, "name">;

const WRITES: readonly number[] = [5, 6, 15, 16];
const UNIT_AT = 6;

/**
 * Wrong answers on TCP. What an answer carries is not checked by anything there, so that registers are never changed: all
 * else is. The echo of a write is, since it is compared.
 */
const TCP_MUTATIONS: readonly (readonly [name: string, mutation: Mutation])[] = [
  ["right", ({ answer, framing }) => said([framing.encode(answer)])],
  [
    "another transaction",
    (scene) =>
      withHeader(scene, (bytes, { chance }) => bytes.writeUInt16BE(otherWord(chance, bytes.readUInt16BE(0)), 0)),
  ],
  [
    "another protocol",
    (scene) => withHeader(scene, (bytes, { chance }) => bytes.writeUInt16BE(chance.integer(1, 0xffff), 2)),
  ],
  [
    "another length",
    (scene) =>
      withHeader(scene, (bytes, { chance }) => bytes.writeUInt16BE(otherLength(chance, bytes.readUInt16BE(4)), 4)),
  ],
  [
    "another unit",
    (scene) =>
      withHeader(scene, (bytes, { chance }) =>
        bytes.writeUInt8((bytes.readUInt8(UNIT_AT) + chance.integer(1, 255)) & 0xff, UNIT_AT),
      ),
  ],
  [
    "another function",
    (scene) =>
      withHeader(scene, (bytes, { chance }) =>
        bytes.writeUInt8((bytes.readUInt8(7) + chance.integer(1, 255)) & 0xff, 7),
      ),
  ],
  ["bits of the header turned", turnedHeader],
  ["another byte count", otherByteCount],
  ["more or fewer registers", otherCount],
  ["an exception", exception],
  [
    "half an exception",
    (scene) =>
      said(
        [scene.framing.encode({ ...scene.answer, pdu: Buffer.from([scene.request.pdu.readUInt8(0) | 0x80]) })],
        false,
      ),
  ],
  ["cut off", cutOff],
  ["bytes behind it", (scene) => said([Buffer.concat([scene.framing.encode(scene.answer), noise(scene.chance)])])],
  ["bytes before it", (scene) => said([Buffer.concat([noise(scene.chance), scene.framing.encode(scene.answer)])])],
  ["in pieces", inPieces],
  ["twice", twice],
  ["after an earlier one", afterEarlier],
  ["an earlier one instead", earlierInstead],
  ["late", late],
  ["nothing", () => ({ steps: [], obeys: false })],
  ["the end", ({ chance }) => ({ steps: [{ afterMs: 0, end: chance.pick(["fin", "rst"] as const) }], obeys: false })],
  [
    "the end behind it",
    (scene) => ({
      ...said([scene.framing.encode(scene.answer)]),
      steps: [
        { afterMs: 0, bytes: scene.framing.encode(scene.answer) },
        { afterMs: 0, end: scene.chance.pick(["fin", "rst"] as const) },
      ],
    }),
  ],
  ["noise", (scene) => said([noise(scene.chance)], false)],
  ["another echo", otherEcho],
];

/**
 * Wrong answers on RTU, where a checksum guards all: up to three bits, and any burst of 16, are found for certain. Nothing
 * tells a right answer to an older request of the same shape from the right one, so that such come only where the client
 * listens for them.
 */
const RTU_MUTATIONS: readonly (readonly [name: string, mutation: Mutation])[] = [
  ["right", ({ answer, framing }) => said([framing.encode(answer)])],
  ["bits turned", (scene) => turned(scene)],
  ["bits turned", (scene) => turned(scene)],
  ["a burst", burst],
  [
    "another unit",
    (scene) =>
      said(
        [scene.framing.encode({ ...scene.answer, unit: (scene.answer.unit + scene.chance.integer(1, 246)) % 248 })],
        false,
      ),
  ],
  ["another function", otherFunction],
  ["another byte count", otherByteCount],
  ["more or fewer registers", otherCount],
  ["an exception", exception],
  [
    "half an exception",
    (scene) =>
      said(
        [scene.framing.encode({ ...scene.answer, pdu: Buffer.from([scene.request.pdu.readUInt8(0) | 0x80]) })],
        false,
      ),
  ],
  ["cut off", cutOff],
  ["bytes before it", (scene) => said([Buffer.concat([noise(scene.chance), scene.framing.encode(scene.answer)])])],
  ["bytes behind it", (scene) => said([Buffer.concat([scene.framing.encode(scene.answer), noise(scene.chance)])])],
  ["in pieces", inPieces],
  [
    "twice at once",
    (scene) => said([Buffer.concat([scene.framing.encode(scene.answer), scene.framing.encode(scene.answer)])]),
  ],
  ["its own echo first", (scene) => said([scene.framing.encode(scene.request), scene.framing.encode(scene.answer)])],
  ["late", late],
  ["nothing", () => ({ steps: [], obeys: false })],
  ["the end", ({ chance }) => ({ steps: [{ afterMs: 0, end: chance.pick(["fin", "rst"] as const) }], obeys: false })],
  ["noise", (scene) => said([noise(scene.chance)], false)],
  ["another echo", otherEcho],
];

/** One wrong answer, or now and then a right one. The same chance makes the same. */
export function mutatedReply(scene: Scene): Reply {
  const [name, mutation] = scene.chance.pick(scene.framing.name === "tcp" ? TCP_MUTATIONS : RTU_MUTATIONS);
  return { ...mutation(scene), name };
}

/** What is sent to any other request. */
export function rightReply({ answer, framing }: Pick<Scene, "answer" | "framing">): Reply {
  return { name: "right", ...said([framing.encode(answer)]) };
}

function said(chunks: readonly Buffer[], obeys = true): Omit<Reply, "name"> {
  return { steps: chunks.map((bytes) => ({ afterMs: 0, bytes })), obeys };
}

/** Whether a write is carried out, where the answer leaves it open. */
function maybe(scene: Scene): boolean {
  return scene.chance.integer(0, 1) === 1;
}

function withHeader(scene: Scene, change: (bytes: Buffer, scene: Scene) => void): Omit<Reply, "name"> {
  const bytes = scene.framing.encode(scene.answer);
  change(bytes, scene);
  return said([bytes], false);
}

/** Of the transaction to the byte count of a read, and no further. */
function turnedHeader(scene: Scene): Omit<Reply, "name"> {
  const bytes = scene.framing.encode(scene.answer);
  const end = isWrite(scene) ? 8 : 9;
  const before = Buffer.from(bytes);
  for (let turns = scene.chance.integer(1, 4); turns > 0; turns--) {
    const at = scene.chance.integer(0, end - 1);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << scene.chance.integer(0, 7));
  }
  return said([bytes], bytes.equals(before));
}

function otherByteCount(scene: Scene): Omit<Reply, "name"> {
  if (isWrite(scene)) return otherEcho(scene);
  const pdu = Buffer.from(scene.answer.pdu);
  pdu.writeUInt8((pdu.readUInt8(1) + scene.chance.integer(1, 255)) & 0xff, 1);
  return said([scene.framing.encode({ ...scene.answer, pdu })], false);
}

/** A frame that is right in itself and not what was asked for. */
function otherCount(scene: Scene): Omit<Reply, "name"> {
  if (isWrite(scene)) return otherEcho(scene);
  const registers = (scene.answer.pdu.length - 2) / 2;
  let count = scene.chance.integer(0, 125);
  if (count === registers) count = registers === 1 ? 2 : registers - 1;
  const pdu = Buffer.alloc(2 + 2 * count, 0x5a);
  scene.answer.pdu.copy(pdu, 0);
  pdu.writeUInt8(2 * count, 1);
  return said([scene.framing.encode({ ...scene.answer, pdu })], false);
}

function exception(scene: Scene): Omit<Reply, "name"> {
  const code = scene.chance.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 99, 255]);
  return said(
    [scene.framing.encode({ ...scene.answer, pdu: exceptionPdu(scene.request.pdu.readUInt8(0), code) })],
    false,
  );
}

function cutOff(scene: Scene): Omit<Reply, "name"> {
  const bytes = scene.framing.encode(scene.answer);
  const part = bytes.subarray(0, scene.chance.integer(0, bytes.length - 1));
  const end = scene.chance.pick([undefined, "fin", "rst"] as const);
  const steps: Step[] = [{ afterMs: 0, bytes: part, breaksOff: true }];
  if (end !== undefined) steps.push({ afterMs: 0, end });
  return { steps, obeys: maybe(scene) };
}

function inPieces(scene: Scene): Omit<Reply, "name"> {
  const bytes = scene.framing.encode(scene.answer);
  const steps: Step[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + scene.chance.integer(1, Math.max(1, bytes.length >> 1)));
    steps.push({ afterMs: steps.length === 0 ? 0 : scene.chance.integer(0, 2), bytes: bytes.subarray(from, to) });
    from = to;
  }
  return { steps, obeys: true };
}

function twice(scene: Scene): Omit<Reply, "name"> {
  const bytes = scene.framing.encode(scene.answer);
  return {
    steps: [
      { afterMs: 0, bytes },
      { afterMs: scene.chance.integer(0, 20), bytes },
    ],
    obeys: true,
  };
}

function afterEarlier(scene: Scene): Omit<Reply, "name"> {
  const earlier = someEarlier(scene);
  return said([...earlier, scene.framing.encode(scene.answer)]);
}

function earlierInstead(scene: Scene): Omit<Reply, "name"> {
  return said(someEarlier(scene), false);
}

function someEarlier({ earlier, chance }: Scene): readonly Buffer[] {
  return earlier.length === 0 ? [] : [chance.pick(earlier)];
}

/** After the client gave up, and on RTU while it listens for what is overdue. */
function late(scene: Scene): Omit<Reply, "name"> {
  const { patienceMs, framing, chance } = scene;
  const most = framing.name === "tcp" ? 3 : 1.4;
  const afterMs = Math.round(patienceMs * (1.1 + (chance.integer(0, 100) / 100) * (most - 1.1)));
  return { steps: [{ afterMs, bytes: framing.encode(scene.answer) }], obeys: true };
}

/** The echo of a write that was not carried out as it was ordered. */
function otherEcho(scene: Scene): Omit<Reply, "name"> {
  if (!isWrite(scene)) return otherCount(scene);
  const pdu = Buffer.from(scene.answer.pdu);
  const at = scene.chance.pick([1, 3]);
  pdu.writeUInt16BE(otherWord(scene.chance, pdu.readUInt16BE(at)), at);
  return said([scene.framing.encode({ ...scene.answer, pdu })], false);
}

function otherFunction(scene: Scene): Omit<Reply, "name"> {
  const pdu = Buffer.from(scene.answer.pdu);
  pdu.writeUInt8((pdu.readUInt8(0) + scene.chance.integer(1, 255)) & 0xff, 0);
  return said([scene.framing.encode({ ...scene.answer, pdu })], false);
}

function turned(scene: Scene): Omit<Reply, "name"> {
  const bytes = scene.framing.encode(scene.answer);
  const places = new Set<number>();
  for (let turns = scene.chance.integer(1, 3); turns > 0; turns--)
    places.add(scene.chance.integer(0, 8 * bytes.length - 1));
  for (const place of places) bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7));
  return said([bytes], false);
}

function burst(scene: Scene): Omit<Reply, "name"> {
  const bytes = scene.framing.encode(scene.answer);
  const at = scene.chance.integer(0, bytes.length - 2);
  bytes.writeUInt16BE(bytes.readUInt16BE(at) ^ scene.chance.integer(1, 0xffff), at);
  return said([bytes], false);
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

function isWrite({ request }: Scene): boolean {
  return WRITES.includes(request.pdu.readUInt8(0));
}

function otherWord(chance: Chance, word: number): number {
  return chance.pick(
    [word + 1, word - 1, word + 256, 0, 0xffff, word + chance.integer(1, 0xffff)]
      .map((each) => each & 0xffff)
      .filter((each) => each !== word),
  );
}

function otherLength(chance: Chance, length: number): number {
  return chance.pick(
    [0, 1, 2, 3, length - 1, length + 1, length + 2, 255, 256, 0xffff].filter((each) => each !== length),
  );
}
