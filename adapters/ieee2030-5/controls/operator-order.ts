import { z } from "zod";
import type { Limit } from "../../../src/model/limit.ts";
import { type ActivePower, activePowerFromWatts } from "../xml/active-power.ts";
import { type ControlName, type Controls, CSIPAUS_CONTROLS } from "./control-names.ts";
import type { PowerBases } from "./control-power.ts";

const boundKW = z.number().min(0).max(10_000).optional();
const powerKW = z.number().min(-10_000).max(10_000).optional();

/** What an operator may order of a device, any of it at a time. Bounds are magnitudes, powers export positive. */
export const operatorOrderSchema = z
  .strictObject({
    exportKW: boundKW,
    importKW: boundKW,
    generationKW: boundKW,
    loadKW: boundKW,
    maxPercent: z.number().min(0).max(100).optional(),
    fixedPercent: z.number().min(-100).max(100).optional(),
    targetKW: powerKW,
    storageTargetKW: powerKW,
    connect: z.boolean().optional(),
    energize: z.boolean().optional(),
  })
  .refine((order) => Object.values(order).some((value) => value !== undefined), "orders nothing")
  .refine(
    ({ fixedPercent, targetKW, storageTargetKW }) =>
      [fixedPercent, targetKW, storageTargetKW].filter((value) => value !== undefined).length < 2,
    "orders more than one power",
  );

export type OperatorOrder = z.output<typeof operatorOrderSchema>;

/** What an event orders where it is an operator's. */
export interface OrderedControls {
  readonly order: OperatorOrder;
}

export function isOrder(power: object): power is OrderedControls {
  return "order" in power;
}

/** The controls that say it. */
export function controlsOfOrder(order: OperatorOrder): Controls {
  const watts = (kW: number | undefined) => (kW === undefined ? undefined : activePowerFromWatts(kW * 1000));
  // Towards zero, as with the market's; the small part is for what binary fractions lose.
  const hundredths = (percent: number | undefined) =>
    percent === undefined ? undefined : Math.trunc(percent * 100 + Math.sign(percent) * 1e-6);
  const values: readonly [ControlName, number | boolean | ActivePower | undefined][] = [
    ["opModConnect", order.connect],
    ["opModEnergize", order.energize],
    ["opModFixedW", hundredths(order.fixedPercent)],
    ["opModMaxLimW", hundredths(order.maxPercent)],
    ["opModTargetW", watts(order.targetKW)],
    ["opModImpLimW", watts(order.importKW)],
    ["opModExpLimW", watts(order.exportKW)],
    ["opModGenLimW", watts(order.generationKW)],
    ["opModLoadLimW", watts(order.loadKW)],
    ["opModStorageTargetW", watts(order.storageTargetKW)],
  ];
  return new Map(
    values.filter((entry): entry is [ControlName, number | boolean | ActivePower] => entry[1] !== undefined),
  );
}

/** A control in it that only CSIP-AUS has. */
export function csipausControlOf(order: OperatorOrder): ControlName | undefined {
  const names: readonly ControlName[] = CSIPAUS_CONTROLS;
  return [...controlsOfOrder(order).keys()].find((name) => names.includes(name));
}

/** What it leaves of the device's power. What bounds the whole connection counts as the device's, since no more is sure. */
export function limitOfOrder(order: OperatorOrder, bases: PowerBases): Limit | undefined {
  const { exportKW, importKW, generationKW, loadKW, maxPercent, fixedPercent, targetKW, storageTargetKW } = order;
  const isOff = order.connect === false || order.energize === false;
  const fixedKW = fixedPercent && (fixedPercent / 100) * (fixedPercent < 0 ? bases.chargeKW : bases.generationKW);
  const powerKW = isOff ? 0 : (targetKW ?? storageTargetKW ?? fixedKW);
  const given = (values: readonly (number | undefined)[]) => values.filter((value) => value !== undefined);
  const most = given([
    exportKW,
    generationKW,
    maxPercent === undefined ? undefined : (maxPercent / 100) * (bases.maxKW ?? bases.generationKW),
    powerKW,
  ]);
  const least = given([importKW, loadKW]).map((bound) => (bound === 0 ? 0 : -bound));
  if (powerKW !== undefined) least.push(powerKW);
  if (most.length === 0 && least.length === 0) return undefined;
  return {
    source: "operator",
    ...(least.length > 0 && { minPowerKW: Math.max(...least) }),
    ...(most.length > 0 && { maxPowerKW: Math.min(...most) }),
  };
}

/** For a person: "opModExpLimW 1500e0 W, opModConnect false". */
export function describeOrder({ order }: OrderedControls): string {
  return [...controlsOfOrder(order)].map(([name, value]) => `${name} ${valueText(value)}`).join(", ");
}

function valueText(value: number | boolean | ActivePower): string {
  if (typeof value === "number") return `${value} (${value / 100} %)`;
  return typeof value === "boolean" ? String(value) : `${value.value}e${value.multiplier} W`;
}
