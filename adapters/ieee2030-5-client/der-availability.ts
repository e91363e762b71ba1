import type { MeteredDevice } from "../../src/model/utility.ts";
import { activePowerElements, activePowerFromWatts } from "../ieee2030-5/xml/active-power.ts";
import { element, type OutElement } from "../ieee2030-5/xml/xml-write.ts";
import type { DerState } from "./der-documents.ts";
import { derOf } from "./der-ratings.ts";

/** All of a percentage, in its hundredths. */
const WHOLE = 10_000;

/** What a DER could do beyond what it does, kW magnitudes. */
interface Reserve {
  readonly deliverKW: number;
  readonly chargeKW: number;
}

/**
 * How much more the DER could give out and take in: there only where every one of its devices says what it could do, an
 * inverter by its sun and a battery by its charge. A rating is no statement about now.
 */
export function derAvailability({ devices, ratings, nowS }: DerState): OutElement | undefined {
  let deliverKW = 0;
  let chargeKW = 0;
  for (const device of derOf(devices)) {
    const reserve = reserveOf(device);
    if (reserve === undefined) return undefined;
    deliverKW += reserve.deliverKW;
    chargeKW += reserve.chargeKW;
  }
  const { maxKW, maxChargeKW } = ratings;
  const share = (reserveKW: number, ofKW: number) => Math.min(WHOLE, Math.floor((reserveKW / ofKW) * WHOLE));
  return element("DERAvailability", [
    element("readingTime", nowS),
    maxChargeKW > 0 ? element("reserveChargePercent", share(chargeKW, maxChargeKW)) : undefined,
    maxKW > 0 ? element("reservePercent", share(deliverKW, maxKW)) : undefined,
    element("statWAvail", activePowerElements(activePowerFromWatts(deliverKW * 1000))),
  ]);
}

function reserveOf({ kind, linkUp, powerKW, offeredKW, socPercent, availability }: MeteredDevice): Reserve | undefined {
  if (!linkUp || powerKW === undefined) return undefined;
  if (kind === "solar" && offeredKW !== undefined) return { deliverKW: Math.max(0, offeredKW - powerKW), chargeKW: 0 };
  if (kind !== "battery" || socPercent === undefined || availability === undefined) return undefined;
  const { minPowerKW, maxPowerKW } = availability;
  return { deliverKW: Math.max(0, maxPowerKW - powerKW), chargeKW: Math.max(0, powerKW - minPowerKW) };
}
