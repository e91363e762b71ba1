import { z } from "zod";
import type { CallHandler, ChargerControls, Trigger } from "../dialect.ts";
import { instantMs, present, timestamp } from "../link/wire-time.ts";
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
const ReserveNow = z.object({
  connectorId: z.number(),
  expiryDate: z.string(),
  idTag: z.string(),
  reservationId: z.number(),
});
const CancelReservation = z.object({ reservationId: z.number() });
const SendLocalList = z.object({
  listVersion: z.number(),
  updateType: z.enum(["Differential", "Full"]),
  localAuthorizationList: z
    .array(z.object({ idTag: z.string(), idTagInfo: z.object({ status: z.string() }).optional() }))
    .optional(),
});

const TRIGGERS: ReadonlyMap<string, Trigger> = new Map([
  ["BootNotification", "boot"],
  ["Heartbeat", "heartbeat"],
  ["MeterValues", "meter"],
  ["StatusNotification", "status"],
]);

/** What the charger answers in 1.6 and its security extension. A call that is not here gets NotImplemented. */
export function handlers16(controls: ChargerControls): Record<string, CallHandler> {
  return { ...coreHandlers(controls), ...profileHandlers(controls), ...driverHandlers(controls) };
}

const status = (accepted: boolean) => ({ status: accepted ? "Accepted" : "Rejected" });

function exists(controls: ChargerControls, connectorId = 1): boolean {
  return connectorId >= 0 && connectorId <= controls.bounds.connectors;
}

function coreHandlers(controls: ChargerControls): Record<string, CallHandler> {
  const keys = configurationKeys(controls);
  const find = (name: string) => keys.find((row) => row.key.toLowerCase() === name.trim().toLowerCase());
  const triggerMessage: CallHandler = (payload) => {
    const { requestedMessage, connectorId } = TriggerMessage.parse(payload);
    const trigger = TRIGGERS.get(requestedMessage);
    if (trigger === undefined) return { status: "NotImplemented" };
    if (!exists(controls, connectorId)) return status(false);
    controls.trigger(trigger, connectorId);
    return status(true);
  };
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
    TriggerMessage: triggerMessage,
    ExtendedTriggerMessage: triggerMessage,
    ChangeAvailability: (payload) => {
      const { connectorId, type } = ChangeAvailability.parse(payload);
      if (!exists(controls, connectorId)) return status(false);
      return { status: controls.setAvailable(connectorId, type === "Operative") };
    },
    Reset: () => status(controls.reset(true)),
    UnlockConnector: () => ({ status: "NotSupported" }),
    ClearCache: () => status(true),
  };
}

function profileHandlers(controls: ChargerControls): Record<string, CallHandler> {
  return {
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
      if (!exists(controls, connectorId) || !controls.bounds.units.includes(unit)) return status(false);
      const startSchedule = timestamp(controls.now());
      const chargingSchedulePeriod = controls
        .composite(connectorId, duration * 1000, unit)
        .map(({ startPeriod, limit, numberPhases }) => ({
          startPeriod,
          limit,
          ...(controls.bounds.current === "DC" ? {} : { numberPhases }),
        }));
      return {
        ...status(true),
        connectorId,
        scheduleStart: startSchedule,
        chargingSchedule: { duration, startSchedule, chargingRateUnit: unit, chargingSchedulePeriod },
      };
    },
  };
}

function driverHandlers(controls: ChargerControls): Record<string, CallHandler> {
  return {
    RemoteStartTransaction: (payload) => {
      const { connectorId, idTag, chargingProfile } = RemoteStart.parse(payload);
      if (connectorId === 0 || !exists(controls, connectorId)) return status(false);
      const profile = chargingProfile && profileFrom16(connectorId ?? 1, chargingProfile);
      if (profile !== undefined && (profile.purpose !== "tx" || profile.transactionId !== undefined)) {
        return status(false);
      }
      return status(
        controls.remoteStart({ idTag, ...present("connectorId", connectorId), ...present("profile", profile) }),
      );
    },
    RemoteStopTransaction: (payload) => {
      return status(controls.remoteStop(String(RemoteStop.parse(payload).transactionId)));
    },
    ReserveNow: (payload) => {
      const { connectorId, expiryDate, idTag, reservationId } = ReserveNow.parse(payload);
      const expiryMs = instantMs(expiryDate);
      // ReserveConnectorZeroSupported is false.
      if (connectorId === 0 || !exists(controls, connectorId) || expiryMs <= controls.now()) return status(false);
      return { status: controls.reserve({ id: reservationId, connectorId, idTag, expiryMs }) };
    },
    CancelReservation: (payload) => {
      return status(controls.cancelReservation(CancelReservation.parse(payload).reservationId));
    },
    GetLocalListVersion: () => ({ listVersion: controls.localList.version }),
    SendLocalList: (payload) => {
      const { listVersion, updateType, localAuthorizationList = [] } = SendLocalList.parse(payload);
      const entries = localAuthorizationList.map(({ idTag, idTagInfo }) => ({
        idTag,
        ...present("status", idTagInfo?.status),
      }));
      return { status: controls.localList.update(updateType, listVersion, entries) };
    },
  };
}
