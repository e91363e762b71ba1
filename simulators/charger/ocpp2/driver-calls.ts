import { z } from "zod";
import type { CallHandler, ChargerControls } from "../dialect.ts";
import { instantMs, present } from "../link/wire-time.ts";
import { ChargingProfile2, profileFrom2 } from "./ocpp2-profile.ts";
import { accepted, rejected, statusOf } from "./status-info.ts";

const IdToken = z.object({ idToken: z.string() });
const RequestStart = z.object({
  evseId: z.number().optional(),
  remoteStartId: z.number(),
  idToken: IdToken,
  chargingProfile: ChargingProfile2.optional(),
});
const RequestStop = z.object({ transactionId: z.string() });
const GetTransactionStatus = z.object({ transactionId: z.string().optional() });
const ReserveNow = z.object({
  id: z.number(),
  expiryDateTime: z.string(),
  idToken: IdToken,
  evseId: z.number().optional(),
});
const CancelReservation = z.object({ reservationId: z.number() });
const SendLocalList = z.object({
  versionNumber: z.number(),
  updateType: z.enum(["Differential", "Full"]),
  localAuthorizationList: z
    .array(z.object({ idToken: IdToken, idTokenInfo: z.object({ status: z.string() }).optional() }))
    .optional(),
});

/** Who may charge, when, and where, in 2.x. */
export function driverHandlers2(controls: ChargerControls): Record<string, CallHandler> {
  const unknownEvse = (evseId: number | undefined) => rejected("UnknownEvse", `there is no EVSE ${evseId}`);
  const isEvse = (evseId = 1) => evseId >= 1 && evseId <= controls.bounds.connectors;
  return {
    RequestStartTransaction: (payload) => {
      const { evseId, remoteStartId, idToken, chargingProfile } = RequestStart.parse(payload);
      if (!isEvse(evseId)) return unknownEvse(evseId);
      const made = chargingProfile && profileFrom2(evseId ?? 1, chargingProfile);
      if (made !== undefined && "refusal" in made) return statusOf(made.refusal);
      if (made !== undefined && (made.profile.purpose !== "tx" || made.profile.transactionId !== undefined)) {
        return rejected("InvalidProfile", "a profile here is a TxProfile without transactionId");
      }
      const started = controls.remoteStart({
        idTag: idToken.idToken,
        remoteStartId,
        ...present("connectorId", evseId),
        ...present("profile", made?.profile),
      });
      return started ? accepted() : rejected("TxInProgress", "no car, it charges already, or the EVSE is reserved");
    },
    RequestStopTransaction: (payload) => {
      const { transactionId } = RequestStop.parse(payload);
      const stopped = controls.remoteStop(transactionId);
      return stopped ? accepted() : rejected("TxNotFound", `${transactionId} is not running`);
    },
    GetTransactionStatus: (payload) => {
      const { transactionId } = GetTransactionStatus.parse(payload);
      return {
        messagesInQueue: controls.waitingMessages() > 0,
        ...(transactionId === undefined
          ? {}
          : { ongoingIndicator: controls.transactionNamed(transactionId) !== undefined }),
      };
    },
    ReserveNow: (payload) => {
      const { id, expiryDateTime, idToken, evseId } = ReserveNow.parse(payload);
      const expiryMs = instantMs(expiryDateTime);
      if (!isEvse(evseId)) return unknownEvse(evseId);
      if (expiryMs <= controls.now()) return rejected("InvalidValue", "expiryDateTime is in the past");
      const connectorId = evseId ?? controls.freeConnector();
      if (connectorId === undefined) return { status: "Occupied" };
      return { status: controls.reserve({ id, connectorId, idTag: idToken.idToken, expiryMs }) };
    },
    CancelReservation: (payload) => {
      const { reservationId } = CancelReservation.parse(payload);
      const cancelled = controls.cancelReservation(reservationId);
      return cancelled ? accepted() : rejected("NotFound", `there is no reservation ${reservationId}`);
    },
    GetLocalListVersion: () => ({ versionNumber: controls.localList.version }),
    SendLocalList: (payload) => {
      const { versionNumber, updateType, localAuthorizationList = [] } = SendLocalList.parse(payload);
      const entries = localAuthorizationList.map(({ idToken, idTokenInfo }) => ({
        idTag: idToken.idToken,
        ...present("status", idTokenInfo?.status),
      }));
      return { status: controls.localList.update(updateType, versionNumber, entries) };
    },
  };
}
