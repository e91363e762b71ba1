import type { Chance } from "./chance.ts";
import {
  ANSWERS_OF_ANY_FRAMING,
  type Answer,
  isWrite,
  type Mutation,
  otherWord,
  type Scene,
  said,
  theEnd,
} from "./modbus-answers.ts";

const UNIT_AT = 6;
const FUNCTION_AT = 7;

/**
 * Wrong answers on TCP. What an answer carries is not checked by anything there, so that registers are never changed: all
 * else is. The echo of a write is, since it is compared.
 */
export const ANSWERS_ON_TCP: readonly Mutation[] = [
  ...ANSWERS_OF_ANY_FRAMING,
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
        bytes.writeUInt8((bytes.readUInt8(FUNCTION_AT) + chance.integer(1, 255)) & 0xff, FUNCTION_AT),
      ),
  ],
  ["bits of the header turned", turnedHeader],
  ["twice", twice],
  ["after an earlier one", afterEarlier],
  ["an earlier one instead", earlierInstead],
  [
    "the end behind it",
    (scene) => ({
      steps: [{ afterMs: 0, bytes: scene.framing.encode(scene.answer) }, theEnd(scene)],
      obeys: true,
    }),
  ],
];

function withHeader(scene: Scene, change: (bytes: Buffer, scene: Scene) => void): Answer {
  const bytes = scene.framing.encode(scene.answer);
  change(bytes, scene);
  return said([bytes], false);
}

/** Of the transaction to the byte count of a read, and no further. */
function turnedHeader(scene: Scene): Answer {
  const bytes = scene.framing.encode(scene.answer);
  const end = isWrite(scene) ? 8 : 9;
  const before = Buffer.from(bytes);
  for (let turns = scene.chance.integer(1, 4); turns > 0; turns--) {
    const at = scene.chance.integer(0, end - 1);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << scene.chance.integer(0, 7));
  }
  return said([bytes], bytes.equals(before));
}

function twice(scene: Scene): Answer {
  const bytes = scene.framing.encode(scene.answer);
  return {
    steps: [
      { afterMs: 0, bytes },
      { afterMs: scene.chance.integer(0, 20), bytes },
    ],
    obeys: true,
  };
}

function afterEarlier(scene: Scene): Answer {
  const earlier = someEarlier(scene);
  return said([...earlier, scene.framing.encode(scene.answer)]);
}

function earlierInstead(scene: Scene): Answer {
  return said(someEarlier(scene), false);
}

function someEarlier({ earlier, chance }: Scene): readonly Buffer[] {
  return earlier.length === 0 ? [] : [chance.pick(earlier)];
}

function otherLength(chance: Chance, length: number): number {
  return chance.pick(
    [0, 1, 2, 3, length - 1, length + 1, length + 2, 255, 256, 0xffff].filter((each) => each !== length),
  );
}
