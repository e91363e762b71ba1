import { type PowerControl, RawPointList, rawPoints } from "./control.ts";
import { derControls } from "./models/der-controls.ts";
import { kWFromRawPercent, rawPercentFromKW } from "./power-conversion.ts";
import { percentText } from "./solar-limit-123.ts";

const POINTS = ["WMaxLimPctEna", "WMaxLimPct", "WMaxLimPctRvrt", "WMaxLimPctEnaRvrt", "WMaxLimPctRvrtTms"] as const;

/**
 * A solar limit through model 704, in percent of 702.WMax. One request carries the limit, what to fall back to (the
 * baseline), and when.
 */
export const solarLimit704: PowerControl = {
  model: "704",
  table: derControls,
  enable: "WMaxLimPctEna",
  written: POINTS,
  mayTear: false,
  usable: (block) => block.scaleOf("WMaxLimPct") !== undefined && block.implemented("WMaxLimPctEna"),
  reverts: (block) => block.implemented("WMaxLimPctRvrtTms"),
  range: ({ derMaxKW }) => (derMaxKW === undefined ? undefined : { minPowerKW: 0, maxPowerKW: derMaxKW }),
  baseline: (block, isTrue) => {
    const points = rawPoints(block, POINTS);
    if (!isTrue) {
      points.set("WMaxLimPct", rawPercentFromKW(1, 1, block.scaleOf("WMaxLimPct") ?? 0)).set("WMaxLimPctEna", 0);
      return { points, enabled: false };
    }
    const temporary = (points.get("WMaxLimPctRvrtTms") ?? 0) > 0;
    if (temporary) {
      // A command that is about to end: what it falls back to is the device's default.
      points.set("WMaxLimPct", points.get("WMaxLimPctRvrt") ?? points.get("WMaxLimPct") ?? 0);
      points.set("WMaxLimPctEna", points.get("WMaxLimPctEnaRvrt") ?? 0);
      points.set("WMaxLimPctRvrtTms", 0);
    }
    return { points, enabled: points.get("WMaxLimPctEna") === 1 };
  },
  order: (block, ratings, powerKW, revertS, baseline) => {
    const ratingKW = ratings.derMaxKW ?? 0;
    const scale = block.scaleOf("WMaxLimPct") ?? 0;
    const raw = rawPercentFromKW(powerKW, ratingKW, scale);
    const reverts = block.implemented("WMaxLimPctRvrtTms");
    const { points } = new RawPointList(block)
      .set("WMaxLimPctEna", 1)
      .set("WMaxLimPct", raw)
      .setIfImplemented("WMaxLimPctRvrt", baseline.points.get("WMaxLimPct"))
      .setIfImplemented("WMaxLimPctEnaRvrt", baseline.points.get("WMaxLimPctEna") ?? 0)
      .setIfImplemented("WMaxLimPctRvrtTms", revertS);
    return {
      appliedKW: kWFromRawPercent(raw, ratingKW, scale),
      command: `704.WMaxLimPct ${percentText(raw, scale)} % of ${ratingKW} kW${reverts ? `, reverts in ${revertS} s` : ""}`,
      points,
      verify: ["WMaxLimPctEna", "WMaxLimPct"],
      reverts,
    };
  },
};
