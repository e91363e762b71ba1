import { type PowerControl, RawPointList, rawPoints } from "./control.ts";
import { storageControls } from "./models/storage-controls.ts";
import { storageRates } from "./power-conversion.ts";
import { percentText } from "./solar-limit-123.ts";

const POINTS = [
  "StorCtl_Mod",
  "OutWRte",
  "InWRte",
  "InOutWRte_WinTms",
  "InOutWRte_RvrtTms",
  "InOutWRte_RmpTms",
] as const;

/**
 * A battery's power through model 124, forced with a negative limit of the other direction (`storageRates`).
 * 100 % of InWRte is `Ratings.maxChargeKW`, 100 % of OutWRte is `Ratings.maxDischargeKW`; see there for where they come
 * from. A forced charge is a share of the discharging power, so a battery that charges faster than it discharges can be
 * told to charge no faster than it discharges, and the other way round.
 *
 * `ChaGriSet` stays as the installer set it: charging from the grid is not allowed everywhere.
 */
export const batteryRates124: PowerControl = {
  model: "124",
  table: storageControls,
  enable: "StorCtl_Mod",
  written: POINTS,
  mayTear: true,
  usable: (block) => block.scaleOf("OutWRte") !== undefined && block.implemented("StorCtl_Mod"),
  reverts: (block) => block.implemented("InOutWRte_RvrtTms"),
  range: ({ maxChargeKW, maxDischargeKW }) => {
    if (maxChargeKW === undefined || maxDischargeKW === undefined) return undefined;
    const forcedKW = Math.min(maxChargeKW, maxDischargeKW);
    return { minPowerKW: 0 - forcedKW, maxPowerKW: forcedKW };
  },
  baseline: (block, isTrue) => {
    const points = rawPoints(block, POINTS);
    const mode = points.get("StorCtl_Mod") ?? 0;
    return { points, enabled: isTrue && mode !== 0 && (points.get("InOutWRte_RvrtTms") ?? 0) === 0 };
  },
  order: (block, ratings, powerKW, revertS, baseline) => {
    const scale = block.scaleOf("OutWRte") ?? 0;
    const { maxChargeKW = 0, maxDischargeKW = 0 } = ratings;
    const rates = storageRates(powerKW, { maxChargeKW, maxDischargeKW }, scale);
    const reverts = block.implemented("InOutWRte_RvrtTms");
    const list = new RawPointList(block);
    if (rates.outRate === undefined) list.setIfImplemented("OutWRte", baseline.points.get("OutWRte"));
    else list.set("OutWRte", rates.outRate);
    if (rates.inRate === undefined) list.setIfImplemented("InWRte", baseline.points.get("InWRte"));
    else list.set("InWRte", rates.inRate);
    const { points } = list
      .setIfImplemented("InOutWRte_WinTms", 0)
      .setIfImplemented("InOutWRte_RvrtTms", revertS)
      .keep("InOutWRte_RmpTms")
      .set("StorCtl_Mod", rates.mode);
    const told = [
      `124.StorCtl_Mod ${rates.mode}`,
      ...(rates.outRate === undefined ? [] : [`OutWRte ${percentText(rates.outRate, scale)} %`]),
      ...(rates.inRate === undefined ? [] : [`InWRte ${percentText(rates.inRate, scale)} %`]),
      ...(reverts ? [`reverts in ${revertS} s`] : []),
    ];
    return {
      appliedKW: rates.appliedKW,
      command: told.join(", "),
      points,
      verify: [
        "StorCtl_Mod",
        ...(rates.outRate === undefined ? [] : ["OutWRte"]),
        ...(rates.inRate === undefined ? [] : ["InWRte"]),
      ],
      reverts,
    };
  },
};
