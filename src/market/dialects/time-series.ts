import type { WireFields } from "../wire-fields.ts";

const MAX_INTERVALS = 500;
const MAX_PAYLOADS = 64;
const MAX_ID = 100_000;

/** One interval of a time series, with its values still by name. */
export interface SeriesInterval {
  /** Wall time, epoch ms. */
  readonly startMs: number;
  readonly untilMs: number;
  /** Type → payload. */
  readonly payloads: ReadonlyMap<string, WireFields>;
}

/** What a series says about the values of one type. */
export interface PayloadDescriptor {
  readonly fields: WireFields;
  /** As written, for example `KW`. */
  readonly units?: string;
  /** Which side of the contract gives these values. */
  readonly insertedBy?: string;
}

/**
 * The intervals of a time series. Interval n begins n durations after the series does, unless it says itself when it
 * begins or how long it is.
 * @throws Refusal naming the field if a time is missing or two intervals are the same one
 */
export function readIntervals(series: WireFields): readonly SeriesInterval[] {
  const shared = series.object("intervalPeriod");
  const sharedStartMs = shared?.instantMs("start");
  const sharedMs = shared?.durationMs("duration");
  const seen = new Set<number>();
  return (series.list("intervals", MAX_INTERVALS) ?? []).map((interval): SeriesInterval => {
    const own = interval.object("intervalPeriod");
    const durationMs = own?.durationMs("duration") ?? sharedMs ?? noTime(series, "a duration");
    const startMs =
      own?.instantMs("start") ?? nthStartMs(interval, sharedStartMs ?? noTime(series, "a start"), durationMs);
    if (seen.has(startMs)) interval.fail("id", "two intervals begin at the same time");
    seen.add(startMs);
    return { startMs, untilMs: startMs + durationMs, payloads: payloadsOf(interval) };
  });
}

/** Descriptors by payload type. @throws Refusal if a type is described twice */
export function readDescriptors(series: WireFields): ReadonlyMap<string, PayloadDescriptor> {
  const descriptors = new Map<string, PayloadDescriptor>();
  for (const fields of series.list("payloadDescriptors", MAX_PAYLOADS) ?? []) {
    const type = fields.text("payloadType");
    if (type === undefined) continue;
    if (descriptors.has(type)) fields.fail("payloadType", `${type} is described twice`);
    const units = fields.text("units");
    const insertedBy = fields.text("insertedBy");
    descriptors.set(type, {
      fields,
      ...(units !== undefined && { units }),
      ...(insertedBy !== undefined && { insertedBy }),
    });
  }
  return descriptors;
}

/** All numbers of a payload. */
export function valuesOf(payload: WireFields): readonly number[] {
  const values = payload.raw("values");
  if (!Array.isArray(values)) return payload.fail("values", "expected a list of numbers");
  for (const value of values) if (typeof value !== "number") payload.fail("values", "expected numbers only");
  return values;
}

/** The one number of a payload. */
export function oneValueOf(payload: WireFields): number {
  const [value, other] = valuesOf(payload);
  if (value === undefined || other !== undefined) return payload.fail("values", "expected exactly one number");
  return value;
}

function payloadsOf(interval: WireFields): ReadonlyMap<string, WireFields> {
  const payloads = new Map<string, WireFields>();
  for (const payload of interval.list("payloads", MAX_PAYLOADS) ?? []) {
    const type = payload.required("type", payload.text("type"), "string");
    if (payloads.has(type)) payload.fail("type", `${type} stands twice in this interval`);
    payloads.set(type, payload);
  }
  return payloads;
}

/** Its number says its place and not its position in the list: an interval may be left out. */
function nthStartMs(interval: WireFields, startMs: number, durationMs: number): number {
  const id = interval.required("id", interval.number("id"), "number");
  if (!Number.isInteger(id) || id < 0 || id > MAX_ID) interval.fail("id", "expected the interval's number, from 0");
  return startMs + id * durationMs;
}

function noTime(series: WireFields, what: string): never {
  return series.fail("intervalPeriod", `expected ${what}, here or in each interval`);
}
