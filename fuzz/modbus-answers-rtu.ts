import { ANSWERS_OF_ANY_FRAMING, type Answer, type Mutation, type Scene, said } from "./modbus-answers.ts";

/**
 * Wrong answers on RTU, where a checksum guards all: up to three bits, and any burst of 16, are found for certain. Nothing
 * tells a right answer to an older request of the same shape from the right one, so that such come only where the client
 * listens for them.
 */
export const ANSWERS_ON_RTU: readonly Mutation[] = [
  ...ANSWERS_OF_ANY_FRAMING,
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
  [
    "twice at once",
    (scene) => said([Buffer.concat([scene.framing.encode(scene.answer), scene.framing.encode(scene.answer)])]),
  ],
  ["its own echo first", (scene) => said([scene.framing.encode(scene.request), scene.framing.encode(scene.answer)])],
];

function otherFunction(scene: Scene): Answer {
  const pdu = Buffer.from(scene.answer.pdu);
  pdu.writeUInt8((pdu.readUInt8(0) + scene.chance.integer(1, 255)) & 0xff, 0);
  return said([scene.framing.encode({ ...scene.answer, pdu })], false);
}

function turned(scene: Scene): Answer {
  const bytes = scene.framing.encode(scene.answer);
  const places = new Set<number>();
  for (let turns = scene.chance.integer(1, 3); turns > 0; turns--)
    places.add(scene.chance.integer(0, 8 * bytes.length - 1));
  for (const place of places) bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7));
  return said([bytes], false);
}

function burst(scene: Scene): Answer {
  const bytes = scene.framing.encode(scene.answer);
  const at = scene.chance.integer(0, bytes.length - 2);
  bytes.writeUInt16BE(bytes.readUInt16BE(at) ^ scene.chance.integer(1, 0xffff), at);
  return said([bytes], false);
}
