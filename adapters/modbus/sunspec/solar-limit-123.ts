import { type PowerControl, RawPointList, rawPoints } from "./control.ts";
import { limitEvidence } from "./limit-evidence.ts";
import { immediateControls } from "./models/immediate-controls.ts";
import { kWFromRawPercent, leastRawPercent, percentText, rawPercentFromKW } from "./power-conversion.ts";

const POINTS = ["WMaxLimPct", "WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms", "WMaxLimPct_RmpTms", "WMaxLim_Ena"] as const;

/**
 * A solar limit through model 123, in percent of 121.WMax. Only the five registers of the limit are ever written: the
 * same model holds `Conn`, and a device may show 0 (disconnect) there while it runs.
 *
 * @param minPercent least limit; some inverters drop off the grid or lock up at 0 %
 */
export function solarLimit123(minPercent: number): PowerControl {
  return {
    model: "123",
    table: immediateControls,
    enable: "WMaxLim_Ena",
    written: POINTS,
    reversion: { seconds: "WMaxLimPct_RvrtTms" },
    rampTime: "WMaxLimPct_RmpTms",
    mayTear: true,
    usable: (block) => block.scaleOf("WMaxLimPct") !== undefined && block.implemented("WMaxLim_Ena"),
    range: ({ legacyMaxKW }) => (legacyMaxKW === undefined ? undefined : { minPowerKW: 0, maxPowerKW: legacyMaxKW }),
    baseline: (block, isTrue) => {
      const points = rawPoints(block, POINTS);
      if (!isTrue) {
        points.set("WMaxLimPct", rawPercentFromKW(1, 1, block.scaleOf("WMaxLimPct") ?? 0));
        return { points, enabled: false };
      }
      // An enabled limit with a reversion time is somebody's command that is about to end, not the device's default.
      const enabled = points.get("WMaxLim_Ena") === 1 && (points.get("WMaxLimPct_RvrtTms") ?? 0) === 0;
      return { points, enabled };
    },
    order: (block, powerKW, { ratings, revertS, rampS }) => {
      const ratingKW = ratings.legacyMaxKW ?? 0;
      const scale = block.scaleOf("WMaxLimPct") ?? 0;
      const raw = Math.max(rawPercentFromKW(powerKW, ratingKW, scale), leastRawPercent(minPercent, scale));
      const list = new RawPointList(block)
        .set("WMaxLimPct", raw)
        // A window makes the device wait a random part of it.
        .setIfImplemented("WMaxLimPct_WinTms", 0)
        .setIfImplemented("WMaxLimPct_RvrtTms", revertS)
        .set("WMaxLim_Ena", 1);
      if (rampS === undefined) list.keep("WMaxLimPct_RmpTms");
      else list.setIfImplemented("WMaxLimPct_RmpTms", rampS);
      return {
        appliedKW: kWFromRawPercent(raw, ratingKW, scale),
        command: `123.WMaxLimPct ${percentText(raw, scale)} % of ${ratingKW} kW`,
        points: list.points,
        verify: ["WMaxLimPct", "WMaxLim_Ena"],
      };
    },
    shows: (block, { legacyMaxKW }) => {
      const isEnabled = block.raw("WMaxLim_Ena") === 1;
      return limitEvidence(
        "123",
        { isEnabled, raw: block.raw("WMaxLimPct"), scale: block.scaleOf("WMaxLimPct") },
        legacyMaxKW,
      );
    },
  };
}
