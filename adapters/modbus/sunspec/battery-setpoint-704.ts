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
  reversion: { seconds: "WSetRvrtTms", left: "WSetRvrtRem" },
  // Half of a 32-bit setpoint is another setpoint.
  mayTear: false,
  usable: (block) => block.scaleOf("WSet") !== undefined && block.implemented("WSetEna"),
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
  order: (block, powerKW, { revertS, baseline }) => {
    const scale = block.scaleOf("WSet") ?? 0;
    const raw = rawWattsFromKW(powerKW, scale);
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
      command: `704.WSet ${Math.round(appliedKW * 1000)} W`,
      points,
      verify: ["WSetEna", "WSetMod", "WSet"],
    };
  },
  shows: (block, { derMaxKW }) => {
    if (block.raw("WSetEna") !== 1) return { text: "704 says that no setpoint is enabled" };
    const isWatts = block.raw("WSetMod") === WATTS;
    const watts = block.number("WSet");
    const percent = block.number("WSetPct");
    if (isWatts && watts !== undefined) return { text: `704 says ${watts} W, enabled`, saysKW: watts / 1000 };
    if (isWatts || percent === undefined) return { text: "704 says that a setpoint is enabled, and not which" };
    return {
      text: `704 says ${percent} % of its greatest power, enabled`,
      ...(derMaxKW === undefined ? {} : { saysKW: (percent * derMaxKW) / 100 }),
    };
  },
};
