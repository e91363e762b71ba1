import type { UtilityDemand } from "../../src/model/utility.ts";
import type { Mode } from "./control-values.ts";
import type { DerRatings } from "./der-ratings.ts";
import type { HeldControl, HeldControls } from "./event-schedule.ts";

type Order = NonNullable<UtilityDemand["orders"]>[number];

/**
 * The one place where controls of 2030.5 become bounds and orders in kW. Its controls count generation positive, as we do;
 * its limits are magnitudes with the direction in their name, as ours here are.
 *
 * @param held what is in force now
 * @param goals what that is on its way to, for a person
 * @returns nothing where no control holds
 */
export function demandFromControls(
  held: HeldControls,
  ratings: DerRatings,
  goals: HeldControls = held,
): UtilityDemand | undefined {
  if (held.size === 0) return undefined;
  const kW = (mode: Mode) => {
    const control = held.get(mode);
    return control === undefined ? undefined : control.value / 1000;
  };
  const isOff = held.get("opModConnect")?.value === 0 || held.get("opModEnergize")?.value === 0;
  const share = held.get("opModMaxLimW");
  const generation = [
    kW("opModGenLimW"),
    share === undefined ? undefined : (share.value / 10_000) * ratings.maxKW,
    isOff ? 0 : undefined,
  ].filter((bound) => bound !== undefined);
  const [importKW, exportKW, loadKW] = [kW("opModImpLimW"), kW("opModExpLimW"), kW("opModLoadLimW")];
  const orders = ordersOf(held, ratings, isOff);
  return {
    ...(importKW !== undefined && { importKW }),
    ...(exportKW !== undefined && { exportKW }),
    ...(loadKW !== undefined && { loadKW }),
    ...(generation.length > 0 && { generationKW: Math.min(...generation) }),
    ...(orders.length > 0 && { orders }),
    detail: [...held].map(([mode, control]) => describe(mode, goals.get(mode) ?? control, goals.has(mode))).join(" · "),
  };
}

function ordersOf(held: HeldControls, ratings: DerRatings, isOff: boolean): readonly Order[] {
  const orders: Order[] = isOff ? [{ of: "der", powerKW: 0 }] : [];
  const fixed = held.get("opModFixedW");
  if (fixed !== undefined) orders.push({ of: "der", powerKW: fixedKW(fixed.value, ratings) });
  const target = held.get("opModTargetW");
  if (target !== undefined) orders.push({ of: "der", powerKW: target.value / 1000 });
  const storage = held.get("opModStorageTargetW");
  if (storage !== undefined) orders.push({ of: "storage", powerKW: storage.value / 1000 });
  return orders;
}

/**
 * A positive share is of setMaxW, or of setMaxDischargeRateW for storage alone; a negative one of setMaxChargeRateW (text of
 * opModFixedW in the 2018 schema).
 */
function fixedKW(hundredths: number, { maxKW, maxChargeKW, maxDischargeKW, hasSolar }: DerRatings): number {
  const generationKW = maxDischargeKW > 0 && !hasSolar ? maxDischargeKW : maxKW;
  return (hundredths / 10_000) * (hundredths < 0 ? maxChargeKW : generationKW);
}

function describe(mode: Mode, { value, mRID, primacy, untilMs }: HeldControl, isHeld: boolean): string {
  if (!isHeld) return `${mode} is taken back at the ramp rate`;
  if (mRID === undefined || untilMs === undefined) return `${mode} ${valueText(mode, value)} by default`;
  const until = new Date(untilMs).toISOString().slice(0, 19);
  return `${mode} ${valueText(mode, value)} until ${until}Z (event ${mRID.slice(-12)}, primacy ${primacy})`;
}

function valueText(mode: Mode, value: number): string {
  if (mode === "opModConnect" || mode === "opModEnergize") return value === 0 ? "false" : "true";
  return mode === "opModFixedW" || mode === "opModMaxLimW" ? `${value / 100} %` : `${value} W`;
}
