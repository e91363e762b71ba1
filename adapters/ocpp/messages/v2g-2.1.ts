import { scheduleStartS } from "../control/charging-profile.ts";
import type { SetpointProfile } from "../control/setpoint-profile.ts";
import type { SetpointBounds, WireSetpoint } from "../control/v2g-setpoint.ts";
import type { JsonRecord } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import type { V2gRequests } from "./dialect.ts";
import { withoutStatus } from "./dialect-2.0.1.ts";

/** Setpoints of OCPP 2.1. */
export const V2G_21: V2gRequests = {
  setSetpoint: (profile) => ({
    action: "SetChargingProfile",
    payload: { evseId: profile.evseId, chargingProfile: profileFields(profile) },
    unusable: withoutStatus,
  }),
  updateSetpoint: (profileId, setpoint) => ({
    action: "UpdateDynamicSchedule",
    payload: { chargingProfileId: profileId, scheduleUpdate: setpointFields(setpoint) },
    unusable: withoutStatus,
  }),
  allowTransfer: (transactionId, modes) => ({
    action: "NotifyAllowedEnergyTransfer",
    payload: { transactionId, allowedEnergyTransfer: modes },
    unusable: withoutStatus,
  }),
};

/** A setpoint as part of a period or of an update. Without L2 and L3 it is the sum of all lines, with them that of L1. */
export function setpointFields({ totalW, lineW }: WireSetpoint): JsonRecord {
  if (lineW === undefined) return { setpoint: totalW };
  return { setpoint: lineW[0], setpoint_L2: lineW[1], setpoint_L3: lineW[2] };
}

function profileFields(profile: SetpointProfile): JsonRecord {
  const { id, kind, stackLevel, transactionId, phases, leaseS, pullS } = profile;
  const dynamic = kind === "Dynamic";
  return {
    id,
    stackLevel,
    chargingProfilePurpose: "TxProfile",
    chargingProfileKind: kind,
    transactionId,
    ...(dynamic ? { dynUpdateInterval: pullS } : {}),
    chargingSchedule: [
      {
        id,
        // A dynamic schedule begins when it arrives and counts from its last update (K28.FR.13): no clock has a part in it.
        ...(dynamic ? { duration: leaseS } : absoluteSpan(profile)),
        chargingRateUnit: "W",
        chargingSchedulePeriod: [
          {
            startPeriod: 0,
            operationMode: "CentralSetpoint",
            ...setpointFields(profile.setpoint),
            ...boundFields(profile.bounds),
            ...(phases === undefined ? {} : { numberPhases: phases }),
          },
        ],
      },
    ],
  };
}

function absoluteSpan({ nowMs, untilMs }: SetpointProfile): JsonRecord {
  const startS = scheduleStartS(nowMs);
  return { startSchedule: timestampFrom(startS * 1000), duration: Math.ceil(untilMs / 1000) - startS };
}

function boundFields({ limitW, dischargeLimitW, lines }: SetpointBounds): JsonRecord {
  if (lines === undefined) return { limit: limitW, dischargeLimit: dischargeLimitW };
  const { limitW: limit, dischargeLimitW: back } = lines;
  return {
    limit: limit[0],
    limit_L2: limit[1],
    limit_L3: limit[2],
    dischargeLimit: back[0],
    dischargeLimit_L2: back[1],
    dischargeLimit_L3: back[2],
  };
}
