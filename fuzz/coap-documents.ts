import { encode } from "cborg";
import type { Chance } from "./chance.ts";
import { mutate } from "./json-mutation.ts";
import type { CoapDocument } from "./lying-coap-device.ts";

/** IANA's numbers of the content-formats. */
const FORMAT = { text: 0, linkFormat: 40, json: 50, cbor: 60, senmlJson: 110, senmlCbor: 112 } as const;

/** What a payload is: how it is written, and for JSON and CBOR what of. */
export type PayloadKind = keyof typeof FORMAT;

/** A payload that is right, and what it is made of. */
interface RightPayload {
  readonly kind: PayloadKind;
  /** A tree for JSON and CBOR, else the text. */
  readonly content: unknown;
}

function bytesOf({ kind, content }: RightPayload): Buffer {
  if (kind === "text" || kind === "linkFormat") return Buffer.from(String(content));
  if (kind === "cbor" || kind === "senmlCbor") return Buffer.from(encode(content));
  return Buffer.from(JSON.stringify(content));
}

function documentOf(payload: RightPayload): CoapDocument {
  return { format: FORMAT[payload.kind], body: bytesOf(payload) };
}

/** Resources whose one value is known; `padding` bytes stand beside it, so that it takes blocks. */
const VALUES: Readonly<Record<string, (value: number, padding: number) => RightPayload>> = {
  "/v/text": (value, padding) => ({ kind: "text", content: `${value}${" ".repeat(padding)}` }),
  "/v/json": (value, padding) => ({ kind: "json", content: { pad: "x".repeat(padding), meter: { v: value } } }),
  "/v/rows": (value, padding) => ({
    kind: "json",
    content: { G: [...Array.from({ length: padding >> 4 }, (_, row) => [0, row, 1]), [0, 9999, value]] },
  }),
  "/v/senml-json": (value, padding) => ({
    kind: "senmlJson",
    content: [
      { bn: "urn:", n: "pad", vs: "x".repeat(padding) },
      { n: "v", v: value },
    ],
  }),
  "/v/cbor": (value, padding) => ({ kind: "cbor", content: { pad: "x".repeat(padding), meter: { v: value } } }),
  "/v/senml-cbor": (value, padding) => ({
    kind: "senmlCbor",
    content: [
      new Map<number, unknown>([
        [-2, "urn:"],
        [0, "pad"],
        [3, "x".repeat(padding)],
      ]),
      new Map<number, unknown>([
        [0, "v"],
        [2, value],
      ]),
    ],
  }),
  "/.well-known/core": (value, padding) => ({
    kind: "linkFormat",
    content: `</v/${value}>;rt="a b";ct=50;obs,</v/text>;title="${"x".repeat(padding)}",</v/json>`,
  }),
};

export const VALUE_PATHS: readonly string[] = Object.keys(VALUES);

/** The resource of a path while it has this value. */
export function valueDocument(path: string, value: number, padding: number): CoapDocument | undefined {
  const made = VALUES[path]?.(value, padding);
  return made && documentOf(made);
}

/** The same with something wrong in it. */
export function mutatedValueDocument(path: string, value: number, padding: number, chance: Chance): CoapDocument {
  const made = VALUES[path]?.(value, padding) ?? { kind: "text", content: "" };
  return { format: FORMAT[made.kind], body: mutatedBody(made, chance) };
}

/** What the devices of three profiles have. */
const DEVICES: Readonly<Record<string, Readonly<Record<string, RightPayload>>>> = {
  "plain-der": {
    "/.well-known/core": { kind: "linkFormat", content: "</der/status>;ct=50;obs,</der/setpoint>;ct=50" },
    "/der/info": {
      kind: "cbor",
      content: { vendor: "V", model: "M", serial: "S", capacityWh: 9000, maxChargeW: 5000, maxDischargeW: 4000 },
    },
    "/der/status": { kind: "json", content: { power: -1200, voltage: 230.5, soc: 55.5 } },
    "/der/registers": {
      kind: "senmlJson",
      content: [
        { bn: "urn:dev:meter:", bu: "Wh", n: "import", v: 1000 },
        { n: "export", v: 2000 },
      ],
    },
    "/der/setpoint": { kind: "json", content: { power: 0, seconds: 0 } },
  },
  "lwm2m-power-control": {
    "/.well-known/core": { kind: "linkFormat", content: "</3305/0>;rt=x,</3312/0>,</3305/0/5800>;obs" },
    "/3/0/0": { kind: "text", content: "V" },
    "/3/0/1": { kind: "text", content: "M" },
    "/3305/0/5800": { kind: "text", content: "1234.5" },
    "/3305/0/5805": { kind: "text", content: "99.5" },
    "/3312/0/5850": { kind: "text", content: "1" },
    "/3312/0/5851": { kind: "text", content: "80" },
  },
  "shelly-3em": {
    "/cit/s": {
      kind: "json",
      content: {
        G: [1, 2, 3].flatMap((phase) =>
          [500.5, 1000, 2000, 230, 2.2].map((value, place) => [0, 4005 + 100 * phase + place, value]),
        ),
      },
    },
  },
};

export const PROFILE_IDS: readonly string[] = Object.keys(DEVICES);

/** Everything that a device of a profile has, one to three of it with something wrong. */
export function mutatedDevice(profile: string, chance: Chance): ReadonlyMap<string, CoapDocument> {
  const right = Object.entries(DEVICES[profile] ?? {});
  const wrong = new Set(Array.from({ length: chance.integer(1, 3) }, () => chance.integer(0, right.length - 1)));
  return new Map(
    right.map(([path, payload], index) => [
      path,
      wrong.has(index)
        ? { ...oddFormat(FORMAT[payload.kind], chance), body: mutatedBody(payload, chance) }
        : documentOf(payload),
    ]),
  );
}

function oddFormat(format: number, chance: Chance): Pick<CoapDocument, "format"> {
  const odd = chance.integer(0, 19);
  if (odd === 0) return {};
  return { format: odd === 1 ? chance.integer(0, 0xffff) : format };
}

function mutatedBody(payload: RightPayload, chance: Chance): Buffer {
  switch (payload.kind) {
    case "text":
      return mutatedText(String(payload.content), chance);
    case "linkFormat":
      return mutatedLinks(String(payload.content), chance);
    case "json":
    case "senmlJson":
      return mutatedTree(payload.content, chance).bytes;
    case "cbor":
    case "senmlCbor":
      return mutatedCbor(payload, chance);
  }
}

/** The mutation takes a list with the message in it; what it puts beside the message is another thing that may come. */
function mutatedTree(content: unknown, chance: Chance) {
  const { bytes, isBinary } = mutate([content], chance);
  // Without the brackets it is the message alone, unless the brackets are what is wrong.
  const text = bytes.toString("latin1");
  const isWhole = text.startsWith("[") && text.endsWith("]");
  return { bytes: isWhole ? Buffer.from(text.slice(1, -1), "latin1") : bytes, isBinary };
}

const ODD_TEXTS: readonly ((chance: Chance) => string)[] = [
  () => "",
  () => " ",
  () => "NaN",
  () => "-Infinity",
  () => "1e999",
  () => "1e308",
  () => "-1.7976931348623157e308",
  () => "0x10",
  () => "1,5",
  () => "1 2",
  () => "--1",
  () => "true",
  () => "\u0000",
  () => "\ufeff12",
  () => "١٢٣",
  (chance) => "9".repeat(chance.integer(1, 60_000)),
  (chance) => " ".repeat(chance.integer(1, 60_000)),
  (chance) => `0.${"0".repeat(chance.integer(1, 60_000))}1`,
  (chance) => String(chance.integer(-1e9, 1e9)),
];

function mutatedText(text: string, chance: Chance): Buffer {
  if (chance.integer(0, 3) === 0) return flipped(Buffer.from(text), chance);
  return Buffer.from(chance.pick(ODD_TEXTS)(chance));
}

const ODD_LINKS: readonly ((chance: Chance) => string)[] = [
  () => "",
  () => "<",
  () => "<>",
  () => "</a>;",
  () => '</a>;;;=;="',
  () => '</a>;title="',
  () => '</a>;title="\\"',
  () => "</__proto__>;__proto__=1;constructor=2;hasOwnProperty",
  (chance) => "</a>,".repeat(chance.integer(1, 12_000)),
  (chance) => `</a>${";b=c".repeat(chance.integer(1, 15_000))}`,
  (chance) => `</a>${';b="c;d="'.repeat(chance.integer(1, 5000))}`,
  (chance) => `</a>${';"'.repeat(chance.integer(1, 30_000))}`,
  (chance) => `</a>;${" ".repeat(chance.integer(1, 60_000))}`,
  (chance) => `</a>;b="${'\\"'.repeat(chance.integer(1, 30_000))}`,
  (chance) => `</a>;b="${"x".repeat(chance.integer(1, 60_000))}`,
  (chance) => "<".repeat(chance.integer(1, 60_000)),
  (chance) => `${" ".repeat(chance.integer(1, 60_000))}<`,
];

function mutatedLinks(text: string, chance: Chance): Buffer {
  switch (chance.integer(0, 4)) {
    case 0:
      return flipped(Buffer.from(text), chance);
    case 1:
      return Buffer.from(text.slice(0, chance.integer(0, text.length)));
    case 2:
      return Buffer.from(`${text},${chance.pick(ODD_LINKS)(chance)}`);
    default:
      return Buffer.from(chance.pick(ODD_LINKS)(chance));
  }
}

/** Heads that promise much, nothing that ends, numbers that are none, and tags. */
const ODD_CBOR: readonly ((chance: Chance) => Buffer)[] = [
  () => Buffer.alloc(0),
  () => Buffer.from("9bffffffffffffffff", "hex"),
  () => Buffer.from("bb00000000ffffffff", "hex"),
  () => Buffer.from("7b7fffffffffffffff", "hex"),
  () => Buffer.from("5affffffff", "hex"),
  () => Buffer.from("9f", "hex"),
  () => Buffer.from("bf6161ff", "hex"),
  () => Buffer.from("fb7ff8000000000000", "hex"),
  () => Buffer.from("f97c00", "hex"),
  () => Buffer.from("c24900ffffffffffffffff", "hex"),
  () => Buffer.from("c482200a", "hex"),
  () => Buffer.from("1bffffffffffffffff", "hex"),
  () => Buffer.from("3bffffffffffffffff", "hex"),
  () => Buffer.from("a1695f5f70726f746f5f5fa16176f5", "hex"),
  () => Buffer.from("81a2616e6176616e6177", "hex"),
  (chance) => Buffer.alloc(chance.integer(1, 60_000), 0x81),
  (chance) => Buffer.concat(new Array<Buffer>(chance.integer(1, 20_000)).fill(Buffer.from("a16161", "hex"))),
  (chance) => Buffer.concat([Buffer.of(0x9f), Buffer.alloc(chance.integer(1, 60_000), 0x01), Buffer.of(0xff)]),
  (chance) => Buffer.from(Array.from({ length: chance.integer(1, 200) }, () => chance.integer(0, 255))),
];

function mutatedCbor(payload: RightPayload, chance: Chance): Buffer {
  const right = bytesOf(payload);
  switch (chance.integer(0, 4)) {
    case 0:
      return flipped(right, chance);
    case 1:
      return right.subarray(0, chance.integer(0, right.length));
    case 2: {
      // JSON values that nobody foresees, as CBOR.
      const { bytes } = mutatedTree(payload.kind === "cbor" ? payload.content : { n: "v", v: 1 }, chance);
      try {
        return Buffer.from(encode(JSON.parse(bytes.toString("utf8"))));
      } catch {
        return bytes;
      }
    }
    default:
      return chance.pick(ODD_CBOR)(chance);
  }
}

function flipped(right: Buffer, chance: Chance): Buffer {
  const bytes = Buffer.from(right);
  for (let flips = chance.integer(1, 4); flips > 0 && bytes.length > 0; flips--) {
    const at = chance.integer(0, Math.min(bytes.length - 1, 60));
    bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.integer(0, 7));
  }
  return bytes;
}
