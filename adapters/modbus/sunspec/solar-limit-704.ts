import { type PowerControl, RawPointList, rawPoints } from "./control.ts";
import { limitEvidence } from "./limit-evidence.ts";
import { derControls } from "./models/der-controls.ts";
import { kWFromRawPercent, leastRawPercent, percentText, rawPercentFromKW } from "./power-conversion.ts";

const POINTS = ["WMaxLimPctEna", "WMaxLimPct", "WMaxLimPctRvrt", "WMaxLimPctEnaRvrt", "WMaxLimPctRvrtTms"] as const;

/**
 * A solar limit through model 704, in percent of 702.WMax. One request carries the limit, what to fall back to (the
 * baseline), and when.
 *
 * @param minPercent least limit; some inverters drop off the grid or lock up at 0 %
 */
export function solarLimit704(minPercent: number): PowerControl {
  return {
    model: "704",
    table: derControls,
    enable: "WMaxLimPctEna",
    written: POINTS,
    reversion: { seconds: "WMaxLimPctRvrtTms", left: "WMaxLimPctRvrtRem" },
    mayTear: false,
    usable: (block) => block.scaleOf("WMaxLimPct") !== undefined && block.implemented("WMaxLimPctEna"),
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
    order: (block, powerKW, { ratings, revertS, baseline }) => {
      const ratingKW = ratings.derMaxKW ?? 0;
      const scale = block.scaleOf("WMaxLimPct") ?? 0;
      const raw = Math.max(rawPercentFromKW(powerKW, ratingKW, scale), leastRawPercent(minPercent, scale));
      const { points } = new RawPointList(block)
        .set("WMaxLimPctEna", 1)
        .set("WMaxLimPct", raw)
        .setIfImplemented("WMaxLimPctRvrt", baseline.points.get("WMaxLimPct"))
        .setIfImplemented("WMaxLimPctEnaRvrt", baseline.points.get("WMaxLimPctEna") ?? 0)
        .setIfImplemented("WMaxLimPctRvrtTms", revertS);
      return {
        appliedKW: kWFromRawPercent(raw, ratingKW, scale),
        command: `704.WMaxLimPct ${percentText(raw, scale)} % of ${ratingKW} kW`,
        points,
        verify: ["WMaxLimPctEna", "WMaxLimPct"],
      };
    },
    shows: (block, { derMaxKW }) => {
      const isEnabled = block.raw("WMaxLimPctEna") === 1;
      return limitEvidence(
        "704",
        { isEnabled, raw: block.raw("WMaxLimPct"), scale: block.scaleOf("WMaxLimPct") },
        derMaxKW,
      );
    },
  };
}
