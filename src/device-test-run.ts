import type { DeviceTestResult, DeviceTestStep } from "./api/device-test.ts";
import type { Clock } from "./clock.ts";
import type { DeviceLane } from "./dispatch/device-lane.ts";
import { type Capability, directionFault } from "./model/resource.ts";
import type { Setpoint } from "./model/setpoint.ts";
import { operatorSetpoint, supervise, takeBack } from "./supervised-order.ts";

/** Three samples and the device's own settling, then something to spare. */
const SAMPLES_WAITED = 5;

export interface DeviceTestRequest {
  /** kW, export positive; absent: look and change nothing. */
  readonly powerKW?: number;
  /** How long the order may hold, ms. */
  readonly holdMs: number;
}

/**
 * Tests one device the way the market would use it: is it there, does its meter tell, and, if a power is given, does the
 * meter follow an order. The order ends by itself and is taken back at the end.
 */
export async function runDeviceTest(
  lane: DeviceLane,
  request: DeviceTestRequest,
  clock: Clock,
  submit: (setpoint: Setpoint) => Promise<void>,
  signal: AbortSignal,
): Promise<DeviceTestResult> {
  const steps: DeviceTestStep[] = [];
  const { linkUp, linkDetail, protocol, capability } = lane.snapshot();
  steps.push({ name: "link", ok: linkUp, detail: `${protocol}: ${linkDetail}` });
  if (!linkUp || capability === undefined) return result(lane, steps);
  steps.push({ name: "device", ok: true, detail: described(capability) });

  const reading = lane.snapshot().reading;
  const ageMs = reading === undefined ? undefined : clock.now() - reading.receivedAtMs;
  const isFresh = reading?.powerKW !== undefined && ageMs !== undefined && ageMs < SAMPLES_WAITED * capability.sampleMs;
  const seen = reading?.powerKW === undefined ? "no power reading" : `${reading.powerKW.toFixed(2)} kW`;
  steps.push({
    name: "read",
    ok: isFresh,
    detail: ageMs === undefined ? seen : `${seen}, ${(ageMs / 1000).toFixed(1)} s old`,
  });
  if (request.powerKW === undefined || !isFresh) return result(lane, steps);
  const fault = directionFault(request.powerKW, lane.era, capability);
  if (fault !== undefined)
    return result(lane, [...steps, { name: "command", ok: false, detail: `not sent: ${fault}` }]);

  const nowMs = clock.now();
  const setpoint = operatorSetpoint(lane, `device-test/${nowMs}`, request.powerKW, nowMs, request.holdMs);
  const { judgement, acceptance, lastError, tookMs } = await supervise(
    lane,
    setpoint,
    request.holdMs,
    clock,
    submit,
    signal,
  );
  steps.push({
    name: "command",
    ok: acceptance !== undefined,
    detail: acceptance?.command ?? lastError ?? judgement?.reason ?? "not accepted in time",
  });
  const tookS = (tookMs / 1000).toFixed(1);
  steps.push({
    name: "meter",
    ok: judgement?.verdict === "effective",
    detail: judgement ? `${judgement.verdict} after ${tookS} s: ${judgement.reason}` : `no verdict after ${tookS} s`,
  });
  steps.push({
    name: "restore",
    ...(await takeBack(lane, (one) => one.id === setpoint.id, "the device test is over", clock)),
  });
  return { ...result(lane, steps), ...(judgement && { verdict: judgement.verdict }) };
}

/** What it is, what it can, and what becomes of a command when the gateway dies. */
function described({ identity, minPowerKW, maxPowerKW, control, failsafe }: Capability): string {
  const name = [identity?.vendor, identity?.model, identity?.firmware].filter((part) => part !== undefined).join(" ");
  const range = `${minPowerKW.toFixed(2)} to ${maxPowerKW.toFixed(2)} kW by ${control}, failsafe ${failsafe}`;
  return name === "" ? range : `${name}: ${range}`;
}

function result(lane: DeviceLane, steps: readonly DeviceTestStep[]): DeviceTestResult {
  return { schemaVersion: 1, era: lane.era, passed: steps.every((step) => step.ok), steps };
}
