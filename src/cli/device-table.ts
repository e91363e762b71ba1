import type { DeviceStatus } from "../api/status-report.ts";
import { ageText, type Cell, kWText, type Paint, table } from "./output.ts";

const HEADING = ["DEVICE", "PROTOCOL", "ORDERED", "APPLIED", "MEASURED", "SOC", "VERDICT", "AGE", "PRICE"];

/** The table of devices that `status`, `devices` and the demo show. */
export function deviceTable(devices: readonly DeviceStatus[], options: { colour: boolean; width: number }): string {
  return table(HEADING, devices.map(deviceRow), options);
}

function deviceRow(device: DeviceStatus): readonly Cell[] {
  const verdict = verdictOf(device);
  const price =
    device.clearingPricePerKWh === undefined
      ? "–"
      : `${device.clearingPricePerKWh.toFixed(4)} ${device.currency ?? ""}`.trimEnd();
  const right = (text: string): Cell => ({ text, align: "right" });
  return [
    { text: device.name, paint: device.linkUp ? "plain" : "red" },
    { text: device.protocol, paint: "dim" },
    right(kWText(device.orderedKW)),
    right(kWText(device.appliedKW)),
    right(kWText(device.measuredKW)),
    right(device.socPercent === undefined ? "–" : `${device.socPercent.toFixed(1)} %`),
    verdict,
    right(ageText(device.ageMs)),
    right(price),
  ];
}

function verdictOf(device: DeviceStatus): Cell {
  if (!device.linkUp) return { text: "no link", paint: "red" };
  if (device.verdict === undefined) {
    return device.orderedKW === undefined ? { text: "–", paint: "dim" } : { text: "settling", paint: "dim" };
  }
  return { text: device.verdict, paint: VERDICT_PAINT[device.verdict] };
}

const VERDICT_PAINT: Readonly<Record<NonNullable<DeviceStatus["verdict"]>, Paint>> = {
  effective: "green",
  partial: "yellow",
  ignored: "red",
  reverted: "red",
  refused: "red",
  unreachable: "red",
  unverifiable: "yellow",
  superseded: "dim",
  expired: "dim",
};
