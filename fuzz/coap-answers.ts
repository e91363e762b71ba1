import type { Chance } from "./chance.ts";
import {
  type Block,
  blockOf,
  blockOption,
  CODE,
  type CoapMessage,
  type CoapOption,
  encodeCoap,
  OPTION,
  TYPE,
  uintBytes,
} from "./coap-message.ts";
import type { CoapReply, CoapScene, Datagram } from "./lying-coap-device.ts";

/** What is wrong with an answer. */
export interface CoapMutation extends CoapReply {
  readonly name: string;
  /** True: the payload is unharmed as far as anybody may take it, so that what is taken must be the whole true one. */
  readonly isTrue: boolean;
}

interface Scene extends CoapScene {
  readonly chance: Chance;
  /** When the client gives up, ms. */
  readonly patienceMs: number;
}

type Made = Omit<CoapMutation, "name">;

/** Whether a code tells that a write was carried out: an unknown one counts for its class (RFC 7252, 5.2). */
function saysDone(code: number): boolean {
  return code >> 5 === 2 && code !== CODE.goOn && code !== CODE.valid;
}

const MUTATIONS: readonly (readonly [name: string, make: (scene: Scene) => Made])[] = [
  ["right", ({ answer }) => told([answer])],
  ["an acknowledgement first", separate],
  ["no acknowledgement", ({ answer, chance }) => told([{ ...answer, type: chance.pick([0, 1]), id: other(chance) }])],
  ["twice and more", ({ answer, chance }) => told(new Array<CoapMessage>(chance.integer(2, 6)).fill(answer))],
  ["a foreign token", foreignToken],
  ["another message id", ({ answer, chance }) => told([{ ...answer, id: other(chance) }])],
  ["a reset", ({ answer }) => told([bare(answer, TYPE.reset)], false)],
  ["an empty acknowledgement and no more", ({ answer }) => told([bare(answer, TYPE.acknowledgement)], false)],
  ["any code", anyCode],
  ["any type", ({ answer, chance }) => told([{ ...answer, type: chance.pick([0, 1, 2, 3]) }])],
  ["another content-format", otherFormat],
  ["options that nobody knows", strangeOptions],
  ["options of bytes", optionBytes],
  ["another block", otherBlock],
  ["another block of what was written", otherBlock1],
  ["blocks without an end", endless],
  ["another version in the middle", otherVersion],
  ["no payload", ({ answer }) => ({ ...told([{ ...answer, payload: Buffer.alloc(0) }]), isTrue: false })],
  ["a large payload", large],
  ["flipped bits", flipped],
  ["flipped bits", flipped],
  ["cut off", cutOff],
  ["bytes behind it", ({ answer, chance }) => raw([Buffer.concat([encodeCoap(answer), noise(chance, 40)])])],
  ["noise", ({ chance }) => raw([noise(chance, 60)])],
  ["late", late],
  ["nothing", () => told([], false)],
  ["much of everything", flood],
];

/** One wrong answer, or now and then a right one. The same chance makes the same. */
export function mutatedAnswer(scene: Scene): CoapMutation {
  const [name, make] = scene.chance.pick(MUTATIONS);
  return { name, ...make(scene) };
}

export const MUTATION_NAMES: ReadonlySet<string> = new Set(MUTATIONS.map(([name]) => name));

function told(messages: readonly CoapMessage[], obeys = true): Made {
  return { datagrams: messages.map((each) => now(encodeCoap(each))), obeys, isTrue: true };
}

/** Bytes that may say anything, also that a write was carried out, which it is then. */
function raw(datagrams: readonly Buffer[]): Made {
  return { datagrams: datagrams.map(now), obeys: true, isTrue: false };
}

function now(bytes: Buffer): Datagram {
  return { afterMs: 0, bytes };
}

function bare({ id }: CoapMessage, type: CoapMessage["type"]): CoapMessage {
  return { type, code: 0, id, token: Buffer.alloc(0), options: [], payload: Buffer.alloc(0) };
}

function other(chance: Chance): number {
  return chance.integer(0, 0xffff);
}

function separate({ answer, chance }: Scene): Made {
  const later = { ...answer, type: chance.pick([TYPE.confirmable, TYPE.nonConfirmable]), id: other(chance) };
  const [first, second] = told([bare(answer, TYPE.acknowledgement), later]).datagrams;
  const isSwapped = chance.integer(0, 3) === 0;
  const datagrams = [first, { afterMs: chance.integer(0, 3), bytes: second?.bytes ?? Buffer.alloc(0) }];
  return {
    datagrams: (isSwapped ? datagrams.reverse() : datagrams).filter((each) => each !== undefined),
    obeys: true,
    isTrue: true,
  };
}

function foreignToken({ answer, chance }: Scene): Made {
  const token = noise(chance, 8);
  const payload = Buffer.from("666");
  const foreign = { ...answer, token: token.equals(answer.token) ? Buffer.of(1) : token, payload };
  return chance.integer(0, 1) === 0 ? told([foreign, answer]) : told([foreign], chance.integer(0, 1) === 0);
}

function anyCode({ answer, chance }: Scene): Made {
  const code = chance.integer(0, 2) === 0 ? chance.pick([0x40, 0x43, 0x5f, 0x80, 0x8d, 0xa3]) : chance.integer(0, 0xff);
  return told([{ ...answer, code }], saysDone(code));
}

function otherFormat({ answer, chance }: Scene): Made {
  const value = chance.pick([
    uintBytes(chance.integer(0, 0xffff)),
    Buffer.alloc(0),
    Buffer.of(0, 50),
    Buffer.of(0, 0, 50),
    Buffer.alloc(9, 0xff),
  ]);
  const rest = answer.options.filter(([number]) => number !== OPTION.contentFormat);
  const times = chance.integer(0, 3);
  const formats = Array.from({ length: times }, (): CoapOption => [OPTION.contentFormat, value]);
  return told([{ ...answer, options: sorted([...rest, ...formats]) }]);
}

function strangeOptions({ answer, chance }: Scene): Made {
  const strange = Array.from({ length: chance.integer(1, 40) }, (): CoapOption => {
    const number = chance.pick([0, 1, 3, 5, 9, 14, 17, 28, 60, 258, 2049, 2053, 9999, 65_000]);
    return [number, noise(chance, chance.pick([0, 1, 3, 300]))];
  });
  return told([{ ...answer, options: sorted([...answer.options, ...strange]) }]);
}

/** Lengths and deltas that lead anywhere, also behind the payload. */
function optionBytes({ answer, chance }: Scene): Made {
  const bytes = encodeCoap({ ...answer, payload: Buffer.alloc(0) });
  const odd = Buffer.from(Array.from({ length: chance.integer(1, 6) }, () => chance.pick(ODD_BYTES)));
  return raw([Buffer.concat([bytes, odd, Buffer.of(0xff), answer.payload])]);
}

const ODD_BYTES = [0x00, 0x0d, 0x0e, 0x0f, 0xd0, 0xdd, 0xe0, 0xee, 0xef, 0xf0, 0xfe, 0x11, 0xff, 0x7f] as const;

/** The answer says that it is another block, or carries another one than it says. */
function otherBlock({ answer, chance }: Scene): Made {
  const block = blockOf(answer, OPTION.block2) ?? { num: 0, more: false, szx: 6 };
  const { option, isHonest } = oddBlock(OPTION.block2, block, chance);
  return { ...told([withBlock(answer, option)]), isTrue: isHonest };
}

function otherBlock1({ answer, chance, request }: Scene): Made {
  const block = blockOf(request, OPTION.block1) ?? { num: 0, more: false, szx: 6 };
  const { option } = oddBlock(OPTION.block1, block, chance);
  return told([withBlock(answer, option)]);
}

/** @returns `isHonest`: whoever reads it can see that it does not fit; a last block that is said to be one can't be told */
function oddBlock(number: number, block: Block, chance: Chance): { option: CoapOption; isHonest: boolean } {
  switch (chance.integer(0, 4)) {
    case 0:
      return { option: blockOption(number, { ...block, num: chance.integer(0, 5000) }), isHonest: true };
    case 1:
      return { option: blockOption(number, { ...block, more: !block.more }), isHonest: false };
    case 2:
      return { option: blockOption(number, { ...block, szx: chance.integer(0, 7) }), isHonest: true };
    case 3:
      return { option: [number, noise(chance, 6)], isHonest: false };
    default:
      return { option: blockOption(number, { ...block, num: Math.max(0, block.num - 1) }), isHonest: true };
  }
}

function withBlock(answer: CoapMessage, option: CoapOption): CoapMessage {
  const rest = answer.options.filter(([number]) => number !== option[0]);
  return { ...answer, options: sorted([...rest, option]) };
}

function endless({ answer, request, chance }: Scene): Made {
  const { num, szx } = blockOf(request, OPTION.block2) ?? { num: 0, szx: chance.pick([4, 6]) };
  const payload = Buffer.alloc(16 << Math.min(szx, 6), "7");
  const block = blockOption(OPTION.block2, { num, more: true, szx: Math.min(szx, 6) });
  return { ...told([{ ...withBlock(answer, block), payload }]), isTrue: false };
}

/** Block after block has an ETag of its own: the document changed while it was read (RFC 7959, 2.4). */
function otherVersion({ answer, chance }: Scene): Made {
  const etag: CoapOption = [OPTION.etag, noise(chance, 8)];
  return told([{ ...answer, options: sorted([...answer.options, etag]) }]);
}

function large({ answer, chance }: Scene): Made {
  const payload = Buffer.alloc(chance.integer(1100, 60_000), chance.pick(["1", " ", "[", "\xff"]), "latin1");
  return { ...told([{ ...answer, payload }]), isTrue: false };
}

function flipped({ answer, chance }: Scene): Made {
  const bytes = encodeCoap(answer);
  for (let flips = chance.integer(1, 4); flips > 0; flips--) {
    // Most of what decides stands at the beginning.
    const at = chance.integer(0, chance.integer(0, 1) === 0 ? Math.min(24, bytes.length - 1) : bytes.length - 1);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.integer(0, 7));
  }
  return raw([bytes]);
}

function cutOff({ answer, chance }: Scene): Made {
  const bytes = encodeCoap(answer);
  return raw([bytes.subarray(0, chance.integer(0, bytes.length - 1))]);
}

function late({ answer, chance, patienceMs }: Scene): Made {
  const afterMs = Math.round((patienceMs * chance.integer(105, 250)) / 100);
  return { datagrams: [{ afterMs, bytes: encodeCoap(answer) }], obeys: true, isTrue: true };
}

function flood({ answer, chance }: Scene): Made {
  const datagrams = Array.from({ length: chance.integer(20, 200) }, () =>
    chance.integer(0, 1) === 0
      ? encodeCoap({ ...answer, token: noise(chance, 8), id: other(chance), type: chance.pick([0, 1, 2, 3]) })
      : noise(chance, 30),
  );
  return raw([...datagrams, encodeCoap(answer)]);
}

function sorted(options: readonly CoapOption[]): readonly CoapOption[] {
  return options.toSorted(([a], [b]) => a - b);
}

function noise(chance: Chance, most: number): Buffer {
  return Buffer.from(Array.from({ length: chance.integer(0, most) }, () => chance.integer(0, 255)));
}

/** What a device tells of a resource that is observed, after its first answer: some of it wrong. */
export function mutatedNotifications({ answer, chance }: Pick<Scene, "answer" | "chance">): readonly Datagram[] {
  return Array.from({ length: chance.integer(0, 6) }, (_, index) => {
    const observe: CoapOption = [OPTION.observe, chance.integer(0, 2) === 0 ? noise(chance, 4) : uintBytes(2 + index)];
    const rest = answer.options.filter(([number]) => number !== OPTION.observe);
    const message = {
      ...answer,
      type: chance.pick([TYPE.confirmable, TYPE.nonConfirmable]),
      id: other(chance),
      code: chance.integer(0, 4) === 0 ? chance.integer(0, 0xff) : CODE.content,
      options: chance.integer(0, 5) === 0 ? rest : sorted([...rest, observe]),
    };
    const bytes = encodeCoap(message);
    if (chance.integer(0, 3) === 0) bytes[chance.integer(0, bytes.length - 1)] = chance.integer(0, 255);
    return { afterMs: 1 + index, bytes };
  });
}
