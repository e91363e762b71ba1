import { z } from "zod";
import type { ChargerSettings } from "../charger-settings.ts";
import type { Dialect, MeterReport, StatusMessage } from "../dialect.ts";
import type { Outgoing } from "../link/outbox.ts";
import { present, timestamp } from "../link/wire-time.ts";
import { type MeterSample, type SampleContext, sampledValues } from "../power/meter-sample.ts";
import type { Transaction } from "../session/transaction.ts";
import { handlers16 } from "./ocpp16-calls.ts";

const BootConf = z.object({ status: z.enum(["Accepted", "Pending", "Rejected"]), interval: z.number() });
const AuthorizeConf = z.object({ idTagInfo: z.object({ status: z.string() }) });
const StartConf = AuthorizeConf.extend({ transactionId: z.number() });

/** A stop of a transaction whose start the CSMS never answered: chargers in the field send this. */
const UNKNOWN_TRANSACTION = -1;

/** OCPP 1.6J as a charger speaks it. */
export const ocpp16: Dialect = {
  async boot(call, identity) {
    const answer = await call("BootNotification", {
      chargePointVendor: "Simulated",
      chargePointModel: "Strict16",
      chargePointSerialNumber: identity.slice(0, 25),
      firmwareVersion: "1.0.0",
    });
    const { status, interval } = BootConf.parse(answer);
    return { status, intervalMs: interval * 1000 };
  },

  async authorize(call, idTag) {
    const { status } = AuthorizeConf.parse(await call("Authorize", { idTag })).idTagInfo;
    return { accepted: status === "Accepted", mayDischarge: false };
  },

  status(connectorId, status, timeMs) {
    const message = (place: number, shown: string): StatusMessage => ({
      place,
      shown,
      payload: { connectorId: place, errorCode: "NoError", status: shown, timestamp: timestamp(timeMs) },
    });
    // The first connector tells of the station too, so that it is told once.
    const station = connectorId === 1 ? [message(0, status === "Unavailable" ? status : "Available")] : [];
    return [...station, message(connectorId, status)];
  },

  started(transaction, sample) {
    return {
      action: "StartTransaction",
      kind: "transaction",
      payload: () => ({
        connectorId: transaction.connectorId,
        idTag: transaction.idTag,
        meterStart: Math.round(sample.importWh),
        ...present("reservationId", transaction.reservationId),
        timestamp: timestamp(transaction.startedAtMs),
      }),
    };
  },

  startAnswer(answer) {
    const { transactionId, idTagInfo } = StartConf.parse(answer);
    return { accepted: idTagInfo.status === "Accepted", id: String(transactionId) };
  },

  meter: meterValues,

  stateChanged: () => undefined,

  ended({ transaction, sample, reason }) {
    return {
      action: "StopTransaction",
      kind: "transaction",
      payload: () => ({
        transactionId: numberOf(transaction) ?? UNKNOWN_TRANSACTION,
        idTag: transaction.idTag,
        meterStop: Math.round(sample.importWh),
        timestamp: timestamp(sample.timeMs),
        reason,
      }),
    };
  },

  handlers: handlers16,
};

function meterValues(report: MeterReport, settings: ChargerSettings): Outgoing {
  const { connectorId, transaction, sample, context } = report;
  const meterValue = [meterValue16(sample, settings, context)];
  return {
    action: "MeterValues",
    kind: "meter",
    payload: () => ({
      connectorId,
      ...present("transactionId", transaction && numberOf(transaction)),
      meterValue,
    }),
  };
}

function meterValue16(sample: MeterSample, settings: ChargerSettings, context: SampleContext): Record<string, unknown> {
  return {
    timestamp: timestamp(sample.timeMs),
    sampledValue: sampledValues(sample, settings.measurands).map((entry) => ({
      ...entry,
      value: String(entry.value),
      context,
    })),
  };
}

function numberOf(transaction: Transaction): number | undefined {
  return transaction.id === undefined ? undefined : Number(transaction.id);
}
