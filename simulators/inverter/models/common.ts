import type { Model } from "../model.ts";
import type { PointRow } from "../point.ts";

export interface DeviceLabel {
  readonly manufacturer: string;
  readonly model: string;
  readonly version: string;
  readonly serial: string;
}

const ROWS: readonly PointRow[] = [
  ["Mn", 2, "string16"],
  ["Md", 18, "string16"],
  ["Opt", 34, "string8"],
  ["Vr", 42, "string8"],
  ["SN", 50, "string16"],
  ["DA", 66, "uint16"],
  ["Pad", 67, "pad"],
];

/** Model 1: who the device is. */
export function commonModel(label: DeviceLabel, unit: number): Model {
  return {
    id: 1,
    rows: ROWS,
    scales: {},
    values: () => ({ Mn: label.manufacturer, Md: label.model, Vr: label.version, SN: label.serial, DA: unit }),
  };
}
