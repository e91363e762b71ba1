import { type JsonRecord, numberAt, recordAt, recordsAt, textAt } from "../link/json.ts";
import { parseTimestamp } from "../link/timestamp.ts";
import type { Sample, SampleSet, SignedValue } from "../messages/events.ts";
import { inOwnUnit, measurandFrom } from "./measurands.ts";

/** Letters of one signed value that are kept; a longer one is no proof any more, so it is left out as a whole. */
const MAX_SIGNED_CHARS = 4096;

/**
 * Reads the `meterValue` list of any version: text values with a `unit` beside them (1.6), or numbers with
 * `unitOfMeasure` and a power of ten (2.x). What cannot be read is left out; the rest stands.
 */
export function sampleSetsFrom(message: JsonRecord, key = "meterValue"): readonly SampleSet[] {
  return recordsAt(message, key).map((meterValue) => {
    const takenAtMs = parseTimestamp(textAt(meterValue, "timestamp"));
    const samples: Sample[] = [];
    let signed: SignedValue[] | undefined;
    for (const raw of recordsAt(meterValue, "sampledValue")) {
      const sample = sampleFrom(raw);
      if (sample !== undefined) samples.push(sample);
      const evidence = signedFrom(raw);
      if (evidence === undefined) continue;
      signed ??= [];
      signed.push(evidence);
    }
    if (signed !== undefined) return { samples, takenAtMs, signed };
    return takenAtMs === undefined ? { samples } : { samples, takenAtMs };
  });
}

function sampleFrom(raw: JsonRecord): Sample | undefined {
  // 1.6: such a value is a blob for the calibration authority and no number, even where it looks like one.
  if (textAt(raw, "format") === "SignedData") return undefined;
  const plain = numberAt(raw, "value");
  const measurand = measurandFrom(textAt(raw, "measurand"));
  if (plain === undefined || measurand === undefined) return undefined;
  const measure = recordAt(raw, "unitOfMeasure");
  const scaled = plain * 10 ** ((measure && numberAt(measure, "multiplier")) ?? 0);
  const value = inOwnUnit(measurand, scaled, measure ? textAt(measure, "unit") : textAt(raw, "unit"));
  if (value === undefined || !Number.isFinite(value)) return undefined;
  const phase = textAt(raw, "phase");
  const lines = phase === undefined ? undefined : LINES.get(phase.toUpperCase());
  // A value of the neutral says nothing of power.
  if (phase !== undefined && lines === undefined) return undefined;
  const location = textAt(raw, "location");
  const context = textAt(raw, "context");
  // All of one shape, since they are looked through again and again.
  return {
    measurand,
    value,
    line: lines?.line,
    lineToLine: lines?.lineToLine,
    location: location === "Outlet" ? undefined : location,
    context: context === "Sample.Periodic" ? undefined : context,
  };
}

/** 1.6 puts the signed text in place of the value, 2.x beside it. */
function signedFrom(raw: JsonRecord): SignedValue | undefined {
  const signed = recordAt(raw, "signedMeterValue");
  const data =
    signed === undefined
      ? textAt(raw, "format") === "SignedData"
        ? textAt(raw, "value")
        : undefined
      : textAt(signed, "signedMeterData");
  if (data === undefined || data.length > MAX_SIGNED_CHARS) return undefined;
  const context = textAt(raw, "context");
  const encoding = signed && textAt(signed, "encodingMethod");
  const method = signed && textAt(signed, "signingMethod");
  const publicKey = signed && textAt(signed, "publicKey");
  return {
    data,
    ...(context === undefined ? {} : { context }),
    ...(encoding === undefined ? {} : { encoding: encoding.slice(0, 50) }),
    ...(method === undefined ? {} : { method: method.slice(0, 50) }),
    ...(publicKey === undefined || publicKey.length > MAX_SIGNED_CHARS ? {} : { publicKey }),
  };
}

/** `L1`, `L1-N` and `L1-L2` all are line 1. */
const LINES: ReadonlyMap<string, Pick<Sample, "line" | "lineToLine">> = new Map(
  ([1, 2, 3] as const).flatMap((line) => [
    [`L${line}`, { line }],
    [`L${line}-N`, { line }],
    ...["L1", "L2", "L3"].map((other) => [`L${line}-${other}`, { line, lineToLine: true }] as const),
  ]),
);
