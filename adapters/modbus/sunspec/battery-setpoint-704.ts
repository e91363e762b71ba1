import { type PowerControl, RawPointList, rawPoints } from "./control.ts";
import { derControls } from "./models/der-controls.ts";
import { kWFromRawWatts, rawWattsFromKW } from "./power-conversion.ts";

const WATTS = 1;
const POINTS = [
  "WSetEna",
  "WSetMod",
  "WSet",
  "WSetRvrt",
  "WSetPct",
  "WSetPctRvrt",
  "WSetEnaRvrt",
  "WSetRvrtTms",
] as const;

/** A battery's power through model 704: watts with a sign, positive injects, as in the core. */
export const batterySetpoint704: PowerControl = {
  model: "704",
  table: derControls,
  enable: "WSetEna",
  written: POINTS,
  // Half of a 32-bit setpoint is another setpoint.
  mayTear: false,
  usable: (block) => block.scaleOf("WSet") !== undefined && block.implemented("WSetEna"),
  reverts: (block) => block.implemented("WSetRvrtTms"),
  range: ({ maxChargeKW, maxDischargeKW, derMaxKW }) => {
    const chargeKW = maxChargeKW ?? derMaxKW;
    const dischargeKW = maxDischargeKW ?? derMaxKW;
    if (chargeKW === undefined || dischargeKW === undefined) return undefined;
    return { minPowerKW: 0 - chargeKW, maxPowerKW: dischargeKW };
  },
  baseline: (block, isTrue) => {
    const points = rawPoints(block, POINTS);
    if (!isTrue) return { points: points.set("WSetEna", 0), enabled: false };
    if ((points.get("WSetRvrtTms") ?? 0) > 0) {
      // A command that is about to end: what it falls back to is the device's default.
      points.set("WSet", points.get("WSetRvrt") ?? points.get("WSet") ?? 0);
      points.set("WSetEna", points.get("WSetEnaRvrt") ?? 0);
      points.set("WSetRvrtTms", 0);
    }
    return { points, enabled: points.get("WSetEna") === 1 };
  },
  order: (block, _ratings, powerKW, revertS, baseline) => {
    const scale = block.scaleOf("WSet") ?? 0;
    const raw = rawWattsFromKW(powerKW, scale);
    const reverts = block.implemented("WSetRvrtTms");
    const appliedKW = kWFromRawWatts(raw, scale);
    const { points } = new RawPointList(block)
      .set("WSetEna", 1)
      .set("WSetMod", WATTS)
      .set("WSet", raw)
      .setIfImplemented("WSetRvrt", baseline.points.get("WSet"))
      .keep("WSetPct")
      .keep("WSetPctRvrt")
      .setIfImplemented("WSetEnaRvrt", baseline.points.get("WSetEna") ?? 0)
      .setIfImplemented("WSetRvrtTms", revertS);
    return {
      appliedKW,
      command: `704.WSet ${Math.round(appliedKW * 1000)} W${reverts ? `, reverts in ${revertS} s` : ""}`,
      points,
      verify: ["WSetEna", "WSetMod", "WSet"],
      reverts,
    };
  },
};
