import { type PowerControl, RawPointList, rawPoints } from "./control.ts";
import { storageControls } from "./models/storage-controls.ts";
import {
  CHARGE_RATE_BINDS,
  DISCHARGE_RATE_BINDS,
  percentText,
  powerOfRates,
  storageRates,
} from "./power-conversion.ts";

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
  reversion: { seconds: "InOutWRte_RvrtTms" },
  rampTime: "InOutWRte_RmpTms",
  mayTear: true,
  usable: (block) => block.scaleOf("OutWRte") !== undefined && block.implemented("StorCtl_Mod"),
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
  order: (block, powerKW, { ratings, revertS, rampS, baseline }) => {
    const scale = block.scaleOf("OutWRte") ?? 0;
    const { maxChargeKW = 0, maxDischargeKW = 0 } = ratings;
    const rates = storageRates(powerKW, { maxChargeKW, maxDischargeKW }, scale);
    const list = new RawPointList(block);
    if (rates.outRate === undefined) list.setIfImplemented("OutWRte", baseline.points.get("OutWRte"));
    else list.set("OutWRte", rates.outRate);
    if (rates.inRate === undefined) list.setIfImplemented("InWRte", baseline.points.get("InWRte"));
    else list.set("InWRte", rates.inRate);
    list
      .setIfImplemented("InOutWRte_WinTms", 0)
      .setIfImplemented("InOutWRte_RvrtTms", revertS)
      .set("StorCtl_Mod", rates.mode);
    if (rampS === undefined) list.keep("InOutWRte_RmpTms");
    else list.setIfImplemented("InOutWRte_RmpTms", rampS);
    const told = [
      `124.StorCtl_Mod ${rates.mode}`,
      ...(rates.outRate === undefined ? [] : [`OutWRte ${percentText(rates.outRate, scale)} %`]),
      ...(rates.inRate === undefined ? [] : [`InWRte ${percentText(rates.inRate, scale)} %`]),
    ];
    return {
      appliedKW: rates.appliedKW,
      command: told.join(", "),
      points: list.points,
      verify: [
        "StorCtl_Mod",
        ...(rates.outRate === undefined ? [] : ["OutWRte"]),
        ...(rates.inRate === undefined ? [] : ["InWRte"]),
      ],
    };
  },
  shows: (block, ratings) => {
    const mode = block.raw("StorCtl_Mod") ?? 0;
    const scale = block.scaleOf("OutWRte") ?? 0;
    if ((mode & (CHARGE_RATE_BINDS | DISCHARGE_RATE_BINDS)) === 0) return { text: "124 says that no rate binds" };
    const { maxChargeKW, maxDischargeKW } = ratings;
    const rates = { mode, inRate: block.raw("InWRte"), outRate: block.raw("OutWRte") };
    const saysKW =
      maxChargeKW === undefined || maxDischargeKW === undefined
        ? undefined
        : powerOfRates(rates, { maxChargeKW, maxDischargeKW }, scale);
    const grid = block.raw("ChaGriSet") === 0 ? ", charging from the grid is not allowed (ChaGriSet)" : "";
    const rate = (raw: number | undefined) => (raw === undefined ? "nothing" : `${percentText(raw, scale)} %`);
    return {
      text: `124 says StorCtl_Mod ${mode}, OutWRte ${rate(rates.outRate)}, InWRte ${rate(rates.inRate)}${grid}`,
      ...(saysKW === undefined ? {} : { saysKW }),
    };
  },
};
