import type { Clock } from "../../../src/clock.ts";
import type { Era } from "../../../src/model/resource.ts";
import type { AdapterOperation } from "../../kind.ts";
import type { ControlEvent } from "../controls/control-ledger.ts";
import { describePower } from "../controls/control-power.ts";
import { describeOrder, isOrder } from "../controls/operator-order.ts";

/** Who has ordered what of a device, as the device can see it. */
export interface ListedControl {
  readonly era: Era;
  readonly mRID: string;
  /** EventStatus.currentStatus in words. */
  readonly status: string;
  /** RFC 3339. */
  readonly start: string;
  readonly end: string;
  readonly order: string;
  /** Who ordered it. Where both order the same, the operator's holds and the market's is superseded or cancelled. */
  readonly by: "market" | "operator";
  readonly setpointId: string;
  /** What the device answered to it; absent where it is not asked. */
  readonly answer?: string;
}

/** EventStatus.currentStatus (2030.5-2018, 10.2.3.2); the last one came with the edition of 2023. */
const STATUS_WORDS = ["scheduled", "active", "cancelled", "cancelled, end randomised", "superseded", "completed"];

interface ControlledDevice {
  readonly era: Era;
  controls(): readonly ControlEvent[];
  /** What the device answered to a control; absent where it answers none. */
  answered?(mRID: string): string;
}

/** The operation behind `setpointd 2030.5 controls`: what each device is told, the newest of a device last. */
export function listControls(devices: () => Iterable<ControlledDevice>, clock: Clock): AdapterOperation {
  return async () => ({
    at: new Date(clock.now()).toISOString(),
    controls: [...devices()].flatMap((device) =>
      device.controls().map((event) => listedControl({ era: device.era, desk: device }, event)),
    ),
  });
}

/** @param desk absent `answered`: the device answers nothing */
export function listedControl(
  { era, desk }: { readonly era: Era; readonly desk: { answered?(mRID: string): string } },
  event: ControlEvent,
): ListedControl {
  const answer = desk.answered?.(event.mRID);
  return {
    era,
    mRID: event.mRID,
    status: STATUS_WORDS[event.status] ?? String(event.status),
    start: new Date(event.startS * 1000).toISOString(),
    end: new Date(event.endS * 1000).toISOString(),
    order: isOrder(event.power) ? describeOrder(event.power) : describePower(event.power),
    by: isOrder(event.power) ? "operator" : "market",
    setpointId: event.setpointId,
    ...(answer !== undefined && { answer }),
  };
}
