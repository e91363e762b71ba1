import type { Stranger } from "../adapters/kind.ts";
import type { DeviceStatus, StatusReport } from "./api/status-report.ts";
import type { Config, DeviceConfig } from "./config/schema.ts";
import type { DeviceSnapshot } from "./dispatch/device-lane.ts";
import type { DeviceTally } from "./tally.ts";

/** What the parts of a gateway know at one moment. */
export interface StatusInput {
  readonly config: Config;
  readonly version: string;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly ready: boolean;
  readonly addresses: Readonly<Record<string, string>>;
  readonly market?: StatusReport["market"];
  readonly snapshots: readonly DeviceSnapshot[];
  readonly tally: (era: string) => DeviceTally;
  readonly readings: (era: string) => number;
  readonly bidCurves: (era: string) => number;
  readonly objective: (era: string) => DeviceStatus["objective"];
  readonly strangers: readonly Stranger[];
  readonly meterFault?: string;
  readonly utility?: StatusReport["utility"];
}

/** One answer for all who look: the command line, the demo and the page. */
export function statusReport(input: StatusInput): StatusReport {
  const configs = new Map(input.config.devices.map((device) => [device.era, device]));
  return {
    schemaVersion: 1,
    site: input.config.site.name,
    version: input.version,
    startedAtMs: input.startedAtMs,
    nowMs: input.nowMs,
    ready: input.ready,
    addresses: input.addresses,
    ...(input.market && { market: input.market }),
    ...(input.utility && { utility: input.utility }),
    ...(input.meterFault !== undefined && { meterFault: input.meterFault }),
    devices: input.snapshots.flatMap((snapshot) => {
      const config = configs.get(snapshot.era);
      return config === undefined ? [] : [deviceStatus(snapshot, config, input)];
    }),
    strangers: input.strangers.map(({ identity, address, attempts, lastSeenMs, reason }) => ({
      identity,
      address,
      attempts,
      lastSeenMs,
      reason,
    })),
  };
}

function deviceStatus(snapshot: DeviceSnapshot, config: DeviceConfig, input: StatusInput): DeviceStatus {
  const { era, capability, availability, setpoint, acceptance, boundBy, reading, judgement } = snapshot;
  const { setpoints, verdicts } = input.tally(era);
  const objective = input.objective(era);
  const limits = [...(snapshot.utilityLimits ?? []), ...(snapshot.limits ?? [])];
  return {
    era,
    name: config.name ?? era,
    kind: config.kind,
    protocol: snapshot.protocol,
    linkUp: snapshot.linkUp,
    linkDetail: snapshot.linkDetail,
    ...(capability && {
      failsafe: capability.failsafe,
      ...(capability.failsafeReason !== undefined && { failsafeReason: capability.failsafeReason }),
      minPowerKW: capability.minPowerKW,
      maxPowerKW: capability.maxPowerKW,
    }),
    ...(availability && { availability: availability.reason }),
    // What only holds a device within a utility's bounds was ordered by nobody.
    ...(setpoint && setpoint.source.kind !== "utility" && { orderedKW: setpoint.powerKW }),
    ...(setpoint && { validUntilMs: setpoint.validUntilMs }),
    ...(acceptance && { appliedKW: acceptance.appliedKW, command: acceptance.command }),
    ...(boundBy && { boundBy: boundBy.source }),
    ...(limits.length > 0 && { limits }),
    ...(snapshot.notices && { notices: snapshot.notices }),
    ...(reading?.powerKW !== undefined && { measuredKW: reading.powerKW }),
    ...(snapshot.socPercent !== undefined && { socPercent: snapshot.socPercent }),
    ...(reading && { ageMs: Math.max(0, input.nowMs - reading.receivedAtMs) }),
    ...(judgement && { verdict: judgement.verdict, verdictReason: judgement.reason }),
    ...(snapshot.lastError !== undefined && { lastError: snapshot.lastError }),
    ...(setpoint?.clearingPrice && {
      clearingPricePerKWh: setpoint.clearingPrice.pricePerKWh,
      currency: setpoint.clearingPrice.currency,
    }),
    ...(objective && { objective }),
    setpoints,
    verdicts,
    readings: input.readings(era),
    bidCurves: input.bidCurves(era),
  };
}
