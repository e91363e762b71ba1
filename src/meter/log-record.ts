import { z } from "zod";
import { ERA_PATTERN } from "../model/resource.ts";

/** Name of the format, in the first record of each file. */
export const LOG_FORMAT = "setpointd-interval-log/1";

/** `previous` of the first record ever. */
export const NO_HASH = "0".repeat(64);

/** A line is at most this long, bytes, without its end. */
export const MAX_LINE_BYTES = 4_096;

const instant = z.string().refine((text) => isInstant(text), "must be a time such as 2026-06-15T12:00:00.000Z");
const hash = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits");
const whole = z.int().nonnegative();
const decimal = z.string().regex(/^-?\d{1,12}(\.\d{1,6})?$/, "must be a decimal number in quotes");

/** What each record carries, whatever it tells. */
const chain = {
  /** 1, 2, 3 … over all files of one log. */
  seq: z.int().positive(),
  /** When it was written, wall time. */
  at: instant,
  /** Hash of the record before. */
  previous: hash,
  /** SHA-256 of the canonical JSON of all the rest, hex. */
  hash,
  /** Ed25519 over the hash, base64. */
  signature: z.string().max(88),
};

const openRecord = z.strictObject({
  kind: z.literal("open"),
  format: z.literal(LOG_FORMAT),
  /** Base64 of the bare 32 bytes. */
  publicKey: z.string().max(44),
  ...chain,
});

const intervalRecord = z.strictObject({
  kind: z.literal("interval"),
  era: z.string().regex(ERA_PATTERN),
  start: instant,
  end: instant,
  quality: z.enum(["MEASURED", "ESTIMATED", "GAP"]),
  /** Energy taken in, Wh; absent: the meter does not tell, or nothing is known of a gap. */
  importWh: whole.optional(),
  exportWh: whole.optional(),
  /** The registers at `end`. */
  importRegisterWh: whole.optional(),
  exportRegisterWh: whole.optional(),
  reason: z.string().max(200).optional(),
  setpointId: z.string().max(256).optional(),
  /** Power that was ordered, W, export positive. */
  setpointW: z.int().optional(),
  orderId: z.string().max(256).optional(),
  pricePerKWh: decimal.optional(),
  /** Part of the price that is the grid node's. */
  adderPerKWh: decimal.optional(),
  /** ISO 4217. */
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional(),
  ...chain,
});

const recoveredRecord = z.strictObject({
  kind: z.literal("recovered"),
  /** Bytes at the end of the file that were no whole record, as a power cut leaves them, and their SHA-256. */
  droppedBytes: z.int().positive(),
  droppedSha256: hash,
  ...chain,
});

const closeRecord = z.strictObject({ kind: z.literal("close"), ...chain });

const logRecord = z.discriminatedUnion("kind", [openRecord, intervalRecord, recoveredRecord, closeRecord]);

/** One line of an interval log, sealed. */
export type LogRecord = z.infer<typeof logRecord>;
export type IntervalRecord = z.infer<typeof intervalRecord>;

type ChainKey = keyof typeof chain;
type WithoutChain<T> = T extends unknown ? Omit<T, ChainKey> : never;

/** What a record tells, before it is put into the chain. */
export type RecordBody = WithoutChain<LogRecord>;
export type IntervalBody = Omit<IntervalRecord, ChainKey>;

/**
 * Reads a line.
 * @returns the record, or what is wrong with the line
 */
export function parseRecord(line: string): LogRecord | string {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return "is not JSON";
  }
  const parsed = logRecord.safeParse(json);
  return parsed.success ? parsed.data : issueText(parsed.error);
}

const intervalBody = intervalRecord.omit({ seq: true, at: true, previous: true, hash: true, signature: true });

/** What keeps an interval from being a record, or nothing. */
export function intervalFault(body: IntervalBody): string | undefined {
  const parsed = intervalBody.safeParse(body);
  return parsed.success ? undefined : issueText(parsed.error);
}

function issueText(error: z.ZodError): string {
  const issue = error.issues[0];
  return `${issue?.path.join(".") || "record"}: ${issue?.message ?? "is not valid"}`;
}

/** Only the one form that `toISOString` writes, so that a time has one text. */
function isInstant(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
}
