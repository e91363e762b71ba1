import { scaledFromNumber } from "../settlement/decimal.ts";
import { PRICE_DIGITS } from "../settlement/money.ts";
import type { TradedInterval } from "../settlement/traded-interval.ts";
import { settlementFromCdr } from "./cdr-settlement.ts";
import type { Cdr } from "./ocpi-objects.ts";

/**
 * The charging periods of a CDR as something to settle: what went into the car, or came out of it. A period without a
 * price that can be told has none here either.
 * @param timeZone of the location, for tariffs with times of day
 * @throws RangeError naming what does not add up, or a credit, which takes back and settles nothing
 */
export function tradesFromCdr(cdr: Cdr, direction: "IMPORT" | "EXPORT", timeZone: string): readonly TradedInterval[] {
  const { lines, currency, faults, isCredit } = settlementFromCdr(cdr, { timeZone });
  if (isCredit) throw new RangeError(`CDR ${cdr.id} is a credit: it takes another one back`);
  if (faults.length > 0) throw new RangeError(`CDR ${cdr.id} does not add up: ${faults.join("; ")}`);
  const { id, evse_uid, connector_id } = cdr.cdr_location;
  const era = `ocpi.location.${cdr.country_code}:${cdr.party_id}:${[id, evse_uid, connector_id].join("/")}`;
  return lines
    .filter(({ startMs, endMs }) => endMs > startMs)
    .map(({ startMs, endMs, netImportWh, price }) => ({
      era,
      orderId: cdr.id,
      startMs,
      endMs,
      quality: "MEASURED" as const,
      meteredWh: Math.max(0, direction === "IMPORT" ? netImportWh : -netImportWh),
      ...(price && { microPerKWh: scaledFromNumber(price.pricePerKWh, PRICE_DIGITS, "price"), currency }),
    }));
}
