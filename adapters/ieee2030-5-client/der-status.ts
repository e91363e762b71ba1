import type { MeteredDevice } from "../../src/model/utility.ts";
import { element, type OutElement } from "../ieee2030-5/xml/xml-write.ts";
import type { DerState } from "./der-documents.ts";
import { derOf } from "./der-ratings.ts";
import type { HeldControls } from "./event-schedule.ts";

/** Least power that counts as running, kW. */
const RUNNING_KW = 0.01;
/** Bits of ConnectStatusType. */
const STATUS = { connected: 0b001, available: 0b010, operating: 0b100 } as const;
const OPERATIONAL_MODE = { off: 1, operational: 2 } as const;
/**
 * CSIP-AUS shows the demand response mode of AS/NZS 4755 that is in force as 100 and its number: by hundredths of a percent
 * of opModFixedW, with a hundredth below 0 for "takes nothing" beside 0 for "gives nothing".
 */
const RESPONSE_MODES: Readonly<Record<number, number>> = {
  [-1]: 101,
  [-5_000]: 102,
  [-7_500]: 103,
  [-10_000]: 104,
  0: 105,
  5000: 106,
  7500: 107,
  10000: 108,
};
const DISCONNECTED_MODE = 100;

export function derStatus(state: DerState): OutElement {
  const { devices, nowS } = state;
  const der = derOf(devices);
  const charges = der.flatMap(({ kind, socPercent }) =>
    kind === "battery" && socPercent !== undefined ? [socPercent] : [],
  );
  const meanSoc = charges.reduce((sum, one) => sum + one, 0) / charges.length;
  const since = (name: string, value: string | number) =>
    element(name, [element("dateTime", nowS), element("value", value)]);
  const status = connectStatus(der, state.held);
  const isRunning = (status & STATUS.operating) !== 0;
  return element("DERStatus", [
    element("alarmStatus", "00000000"),
    since("genConnectStatus", status.toString(16).padStart(2, "0")),
    since(
      "operationalModeStatus",
      responseMode(state) ?? (isRunning ? OPERATIONAL_MODE.operational : OPERATIONAL_MODE.off),
    ),
    element("readingTime", nowS),
    // Whole percents: each change is a request.
    charges.length > 0 ? since("stateOfChargeStatus", Math.round(meanSoc) * 100) : undefined,
  ]);
}

/** The demand response mode that is carried out now; absent while there is none, and without CSIP-AUS. */
export function responseMode({ devices, held, csipAus }: DerState): number | undefined {
  if (csipAus === "none") return undefined;
  if (held.get("opModConnect")?.value === 0) return isStill(derOf(devices)) ? DISCONNECTED_MODE : undefined;
  const fixed = held.get("opModFixedW");
  return fixed === undefined ? undefined : RESPONSE_MODES[fixed.value];
}

/**
 * No contactor is opened here: the DER counts as disconnected, or as switched off, once that is ordered and its meters show
 * that nothing flows. One that a limit holds at nothing goes on operating.
 */
function connectStatus(der: readonly MeteredDevice[], held: HeldControls): number {
  if (!der.some(({ linkUp }) => linkUp)) return 0;
  const isOrdered = { connect: held.get("opModConnect")?.value, energize: held.get("opModEnergize")?.value };
  const isOff = isOrdered.connect === 0 || isOrdered.energize === 0;
  if (isOff && isStill(der)) return isOrdered.connect === 0 ? STATUS.available : STATUS.connected | STATUS.available;
  const isRunning = der.some((device) => device.linkUp && (flows(device) || (!isOff && isHeldAtNothing(device))));
  return STATUS.connected | STATUS.available | (isRunning ? STATUS.operating : 0);
}

/** True only where every meter says so. */
function isStill(der: readonly MeteredDevice[]): boolean {
  return der.every((device) => device.powerKW !== undefined && !flows(device));
}

function flows({ powerKW }: MeteredDevice): boolean {
  return Math.abs(powerKW ?? 0) > RUNNING_KW;
}

function isHeldAtNothing({ targetKW, availability }: MeteredDevice): boolean {
  if (targetKW === undefined || Math.abs(targetKW) > RUNNING_KW) return false;
  // Panels at night would do nothing without the limit too.
  return availability === undefined || availability.maxPowerKW - availability.minPowerKW > RUNNING_KW;
}
