import { z } from "zod";
import type { ChargerSettings } from "../charger-settings.ts";
import type { CallHandler, ChargerControls, Dialect, Ending, MeterReport } from "../dialect.ts";
import type { Outgoing } from "../link/outbox.ts";
import { present, timestamp } from "../link/wire-time.ts";
import type { OcppVersion } from "../ocpp-version.ts";
import { type Measurand, type MeterSample, type SampleContext, sampledValues } from "../power/meter-sample.ts";
import type { StopReason, Transaction } from "../session/transaction.ts";
import { deviceModelHandlers } from "./device-model.ts";
import { driverHandlers2 } from "./driver-calls.ts";
import { profileHandlers2 } from "./profile-calls.ts";
import { stationHandlers2 } from "./station-calls.ts";
import { allowsDischarge, carSchedule, chargingNeeds, v2xHandlers } from "./v2x.ts";

const BootResponse = z.object({ status: z.enum(["Accepted", "Pending", "Rejected"]), interval: z.number() });
const IdTokenInfo = z.object({ status: z.string() });
const AuthorizeResponse = z.object({
  idTokenInfo: IdTokenInfo,
  allowedEnergyTransfer: z.array(z.string()).optional(),
});
const EventResponse = z.object({ idTokenInfo: IdTokenInfo.optional() });

const REGISTERS: readonly Measurand[] = ["Energy.Active.Import.Register"];
const REGISTERS_BOTH_WAYS: readonly Measurand[] = [...REGISTERS, "Energy.Active.Export.Register"];

const TRIGGER_OF_STOP: Record<StopReason, string> = {
  EVDisconnected: "EVDeparted",
  Remote: "RemoteStop",
  DeAuthorized: "Deauthorized",
  Local: "StopAuthorized",
  PowerLoss: "AbnormalCondition",
  Reboot: "ResetCommand",
};

const MODELS = { "2.0.1": "Strict201", "2.1": "Strict21" } as const;

/** OCPP 2.0.1 or 2.1 as a charger speaks it; they share all but what 2.1 added. */
export function createOcpp2(version: Exclude<OcppVersion, "1.6">): Dialect {
  return {
    async boot(call, identity) {
      const answer = await call("BootNotification", {
        reason: "PowerUp",
        chargingStation: {
          vendorName: "Simulated",
          model: MODELS[version],
          serialNumber: identity.slice(0, 25),
          firmwareVersion: "1.0.0",
        },
      });
      const { status, interval } = BootResponse.parse(answer);
      return { status, intervalMs: interval * 1000 };
    },

    async authorize(call, idTag) {
      const answer = AuthorizeResponse.parse(await call("Authorize", { idToken: idToken(idTag) }));
      return {
        accepted: answer.idTokenInfo.status === "Accepted",
        mayDischarge: allowsDischarge(answer.allowedEnergyTransfer ?? []),
      };
    },

    status(connectorId, status, timeMs) {
      const shown = status === "Available" || status === "Unavailable" || status === "Reserved" ? status : "Occupied";
      const payload = { timestamp: timestamp(timeMs), connectorStatus: shown, evseId: connectorId, connectorId: 1 };
      return [{ place: connectorId, shown, payload }];
    },

    started(transaction, sample, settings, offline) {
      const { ownId, remoteStartId, reservationId } = transaction;
      const body = eventBody(transaction, sample.timeMs, {
        eventType: "Started",
        triggerReason: remoteStartId === undefined ? "Authorized" : "RemoteStart",
        offline,
        idToken: idToken(transaction.idTag),
        ...present("reservationId", reservationId),
        transactionInfo: {
          transactionId: ownId,
          chargingState: "EVConnected",
          ...present("remoteStartId", remoteStartId),
        },
        ...meterValue(sample, settings.measurands, "Transaction.Begin"),
      });
      return transactionEvent("transaction", body);
    },

    startAnswer(answer) {
      const status = EventResponse.parse(answer).idTokenInfo?.status;
      return { accepted: status === undefined || status === "Accepted" };
    },

    meter(report, settings) {
      const { connectorId, transaction, sample, context } = report;
      if (transaction === undefined || context === "Trigger") {
        const body = { evseId: connectorId, ...meterValue(sample, settings.measurands, context) };
        return { action: "MeterValues", kind: "meter", payload: () => body };
      }
      return updated(version, transaction, "MeterValuePeriodic", report, settings);
    },

    stateChanged(report, settings) {
      const { transaction, mode } = report;
      if (transaction === undefined) return undefined;
      const modeChanged = version === "2.1" && mode !== transaction.operationMode;
      transaction.operationMode = mode;
      const reason = modeChanged ? "OperationModeChanged" : "ChargingStateChanged";
      return updated(version, transaction, reason, report, settings);
    },

    ended,

    ...(version === "2.1" ? { needs: chargingNeeds, carSchedule } : {}),

    reservationExpired: ({ id }) => ({
      action: "ReservationStatusUpdate",
      payload: { reservationId: id, reservationUpdateStatus: "Expired" },
    }),

    handlers: (controls) => handlers2(version, controls),
  };
}

/** What the charger answers. A call that is not here gets NotImplemented. */
function handlers2(version: Exclude<OcppVersion, "1.6">, controls: ChargerControls): Record<string, CallHandler> {
  return {
    ...stationHandlers2(controls),
    ...deviceModelHandlers(version, controls),
    ...profileHandlers2(controls),
    ...driverHandlers2(controls),
    ...(version === "2.1" ? v2xHandlers(controls) : {}),
  };
}

function ended({ transaction, sample, reason, offline }: Ending): Outgoing {
  const body = eventBody(transaction, sample.timeMs, {
    eventType: "Ended",
    triggerReason: TRIGGER_OF_STOP[reason],
    offline,
    transactionInfo: { transactionId: transaction.ownId, chargingState: "Idle", stoppedReason: reason },
    ...meterValue(sample, sample.exportWh > 0 ? REGISTERS_BOTH_WAYS : REGISTERS, "Transaction.End"),
  });
  return transactionEvent("transaction", body);
}

function updated(
  version: OcppVersion,
  transaction: Transaction,
  triggerReason: string,
  report: MeterReport,
  settings: ChargerSettings,
): Outgoing {
  const periodic = triggerReason === "MeterValuePeriodic";
  const { sample, context, state, mode, offline } = report;
  const body = eventBody(transaction, sample.timeMs, {
    eventType: "Updated",
    triggerReason: context === "Trigger" ? "Trigger" : triggerReason,
    offline,
    // A DC outlet has no phases to count.
    ...(sample.current === "DC" ? {} : { numberOfPhasesUsed: sample.phasesUsed }),
    transactionInfo: {
      transactionId: transaction.ownId,
      chargingState: state,
      ...(version === "2.1" ? { operationMode: mode } : {}),
    },
    ...meterValue(sample, settings.measurands, context),
  });
  return transactionEvent(periodic ? "meter" : "transaction", body);
}

/** The number of an event is given when it happens, so that what was queued keeps its place. */
function eventBody(transaction: Transaction, timeMs: number, rest: Record<string, unknown>): Record<string, unknown> {
  const seqNo = transaction.seqNo;
  transaction.seqNo += 1;
  return { timestamp: timestamp(timeMs), seqNo, evse: { id: transaction.connectorId, connectorId: 1 }, ...rest };
}

function transactionEvent(kind: Outgoing["kind"], body: Record<string, unknown>): Outgoing {
  return { action: "TransactionEvent", kind, payload: () => body };
}

function idToken(idTag: string): Record<string, unknown> {
  return { idToken: idTag, type: "ISO14443" };
}

/** Absent when nothing is to be measured: the schema allows no empty list. */
function meterValue(
  sample: MeterSample,
  measurands: readonly Measurand[],
  context: SampleContext,
): { meterValue?: unknown[] } {
  const sampledValue = sampledValues(sample, measurands).map(({ unit, ...entry }) => ({
    ...entry,
    context,
    unitOfMeasure: { unit, multiplier: 0 },
  }));
  return sampledValue.length === 0 ? {} : { meterValue: [{ timestamp: timestamp(sample.timeMs), sampledValue }] };
}
