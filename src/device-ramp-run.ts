import type { DeviceRampResult, RampStep } from "./api/device-test.ts";
import type { Clock } from "./clock.ts";
import type { DeviceLane } from "./dispatch/device-lane.ts";
import { type Capability, directionFault } from "./model/resource.ts";
import type { Setpoint } from "./model/setpoint.ts";
import { operatorSetpoint, supervise, takeBack } from "./supervised-order.ts";

/** An order outlives its step by this, so that the next one takes over without a moment of no order. */
const OVERLAP_MS = 15_000;

export interface DeviceRampRequest {
  /** kW, export positive; absent: the most that the device generates, or does now where it can only be limited. */
  readonly fromKW?: number | undefined;
  /** kW; absent: the most that it consumes, or does now where it can only be limited; 0 where it consumes nothing. */
  readonly toKW?: number | undefined;
  /** Levels, both ends among them, \u2265 2. */
  readonly steps: number;
  /** How long each level may take until the meter shows it, ms. */
  readonly holdMs: number;
}

/**
 * Leads a device through its range, level by level, and writes down what its meter shows of each. Afterwards, and also when
 * whoever asked has gone, the device is given back.
 */
export async function runDeviceRamp(
  lane: DeviceLane,
  request: DeviceRampRequest,
  clock: Clock,
  submit: (setpoint: Setpoint) => Promise<void>,
  signal: AbortSignal,
): Promise<DeviceRampResult> {
  const { linkUp, linkDetail, capability } = lane.snapshot();
  if (!linkUp || capability === undefined) return notBegun(lane, `the device is not reachable: ${linkDetail}`);
  const now = rangeNow(capability, lane.measuredKW);
  const fromKW = request.fromKW ?? now.maxPowerKW;
  const toKW = request.toKW ?? now.minPowerKW;
  const fault = directionFault(fromKW, lane.era, capability) ?? directionFault(toKW, lane.era, capability);
  if (fault !== undefined) return notBegun(lane, fault);
  if (fromKW === toKW) {
    return notBegun(lane, `from ${fromKW} to ${toKW} kW there is no way; is there sun, or a car, just now?`);
  }

  const rampId = `device-ramp/${clock.now()}`;
  const isOurs = ({ id }: Setpoint) => id.startsWith(`operator/${lane.era}/${rampId}/`);
  const steps: RampStep[] = [];
  let restore: DeviceRampResult["restore"];
  try {
    for (const [index, orderedKW] of levels(fromKW, toKW, request.steps).entries()) {
      if (signal.aborted) break;
      const setpoint = operatorSetpoint(
        lane,
        `${rampId}/${index + 1}`,
        orderedKW,
        clock.now(),
        request.holdMs + OVERLAP_MS,
      );
      const beforeKW = lane.measuredKW;
      const { judgement, acceptance, lastError, tookMs } = await supervise(
        lane,
        setpoint,
        request.holdMs,
        clock,
        submit,
        signal,
      );
      const afterKW = lane.measuredKW;
      steps.push({
        orderedKW,
        ...(acceptance && { appliedKW: acceptance.appliedKW, command: acceptance.command }),
        ...(beforeKW !== undefined && { beforeKW }),
        ...(afterKW !== undefined && { afterKW }),
        tookMs,
        ...(judgement && { verdict: judgement.verdict }),
        reason: judgement?.reason ?? lastError ?? "no verdict in time",
      });
    }
  } finally {
    restore = await takeBack(lane, isOurs, "the device ramp is over", clock);
  }
  const isComplete = steps.length === request.steps && steps.every(({ verdict }) => verdict === "effective");
  return { schemaVersion: 1, era: lane.era, passed: isComplete && restore.ok, steps, restore };
}

/** A device that can only be limited shows no level above what it does by itself: the sun, or the car, decides that. */
function rangeNow({ control, minPowerKW, maxPowerKW }: Capability, measuredKW: number | undefined) {
  if (control !== "limit" || measuredKW === undefined) return { minPowerKW, maxPowerKW };
  const shownKW = Math.trunc(measuredKW * 100) / 100;
  return {
    minPowerKW: Math.max(minPowerKW, Math.min(0, shownKW)),
    maxPowerKW: Math.min(maxPowerKW, Math.max(0, shownKW)),
  };
}

/** Evenly spaced, both ends among them, to a watt. */
function levels(fromKW: number, toKW: number, count: number): readonly number[] {
  const at = (index: number) => fromKW + ((toKW - fromKW) * index) / (count - 1);
  return Array.from({ length: count }, (_, index) => Math.round(at(index) * 1000) / 1000);
}

function notBegun(lane: DeviceLane, why: string): DeviceRampResult {
  return { schemaVersion: 1, era: lane.era, passed: false, notBegun: why, steps: [] };
}
