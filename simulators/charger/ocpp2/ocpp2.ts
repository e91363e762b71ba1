import { z } from "zod";
import type { ChargerSettings } from "../charger-settings.ts";
import type { Dialect, MeterReport } from "../dialect.ts";
import type { Outgoing } from "../link/outbox.ts";
import { timestamp } from "../link/wire-time.ts";
import { type Measurand, type MeterSample, type SampleContext, sampledValues } from "../power/meter-sample.ts";
import type { StopReason, Transaction } from "../session/transaction.ts";
import { handlers201 } from "./ocpp2-calls.ts";

const BootResponse = z.object({ status: z.enum(["Accepted", "Pending", "Rejected"]), interval: z.number() });
const IdTokenInfo = z.object({ status: z.string() });
const AuthorizeResponse = z.object({ idTokenInfo: IdTokenInfo });
const EventResponse = z.object({ idTokenInfo: IdTokenInfo.optional() });

const EVSE = { id: 1, connectorId: 1 };
const REGISTER: readonly Measurand[] = ["Energy.Active.Import.Register"];

const TRIGGER_OF_STOP: Record<StopReason, string> = {
  EVDisconnected: "EVDeparted",
  Remote: "RemoteStop",
  DeAuthorized: "Deauthorized",
  Local: "StopAuthorized",
  PowerLoss: "AbnormalCondition",
  Reboot: "ResetCommand",
};

/** OCPP 2.0.1 as a charger with one EVSE speaks it. */
export const ocpp201: Dialect = {
  subprotocol: "ocpp2.0.1",

  async boot(call, identity) {
    const answer = await call("BootNotification", {
      reason: "PowerUp",
      chargingStation: {
        vendorName: "Simulated",
        model: "Strict201",
        serialNumber: identity.slice(0, 25),
        firmwareVersion: "1.0.0",
      },
    });
    const { status, interval } = BootResponse.parse(answer);
    return { status, intervalMs: interval * 1000 };
  },

  async authorize(call, idTag) {
    const answer = await call("Authorize", { idToken: idToken(idTag) });
    return AuthorizeResponse.parse(answer).idTokenInfo.status === "Accepted";
  },

  status(status, timeMs) {
    const shown = status === "Available" || status === "Unavailable" ? status : "Occupied";
    const payload = { timestamp: timestamp(timeMs), connectorStatus: shown, evseId: 1, connectorId: 1 };
    return [{ place: 1, shown, payload }];
  },

  started(transaction, sample, settings, offline) {
    const body = eventBody(transaction, sample.timeMs, {
      eventType: "Started",
      triggerReason: "Authorized",
      offline,
      idToken: idToken(transaction.idTag),
      transactionInfo: { transactionId: transaction.ownId, chargingState: "EVConnected" },
      ...meterValue(sample, settings.measurands, "Transaction.Begin"),
    });
    return transactionEvent("transaction", body);
  },

  startAnswer(answer) {
    const status = EventResponse.parse(answer).idTokenInfo?.status;
    return { accepted: status === undefined || status === "Accepted" };
  },

  meter(report, settings) {
    const { transaction, sample, context } = report;
    if (transaction === undefined || context === "Trigger") {
      const body = { evseId: 1, ...meterValue(sample, settings.measurands, context) };
      return { action: "MeterValues", kind: "meter", payload: () => body };
    }
    return updated(transaction, "MeterValuePeriodic", report, settings);
  },

  stateChanged(report, settings) {
    return report.transaction && updated(report.transaction, "ChargingStateChanged", report, settings);
  },

  ended(transaction, sample, reason, offline) {
    const body = eventBody(transaction, sample.timeMs, {
      eventType: "Ended",
      triggerReason: TRIGGER_OF_STOP[reason],
      offline,
      transactionInfo: { transactionId: transaction.ownId, chargingState: "Idle", stoppedReason: reason },
      ...meterValue(sample, REGISTER, "Transaction.End"),
    });
    return transactionEvent("transaction", body);
  },

  handlers: handlers201,
};

function updated(
  transaction: Transaction,
  triggerReason: string,
  report: MeterReport,
  settings: ChargerSettings,
): Outgoing {
  const changed = triggerReason === "ChargingStateChanged";
  const body = eventBody(transaction, report.sample.timeMs, {
    eventType: "Updated",
    triggerReason: report.context === "Trigger" ? "Trigger" : triggerReason,
    offline: report.offline,
    numberOfPhasesUsed: report.sample.phasesUsed,
    transactionInfo: { transactionId: transaction.ownId, chargingState: report.state },
    ...meterValue(report.sample, settings.measurands, report.context),
  });
  return transactionEvent(changed ? "transaction" : "meter", body);
}

/** The number of an event is given when it happens, so that what was queued keeps its place. */
function eventBody(transaction: Transaction, timeMs: number, rest: Record<string, unknown>): Record<string, unknown> {
  const seqNo = transaction.seqNo;
  transaction.seqNo += 1;
  return { timestamp: timestamp(timeMs), seqNo, evse: EVSE, ...rest };
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
