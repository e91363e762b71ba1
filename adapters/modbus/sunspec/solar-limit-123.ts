import { type PowerControl, RawPointList, rawPoints } from "./control.ts";
import { immediateControls } from "./models/immediate-controls.ts";
import { kWFromRawPercent, rawPercentFromKW } from "./power-conversion.ts";

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
    mayTear: true,
    usable: (block) => block.scaleOf("WMaxLimPct") !== undefined && block.implemented("WMaxLim_Ena"),
    reverts: (block) => block.implemented("WMaxLimPct_RvrtTms"),
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
    order: (block, ratings, powerKW, revertS) => {
      const ratingKW = ratings.legacyMaxKW ?? 0;
      const scale = block.scaleOf("WMaxLimPct") ?? 0;
      const least = Math.ceil(minPercent * 10 ** -scale);
      const raw = Math.max(rawPercentFromKW(powerKW, ratingKW, scale), least);
      const reverts = block.implemented("WMaxLimPct_RvrtTms");
      const { points } = new RawPointList(block)
        .set("WMaxLimPct", raw)
        // A window makes the device wait a random part of it; a ramp that was set up stays.
        .setIfImplemented("WMaxLimPct_WinTms", 0)
        .setIfImplemented("WMaxLimPct_RvrtTms", revertS)
        .keep("WMaxLimPct_RmpTms")
        .set("WMaxLim_Ena", 1);
      const appliedKW = kWFromRawPercent(raw, ratingKW, scale);
      const percent = percentText(raw, scale);
      return {
        appliedKW,
        command: `123.WMaxLimPct ${percent} % of ${ratingKW} kW${reverts ? `, reverts in ${revertS} s` : ""}`,
        points,
        verify: ["WMaxLimPct", "WMaxLim_Ena"],
        reverts,
      };
    },
  };
}

/** A raw percentage for a person, without the noise of binary fractions. */
export function percentText(raw: number, scale: number): string {
  return (raw * 10 ** scale).toFixed(Math.max(0, -scale));
}
