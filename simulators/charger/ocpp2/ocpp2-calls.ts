import { z } from "zod";
import type { CallHandler, ChargerControls, Trigger } from "../dialect.ts";
import { present, timestamp } from "../link/wire-time.ts";
import type { Refusal } from "../profiles/profile-rules.ts";
import { deviceModelHandlers } from "./device-model.ts";
import { ChargingProfile201, profileFrom201, purpose201 } from "./ocpp2-profile.ts";

const SetChargingProfile = z.object({ evseId: z.number(), chargingProfile: ChargingProfile201 });
const ClearChargingProfile = z.object({
  chargingProfileId: z.number().optional(),
  chargingProfileCriteria: z
    .object({
      evseId: z.number().optional(),
      chargingProfilePurpose: ChargingProfile201.shape.chargingProfilePurpose.optional(),
      stackLevel: z.number().optional(),
    })
    .optional(),
});
const GetCompositeSchedule = z.object({
  evseId: z.number(),
  duration: z.number(),
  chargingRateUnit: z.enum(["A", "W"]).optional(),
});
const TriggerMessage = z.object({
  requestedMessage: z.string(),
  evse: z.object({ id: z.number() }).optional(),
});
const RequestStart = z.object({
  evseId: z.number().optional(),
  remoteStartId: z.number(),
  idToken: z.object({ idToken: z.string() }),
  chargingProfile: ChargingProfile201.optional(),
});
const RequestStop = z.object({ transactionId: z.string() });
const ChangeAvailability = z.object({
  evse: z.object({ id: z.number() }).optional(),
  operationalStatus: z.enum(["Inoperative", "Operative"]),
});
const Reset = z.object({ type: z.enum(["Immediate", "OnIdle"]) });

const TRIGGERS: ReadonlyMap<string, Trigger> = new Map([
  ["BootNotification", "boot"],
  ["Heartbeat", "heartbeat"],
  ["MeterValues", "meter"],
  ["StatusNotification", "status"],
  ["TransactionEvent", "transaction"],
]);

/** What the charger answers in 2.0.1. A call that is not here gets NotImplemented. */
export function handlers201(controls: ChargerControls): Record<string, CallHandler> {
  const evseExists = (evseId = 1) => evseId >= 0 && evseId <= controls.bounds.connectors;
  return {
    ...deviceModelHandlers(controls),
    SetChargingProfile: (payload) => {
      const { evseId, chargingProfile } = SetChargingProfile.parse(payload);
      const made = profileFrom201(evseId, chargingProfile);
      return statusOf("refusal" in made ? made.refusal : controls.setProfile(made.profile));
    },
    ClearChargingProfile: (payload) => {
      const { chargingProfileId, chargingProfileCriteria: criteria } = ClearChargingProfile.parse(payload);
      const cleared = controls.clearProfiles({
        ...present("id", chargingProfileId),
        ...present("connectorId", criteria?.evseId),
        ...present("stackLevel", criteria?.stackLevel),
        ...present("purpose", criteria?.chargingProfilePurpose && purpose201(criteria.chargingProfilePurpose)),
      });
      return { status: cleared > 0 ? "Accepted" : "Unknown" };
    },
    GetCompositeSchedule: (payload) => {
      const { evseId, duration, chargingRateUnit } = GetCompositeSchedule.parse(payload);
      const unit = chargingRateUnit ?? controls.bounds.units[0] ?? "A";
      if (!evseExists(evseId)) return rejected("UnknownEvse", `there is no EVSE ${evseId}`);
      if (!controls.bounds.units.includes(unit)) return rejected("UnsupportedRateUnit", `${unit} is not supported`);
      const chargingSchedulePeriod = controls.composite(duration * 1000, unit);
      const scheduleStart = timestamp(controls.now());
      return {
        status: "Accepted",
        schedule: { evseId, duration, scheduleStart, chargingRateUnit: unit, chargingSchedulePeriod },
      };
    },
    TriggerMessage: (payload) => {
      const { requestedMessage, evse } = TriggerMessage.parse(payload);
      const trigger = TRIGGERS.get(requestedMessage);
      if (trigger === undefined) return { status: "NotImplemented" };
      if (!evseExists(evse?.id)) return rejected("UnknownEvse", `there is no EVSE ${evse?.id}`);
      if (trigger === "transaction" && !controls.transactionRuns()) {
        return rejected("TxNotFound", "no transaction is running");
      }
      controls.trigger(trigger);
      return { status: "Accepted" };
    },
    RequestStartTransaction: (payload) => {
      const { evseId, idToken, chargingProfile } = RequestStart.parse(payload);
      if (evseId === 0 || !evseExists(evseId)) return rejected("UnknownEvse", `there is no EVSE ${evseId}`);
      const made = chargingProfile && profileFrom201(1, chargingProfile);
      if (made !== undefined && "refusal" in made) return statusOf(made.refusal);
      if (made !== undefined && (made.profile.purpose !== "tx" || made.profile.transactionId !== undefined)) {
        return rejected("InvalidProfile", "a profile here is a TxProfile without transactionId");
      }
      const started = controls.remoteStart(idToken.idToken, made?.profile);
      return started ? { status: "Accepted" } : rejected("TxInProgress", "no car, or it charges already");
    },
    RequestStopTransaction: (payload) => {
      const { transactionId } = RequestStop.parse(payload);
      const stopped = controls.remoteStop(transactionId);
      return stopped ? { status: "Accepted" } : rejected("TxNotFound", `${transactionId} is not running`);
    },
    ChangeAvailability: (payload) => {
      const { evse, operationalStatus } = ChangeAvailability.parse(payload);
      if (!evseExists(evse?.id)) return rejected("UnknownEvse", `there is no EVSE ${evse?.id}`);
      return { status: controls.setAvailable(operationalStatus === "Operative") };
    },
    Reset: (payload) => ({
      status: controls.reset(Reset.parse(payload).type === "Immediate") ? "Accepted" : "Scheduled",
    }),
    ClearCache: () => ({ status: "Accepted" }),
  };
}

function statusOf(refusal: Refusal | undefined): Record<string, unknown> {
  return refusal === undefined ? { status: "Accepted" } : rejected(refusal.code, refusal.text);
}

function rejected(reasonCode: string, additionalInfo: string): Record<string, unknown> {
  return { status: "Rejected", statusInfo: { reasonCode, additionalInfo: additionalInfo.slice(0, 512) } };
}
