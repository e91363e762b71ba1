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

/** OCPP 1.6J as a charger with one connector speaks it. */
export const ocpp16: Dialect = {
  subprotocol: "ocpp1.6",

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
    return AuthorizeConf.parse(await call("Authorize", { idTag })).idTagInfo.status === "Accepted";
  },

  status(status, timeMs) {
    const message = (connectorId: number, shown: string): StatusMessage => ({
      place: connectorId,
      shown,
      payload: { connectorId, errorCode: "NoError", status: shown, timestamp: timestamp(timeMs) },
    });
    return [message(0, status === "Unavailable" ? status : "Available"), message(1, status)];
  },

  started(transaction, sample) {
    return {
      action: "StartTransaction",
      kind: "transaction",
      payload: () => ({
        connectorId: 1,
        idTag: transaction.idTag,
        meterStart: Math.round(sample.energyWh),
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

  ended(transaction, sample, reason) {
    return {
      action: "StopTransaction",
      kind: "transaction",
      payload: () => ({
        transactionId: numberOf(transaction) ?? UNKNOWN_TRANSACTION,
        idTag: transaction.idTag,
        meterStop: Math.round(sample.energyWh),
        timestamp: timestamp(sample.timeMs),
        reason,
      }),
    };
  },

  handlers: handlers16,
};

function meterValues(report: MeterReport, settings: ChargerSettings): Outgoing {
  const { transaction, sample, context } = report;
  const meterValue = [meterValue16(sample, settings, context)];
  return {
    action: "MeterValues",
    kind: "meter",
    payload: () => ({
      connectorId: 1,
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
