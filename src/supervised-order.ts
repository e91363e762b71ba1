import type { Clock } from "./clock.ts";
import type { DeviceLane } from "./dispatch/device-lane.ts";
import type { Acceptance } from "./model/adapter.ts";
import type { Setpoint } from "./model/setpoint.ts";
import type { Judgement } from "./model/verdict.ts";

const POLL_MS = 100;
/** A device that is not released by then is tried again by its lane; a person is not kept waiting. */
const RELEASE_MS = 15_000;

/** What became of an order while somebody watched. */
export interface Supervised {
  readonly judgement?: Judgement;
  readonly acceptance?: Acceptance;
  readonly lastError?: string;
  readonly tookMs: number;
}

/** An order of a person at the device, beside which the market's wait. */
export function operatorSetpoint(
  lane: DeviceLane,
  orderId: string,
  powerKW: number,
  nowMs: number,
  validMs: number,
): Setpoint {
  return {
    id: `operator/${lane.era}/${orderId}`,
    era: lane.era,
    powerKW,
    validFromMs: nowMs,
    validUntilMs: nowMs + validMs,
    receivedAtMs: nowMs,
    source: { kind: "operator", orderId },
  };
}

/** Gives an order and waits for the meter's verdict, at most `forMs`. The order holds on afterwards. */
export async function supervise(
  lane: DeviceLane,
  setpoint: Setpoint,
  forMs: number,
  clock: Clock,
  submit: (setpoint: Setpoint) => Promise<void>,
  signal: AbortSignal,
): Promise<Supervised> {
  await submit(setpoint);
  const startedMs = clock.elapsedMs();
  const judged = () => {
    const { judgement } = lane.snapshot();
    return judgement?.setpointId === setpoint.id ? judgement : undefined;
  };
  while (judged() === undefined && clock.elapsedMs() - startedMs < forMs && !signal.aborted) {
    await clock.sleep(POLL_MS, signal).catch(() => {});
  }
  const { acceptance, lastError } = lane.snapshot();
  const judgement = judged();
  return {
    ...(judgement && { judgement }),
    ...(acceptance && { acceptance }),
    ...(lastError !== undefined && { lastError }),
    tookMs: clock.elapsedMs() - startedMs,
  };
}

/** Takes orders back and waits until the device is its own master again, or follows the order that was there before. */
export async function takeBack(
  lane: DeviceLane,
  isOurs: (setpoint: Setpoint) => boolean,
  reason: string,
  clock: Clock,
): Promise<{ readonly ok: boolean; readonly detail: string }> {
  lane.withdraw(isOurs, reason);
  const startedMs = clock.elapsedMs();
  while (clock.elapsedMs() - startedMs < RELEASE_MS) {
    const { setpoint } = lane.snapshot();
    if (setpoint !== undefined)
      return { ok: true, detail: `${setpoint.source.kind} setpoint ${setpoint.id} holds again` };
    if (!lane.isUnderCommand)
      return { ok: true, detail: "the order was taken back; the device has its own default again" };
    await clock.sleep(POLL_MS);
  }
  return { ok: false, detail: "the order was taken back, and the device could not be released yet; it is tried again" };
}
