import type { BidBounds } from "../../clearing/clearing-types.ts";
import { type BidCurve, type BidPoint, type CurveShape, curveFault, MAX_CURVE_POINTS } from "../../model/bid-curve.ts";
import { powerKWFromMarket, type SeedDialect } from "../dialects/seed-shape.ts";
import type { WireFields } from "../wire-fields.ts";

/** A curve as a participant wrote it, with what it says its resource can do. */
export interface WireCurve {
  readonly curve: BidCurve;
  /** Powers in kW, export positive. */
  readonly bounds: BidBounds;
  /** Where the curve stands in the message. */
  readonly path: string;
  /** Only if the message names one itself. */
  readonly currency?: string;
}

/**
 * The curve that stands in an object, in either form: the seed's `bidCurve` with `constraints` beside it, or the later
 * `offerCurve {currency, minExport, maxExport, curve}`. Points are never sorted; a curve that falls is refused.
 * @returns nothing where there is neither
 * @throws Refusal naming the field, for a bad pair its second point
 */
export function readCurve(fields: WireFields, dialect: SeedDialect): WireCurve | undefined {
  const offer = fields.object("offerCurve");
  if (offer === undefined) {
    if (!fields.has("bidCurve")) return undefined;
    return wireCurve(fields, "bidCurve", fields, readBounds(fields, dialect.sign), dialect);
  }
  if (fields.has("bidCurve")) fields.fail("offerCurve", "given beside bidCurve; only one may be");
  const bounds = {
    ...readBounds(fields, dialect.sign),
    ...boundsBetween(offer, "minExport", "maxExport", dialect.sign),
  };
  return wireCurve(offer, "curve", fields, bounds, dialect);
}

function wireCurve(
  holder: WireFields,
  name: "bidCurve" | "curve",
  around: WireFields,
  bounds: BidBounds,
  dialect: SeedDialect,
): WireCurve {
  const list = holder.required(name, holder.list(name, MAX_CURVE_POINTS), "array");
  const path = holder.pathOf(name);
  const points = list.map(
    (point): BidPoint => ({
      pricePerKWh: point.required("price", point.number("price"), "number"),
      powerKW: powerKWFromMarket(point.required("powerKW", point.number("powerKW"), "number"), dialect.sign),
    }),
  );
  const fault = curveFault(points);
  if (fault !== undefined) (list[fault.index] ?? holder).fail(list[fault.index] ? "powerKW" : name, fault.fault);
  const currency = holder.currency("currency") ?? around.currency("currency");
  const shape = shapeOf(holder) ?? shapeOf(around) ?? "LINEAR";
  return {
    curve: { shape, currency: currency ?? dialect.currency, points },
    bounds,
    path,
    ...(currency !== undefined && { currency }),
  };
}

function shapeOf(fields: WireFields): CurveShape | undefined {
  const shape = fields.text("curveShape");
  if (shape === undefined || shape === "LINEAR" || shape === "STEP") return shape;
  return fields.fail("curveShape", "expected LINEAR or STEP");
}

/** Bounds beside a curve: in `constraints`, as the seed has them, or directly in the object. */
function readBounds(fields: WireFields, sign: SeedDialect["sign"]): BidBounds {
  const holder = fields.object("constraints") ?? fields;
  const ramp = holder.number("rampRateKWPerMin");
  if (ramp !== undefined && ramp <= 0) holder.fail("rampRateKWPerMin", "expected a number above 0");
  const presentKW = holder.number("presentPowerKW");
  return {
    ...boundsBetween(holder, "minPowerKW", "maxPowerKW", sign),
    ...(ramp !== undefined && { rampRateKWPerMin: ramp }),
    ...(presentKW !== undefined && { presentPowerKW: powerKWFromMarket(presentKW, sign) }),
  };
}

function boundsBetween(fields: WireFields, least: string, most: string, sign: SeedDialect["sign"]): BidBounds {
  const leastKW = fields.number(least);
  const mostKW = fields.number(most);
  if (leastKW !== undefined && mostKW !== undefined && leastKW > mostKW) {
    fields.fail(least, `${leastKW} is above ${most} ${mostKW}`);
  }
  const [a, b] = [leastKW, mostKW].map((kW) => (kW === undefined ? undefined : powerKWFromMarket(kW, sign)));
  // Counted the other way round, the least becomes the most.
  const [minKW, maxKW] = sign === "export-positive" ? [a, b] : [b, a];
  return { ...(minKW !== undefined && { minPowerKW: minKW }), ...(maxKW !== undefined && { maxPowerKW: maxKW }) };
}
