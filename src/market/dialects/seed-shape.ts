import type { Objective, PriceMode } from "../../model/objective.ts";
import type { Price } from "../../model/setpoint.ts";
import type { WireFields } from "../wire-fields.ts";
import type { PowerSign } from "./order-codec.ts";

/** What the seed's dialect leaves to the site's configuration. */
export interface SeedDialect {
  /**
   * `export-positive` is the seed's own rule: negative power is consumption. A market that counts consumption positive
   * has to be declared as `import-positive`.
   */
  readonly sign: PowerSign;
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

const OVER: ReadonlySet<string> = new Set(["CANCELLED", "CANCELED", "REJECTED", "TERMINATED", "COMPLETED", "COMPLETE"]);

/** Whether a status says that an order, or the contract in it, is over. */
export function isOverWord(status: string | undefined): boolean {
  return status !== undefined && OVER.has(status.toUpperCase());
}

const WINDOW_FIELDS = ["validFrom", "validUntil", "startTime", "duration", "timeWindow"] as const;

/** When a setpoint holds, wall time in epoch ms; each side only if the message gives it. */
export interface Window {
  readonly validFromMs?: number;
  readonly validUntilMs?: number;
}

/** Whether a field stands here that can say when a setpoint holds. */
export function hasWindow(fields: WireFields): boolean {
  return WINDOW_FIELDS.some((name) => fields.has(name));
}

/**
 * The window from whichever form was used: `validFrom`/`validUntil`, `startTime`/`duration` or `timeWindow`. The seed's
 * `on_confirm` has none of them; these are the ones in use nearby. A duration without a start counts from now.
 * @throws Refusal naming the field if the forms are mixed or the end is not after the start
 */
export function readWindow(fields: WireFields, nowMs: number): Window {
  const validFrom = fields.instantMs("validFrom");
  const validUntil = fields.instantMs("validUntil");
  const startTime = fields.instantMs("startTime");
  const duration = fields.durationMs("duration");
  const timeWindow = fields.object("timeWindow");
  const start = timeWindow?.required("start", timeWindow.instantMs("start"), "string");
  const end = timeWindow?.required("end", timeWindow.instantMs("end"), "string");
  const forms = [
    validFrom !== undefined || validUntil !== undefined ? "validFrom/validUntil" : undefined,
    startTime !== undefined || duration !== undefined ? "startTime/duration" : undefined,
    timeWindow !== undefined ? "timeWindow" : undefined,
  ].filter((form) => form !== undefined);
  const last = () => WINDOW_FIELDS.findLast((name) => fields.has(name)) ?? "validUntil";
  if (forms.length > 1) fields.fail(last(), `more than one window is given: ${forms.join(" and ")}`);
  const fromMs = validFrom ?? startTime ?? start;
  const untilMs = validUntil ?? end ?? (duration === undefined ? undefined : (startTime ?? nowMs) + duration);
  if (fromMs !== undefined && untilMs !== undefined && untilMs <= fromMs) {
    fields.fail(last(), "the window ends before it begins");
  }
  return {
    ...(fromMs !== undefined && { validFromMs: fromMs }),
    ...(untilMs !== undefined && { validUntilMs: untilMs }),
  };
}

/** Objectives on the wire; the highest price counts even where the rest is no goal. */
export interface WireObjectives {
  readonly maxPricePerKWh?: number;
  /** Absent if its energy or its deadline is: without both it is not a goal. */
  readonly objective?: Objective;
}

/** @throws Refusal naming the field */
export function readObjectives(fields: WireFields): WireObjectives {
  const targetChargeKWh = fields.number("targetChargeKWh", 0);
  const deadlineMs = fields.instantMs("deadline");
  const maxPricePerKWh = fields.number("maxPricePerKWh");
  const priceMode = readPriceMode(fields);
  const preferredSource = fields.text("preferredSource");
  // `objectiveConstraints` is what the seed's own examples call `constraints`.
  const bounds = fields.object("constraints") ?? fields.object("objectiveConstraints");
  const minChargeKWh = bounds?.number("minChargeKWh", 0);
  const maxChargeKWh = bounds?.number("maxChargeKWh", 0);
  const price = maxPricePerKWh === undefined ? {} : { maxPricePerKWh };
  if (!targetChargeKWh || deadlineMs === undefined) return price;
  const objective: Objective = {
    targetChargeKWh,
    deadlineMs,
    ...price,
    ...(priceMode !== undefined && { priceMode }),
    ...(preferredSource !== undefined && { preferredSource }),
    ...(minChargeKWh !== undefined && { minChargeKWh }),
    ...(maxChargeKWh !== undefined && { maxChargeKWh }),
  };
  return { ...price, objective };
}

function readPriceMode(fields: WireFields): PriceMode | undefined {
  const mode = fields.text("priceMode");
  if (mode === undefined || mode === "HARD_DEADLINE" || mode === "HARD_PRICE") return mode;
  return fields.fail("priceMode", "expected HARD_DEADLINE or HARD_PRICE");
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
