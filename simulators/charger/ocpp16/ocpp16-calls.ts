import { z } from "zod";
import type { CallHandler, ChargerControls, Trigger } from "../dialect.ts";
import { present, timestamp } from "../link/wire-time.ts";
import { configurationKeys } from "./ocpp16-keys.ts";
import { ChargingProfile16, profileFrom16, purpose16 } from "./ocpp16-profile.ts";

const GetConfiguration = z.object({ key: z.array(z.string()).optional() });
const ChangeConfiguration = z.object({ key: z.string(), value: z.string() });
const SetChargingProfile = z.object({ connectorId: z.number(), csChargingProfiles: ChargingProfile16 });
const ClearChargingProfile = z.object({
  id: z.number().optional(),
  connectorId: z.number().optional(),
  chargingProfilePurpose: ChargingProfile16.shape.chargingProfilePurpose.optional(),
  stackLevel: z.number().optional(),
});
const GetCompositeSchedule = z.object({
  connectorId: z.number(),
  duration: z.number(),
  chargingRateUnit: z.enum(["A", "W"]).optional(),
});
const TriggerMessage = z.object({ requestedMessage: z.string(), connectorId: z.number().optional() });
const RemoteStart = z.object({
  connectorId: z.number().optional(),
  idTag: z.string(),
  chargingProfile: ChargingProfile16.optional(),
});
const RemoteStop = z.object({ transactionId: z.number() });
const ChangeAvailability = z.object({ connectorId: z.number(), type: z.enum(["Inoperative", "Operative"]) });

const TRIGGERS: ReadonlyMap<string, Trigger> = new Map([
  ["BootNotification", "boot"],
  ["Heartbeat", "heartbeat"],
  ["MeterValues", "meter"],
  ["StatusNotification", "status"],
]);

/** What the charger answers in 1.6. A call that is not here gets NotImplemented. */
export function handlers16(controls: ChargerControls): Record<string, CallHandler> {
  const keys = configurationKeys(controls);
  const find = (name: string) => keys.find((row) => row.key.toLowerCase() === name.trim().toLowerCase());
  const connectorExists = (connectorId = 1) => connectorId >= 0 && connectorId <= controls.bounds.connectors;
  const status = (accepted: boolean) => ({ status: accepted ? "Accepted" : "Rejected" });
  return {
    GetConfiguration: (payload) => {
      const wanted = GetConfiguration.parse(payload).key;
      const asked = wanted === undefined || wanted.length === 0 ? keys.map((row) => row.key) : wanted;
      return {
        configurationKey: asked.flatMap((name) => {
          const row = find(name);
          return row === undefined
            ? []
            : [{ key: row.key, readonly: row.write === undefined, value: row.read().slice(0, 500) }];
        }),
        unknownKey: asked.filter((name) => find(name) === undefined),
      };
    },
    ChangeConfiguration: (payload) => {
      const { key, value } = ChangeConfiguration.parse(payload);
      const row = find(key);
      return row === undefined ? { status: "NotSupported" } : status(row.write?.(value) ?? false);
    },
    SetChargingProfile: (payload) => {
      const { connectorId, csChargingProfiles } = SetChargingProfile.parse(payload);
      return status(controls.setProfile(profileFrom16(connectorId, csChargingProfiles)) === undefined);
    },
    ClearChargingProfile: (payload) => {
      const wanted = ClearChargingProfile.parse(payload);
      const cleared = controls.clearProfiles({
        ...present("id", wanted.id),
        ...present("connectorId", wanted.connectorId),
        ...present("stackLevel", wanted.stackLevel),
        ...(wanted.chargingProfilePurpose && { purpose: purpose16(wanted.chargingProfilePurpose) }),
      });
      return { status: cleared > 0 ? "Accepted" : "Unknown" };
    },
    GetCompositeSchedule: (payload) => {
      const { connectorId, duration, chargingRateUnit } = GetCompositeSchedule.parse(payload);
      const unit = chargingRateUnit ?? controls.bounds.units[0] ?? "A";
      if (!connectorExists(connectorId) || !controls.bounds.units.includes(unit)) return status(false);
      const startSchedule = timestamp(controls.now());
      const chargingSchedulePeriod = controls.composite(duration * 1000, unit);
      return {
        ...status(true),
        connectorId,
        scheduleStart: startSchedule,
        chargingSchedule: { duration, startSchedule, chargingRateUnit: unit, chargingSchedulePeriod },
      };
    },
    TriggerMessage: (payload) => {
      const { requestedMessage, connectorId } = TriggerMessage.parse(payload);
      const trigger = TRIGGERS.get(requestedMessage);
      if (trigger === undefined) return { status: "NotImplemented" };
      if (!connectorExists(connectorId)) return status(false);
      controls.trigger(trigger);
      return status(true);
    },
    RemoteStartTransaction: (payload) => {
      const { connectorId, idTag, chargingProfile } = RemoteStart.parse(payload);
      if (connectorId === 0 || !connectorExists(connectorId)) return status(false);
      const profile = chargingProfile && profileFrom16(1, chargingProfile);
      if (profile !== undefined && (profile.purpose !== "tx" || profile.transactionId !== undefined)) {
        return status(false);
      }
      return status(controls.remoteStart(idTag, profile));
    },
    RemoteStopTransaction: (payload) => {
      return status(controls.remoteStop(String(RemoteStop.parse(payload).transactionId)));
    },
    ChangeAvailability: (payload) => {
      const { connectorId, type } = ChangeAvailability.parse(payload);
      return connectorExists(connectorId) ? { status: controls.setAvailable(type === "Operative") } : status(false);
    },
    Reset: () => status(controls.reset(true)),
    UnlockConnector: () => ({ status: "NotSupported" }),
    ClearCache: () => status(true),
  };
}
