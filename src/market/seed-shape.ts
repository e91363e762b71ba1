import { z } from "zod";
import type { Objective } from "../model/objective.ts";
import type { Price } from "../model/setpoint.ts";
import { durationMsFromText, instantMsFromText } from "./iso-time.ts";
import { PREFIXES } from "./zod-fault.ts";

/** What the seed's dialect leaves to the site's configuration. */
export interface SeedDialect {
  /**
   * `export-positive` is the seed's own rule: negative power is consumption. A market that counts consumption positive
   * has to be declared as `import-positive`; nothing is ever guessed from the number.
   */
  readonly sign: "export-positive" | "import-positive";
  /** ISO 4217, for a price that comes without its currency. */
  readonly currency: string;
}

/** Our power (kW, export positive) from the market's; the only place where its sign turns on the way in. */
export function powerKWFromMarket(powerKW: number, sign: SeedDialect["sign"]): number {
  // Adding zero makes −0 a plain 0.
  return (sign === "export-positive" ? powerKW : -powerKW) + 0;
}

/** The market's power from ours (kW, export positive); the only place where the sign turns on the way out. */
export function marketFromPowerKW(powerKW: number, sign: SeedDialect["sign"]): number {
  return (sign === "export-positive" ? powerKW : -powerKW) + 0;
}

/**
 * An object of which only the named fields are read, each with or without `beckn:` before its name. A field that is there
 * in two spellings is refused, since two readers could take different ones.
 */
export function named<Shape extends z.ZodRawShape>(shape: Shape) {
  // Put together once: every message goes through here.
  const nameOf = new Map(
    Object.keys(shape).flatMap((name) => ["", ...PREFIXES].map((prefix) => [prefix + name, name] as const)),
  );
  return z.preprocess((value, issues) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const fields: Record<string, unknown> = {};
    const spellings = Object.keys(value);
    for (const spelling of spellings) {
      const name = nameOf.get(spelling);
      if (name === undefined) continue;
      if (Object.hasOwn(fields, name)) {
        const both = spellings.filter((other) => nameOf.get(other) === name).sort((a, b) => a.length - b.length);
        issues.addIssue({ code: "custom", path: [name], message: `given twice, as ${both.join(" and ")}` });
        break;
      }
      fields[name] = (value as Record<string, unknown>)[spelling];
    }
    return fields;
  }, z.object(shape));
}

export const instantMs = z.string().transform((text, issues) => {
  const ms = instantMsFromText(text);
  if (ms !== undefined) return ms;
  issues.addIssue({ code: "custom", message: "expected an RFC 3339 time such as 2026-06-15T12:05:00Z" });
  return z.NEVER;
});

const durationMs = z.string().transform((text, issues) => {
  const ms = durationMsFromText(text);
  if (ms !== undefined && ms > 0) return ms;
  issues.addIssue({ code: "custom", message: "expected an ISO 8601 duration above zero, such as PT15M" });
  return z.NEVER;
});

export const currencyCode = z.string().regex(/^[A-Z]{3}$/, "expected an ISO 4217 code such as INR");

/** Fields that can say when a setpoint holds. The seed's `on_confirm` has none of them; these are the ones in use nearby. */
export const windowFields = {
  validFrom: instantMs.optional(),
  validUntil: instantMs.optional(),
  startTime: instantMs.optional(),
  duration: durationMs.optional(),
  timeWindow: named({ start: instantMs, end: instantMs }).optional(),
};

type WindowFields = z.infer<z.ZodObject<typeof windowFields>>;

/** When a setpoint holds, wall time in epoch ms; each side only if the message gives it. */
export interface Window {
  readonly validFromMs?: number;
  readonly validUntilMs?: number;
}

/**
 * The window from whichever form was used: `validFrom`/`validUntil`, `startTime`/`duration` or `timeWindow`.
 * A duration without a start counts from now. Returns the name of the bad field with the fault if the forms are mixed or
 * the end is not after the start.
 */
export function windowFrom(
  fields: WindowFields,
  nowMs: number,
): Window | { readonly field: string; readonly fault: string } {
  const { validFrom, validUntil, startTime, duration, timeWindow } = fields;
  const forms = [
    validFrom !== undefined || validUntil !== undefined ? "validFrom/validUntil" : undefined,
    startTime !== undefined || duration !== undefined ? "startTime/duration" : undefined,
    timeWindow !== undefined ? "timeWindow" : undefined,
  ].filter((form) => form !== undefined);
  if (forms.length > 1) {
    return { field: lastField(fields), fault: `more than one window is given: ${forms.join(" and ")}` };
  }
  const fromMs = validFrom ?? startTime ?? timeWindow?.start;
  const untilMs =
    validUntil ?? timeWindow?.end ?? (duration === undefined ? undefined : (startTime ?? nowMs) + duration);
  if (fromMs !== undefined && untilMs !== undefined && untilMs <= fromMs) {
    return { field: lastField(fields), fault: "the window ends before it begins" };
  }
  return {
    ...(fromMs !== undefined && { validFromMs: fromMs }),
    ...(untilMs !== undefined && { validUntilMs: untilMs }),
  };
}

function lastField(fields: WindowFields): string {
  return Object.keys(windowFields).findLast((name) => fields[name as keyof WindowFields] !== undefined) ?? "validUntil";
}

const energyKWh = z.number().min(0);

/** Objectives on the wire; `objectiveConstraints` is what the seed's own examples call `constraints`. */
export const Objectives = named({
  targetChargeKWh: energyKWh.optional(),
  deadline: instantMs.optional(),
  maxPricePerKWh: z.number().optional(),
  preferredSource: z.string().max(128).optional(),
  constraints: named({ minChargeKWh: energyKWh.optional(), maxChargeKWh: energyKWh.optional() }).optional(),
  objectiveConstraints: named({ minChargeKWh: energyKWh.optional(), maxChargeKWh: energyKWh.optional() }).optional(),
});

/** The objective, or nothing if its energy or its deadline is missing: without both it is not a goal. */
export function objectiveFrom(fields: z.infer<typeof Objectives> | undefined): Objective | undefined {
  if (fields?.targetChargeKWh === undefined || fields.targetChargeKWh === 0 || fields.deadline === undefined) {
    return undefined;
  }
  const { minChargeKWh, maxChargeKWh } = fields.constraints ?? fields.objectiveConstraints ?? {};
  return {
    targetChargeKWh: fields.targetChargeKWh,
    deadlineMs: fields.deadline,
    ...(fields.maxPricePerKWh !== undefined && { maxPricePerKWh: fields.maxPricePerKWh }),
    ...(fields.preferredSource !== undefined && { preferredSource: fields.preferredSource }),
    ...(minChargeKWh !== undefined && { minChargeKWh }),
    ...(maxChargeKWh !== undefined && { maxChargeKWh }),
  };
}

/** A price with the currency that stands nearest to it; never converted. */
export function priceFrom(
  pricePerKWh: number | undefined,
  currencies: readonly (string | undefined)[],
  fallback: string,
): Price | undefined {
  if (pricePerKWh === undefined) return undefined;
  return { pricePerKWh, currency: currencies.find((currency) => currency !== undefined) ?? fallback };
}
