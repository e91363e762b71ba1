import { z } from "zod";
import type { BidPoint } from "../../src/model/bid-curve.ts";
import { Refusal } from "./answer.ts";
import { currency, energyKWh, era, instant, MAX_POWER_KW, powerKW, pricePerKWh, read } from "./wire-fields.ts";

/** A point may miss its own bound by rounding, not by more. */
const BOUND_TOLERANCE_KW = 1e-6;

const Objectives = z.object({
  targetChargeKWh: energyKWh.optional(),
  deadline: instant.optional(),
  maxPricePerKWh: pricePerKWh.optional(),
  preferredSource: z.string().max(64).optional(),
  constraints: z.object({ minChargeKWh: energyKWh.optional(), maxChargeKWh: energyKWh.optional() }).optional(),
  objectiveConstraints: z.object({ minChargeKWh: energyKWh.optional(), maxChargeKWh: energyKWh.optional() }).optional(),
});

const Constraints = z.object({
  minPowerKW: powerKW.optional(),
  maxPowerKW: powerKW.optional(),
  rampRateKWPerMin: z.number().positive().optional(),
});

const Curve = z
  .array(z.object({ price: pricePerKWh, powerKW }))
  .min(1)
  .max(1000);

/** What may stand beside a curve. The seed knows no shape; without one a curve is linear. */
const besideCurve = {
  curveShape: z.enum(["LINEAR", "STEP"]).optional(),
  currency: currency.optional(),
  constraints: Constraints.optional(),
  objectives: Objectives.optional(),
};

const Intent = z.object({ era, bidCurve: Curve, ...besideCurve });

const Discover = z.object({ intent: Intent });

/** What a resource may say anew while its transaction is open. */
export const Revision = z.object({ era: era.optional(), bidCurve: Curve.optional(), ...besideCurve });

export type Objectives = z.infer<typeof Objectives>;

/** A curve that a participant bids, already checked. */
export interface CurveBid {
  readonly era?: string;
  /** Linear between them: a step became two points at one price. */
  readonly points: readonly BidPoint[];
  readonly currency?: string;
  readonly objectives?: Objectives;
}

/** @throws Refusal */
export function readDiscover(body: unknown): CurveBid & { readonly era: string } {
  const { intent } = read(z.object({ message: Discover }), body).message;
  return { ...curveBid(intent, intent.bidCurve, "message.intent"), era: intent.era };
}

/** Checks a curve against itself and its bounds. @throws Refusal naming the point */
export function curveBid(from: z.infer<typeof Revision>, curve: z.infer<typeof Curve>, place: string): CurveBid {
  const { minPowerKW = -MAX_POWER_KW, maxPowerKW = MAX_POWER_KW } = from.constraints ?? {};
  if (minPowerKW > maxPowerKW) {
    throw new Refusal(
      400,
      "CURVE_INVALID",
      `${place}.constraints`,
      `minPowerKW ${minPowerKW} is above maxPowerKW ${maxPowerKW}`,
    );
  }
  for (const [index, point] of curve.entries()) {
    const refuse = (key: string, fault: string) =>
      new Refusal(400, "CURVE_INVALID", `${place}.bidCurve.${index}.${key}`, fault);
    const before = curve[index - 1];
    if (before !== undefined && point.price < before.price) {
      throw refuse("price", `price ${point.price} is below ${before.price} before it`);
    }
    if (before !== undefined && point.powerKW < before.powerKW) {
      throw refuse("powerKW", `power falls from ${before.powerKW} to ${point.powerKW} kW as the price rises`);
    }
    if (point.powerKW < minPowerKW - BOUND_TOLERANCE_KW || point.powerKW > maxPowerKW + BOUND_TOLERANCE_KW) {
      throw refuse("powerKW", `${point.powerKW} kW is outside the constraints ${minPowerKW} to ${maxPowerKW} kW`);
    }
  }
  return {
    points: curve.flatMap(({ price, powerKW }, index) => {
      const before = curve[index - 1];
      const point = { pricePerKWh: price, powerKW };
      if (from.curveShape !== "STEP" || before === undefined) return [point];
      // Nobody does more than was said at a price as good as that: a buyer holds down to the point before, a seller up to
      // the next, and between the two there is nothing.
      const between = before.powerKW < 0 ? Math.min(powerKW, 0) : before.powerKW;
      return [{ pricePerKWh: before.price, powerKW: between }, { pricePerKWh: price, powerKW: between }, point];
    }),
    ...(from.currency !== undefined && { currency: from.currency }),
    ...(from.era !== undefined && { era: from.era }),
    ...(from.objectives !== undefined && { objectives: from.objectives }),
  };
}
