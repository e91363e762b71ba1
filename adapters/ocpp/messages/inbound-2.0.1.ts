import { integerAt, type JsonRecord, recordAt, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import { entryAt, knownWord } from "../link/word.ts";
import { sampleSetsFrom } from "../metering/sampled-value.ts";
import { carNeedsFrom } from "../sessions/car-needs.ts";
import { carPlanFrom } from "../sessions/car-plan.ts";
import type { TransactionBook } from "../sessions/transaction-book.ts";
import type { DialectContext } from "./dialect.ts";
import type { ChargerEvent, Handled, PlugState } from "./events.ts";
import { type HandlerTable, noted, rejected } from "./handler-table.ts";

const CONNECTOR_STATES: Readonly<Record<string, PlugState>> = {
  Available: "free",
  Occupied: "plugged",
  Reserved: "reserved",
  Unavailable: "unavailable",
  Faulted: "faulted",
};

const CHARGING_STATES: Readonly<Record<string, PlugState>> = {
  Charging: "charging",
  EVConnected: "plugged",
  SuspendedEV: "held-by-car",
  SuspendedEVSE: "held-by-station",
  Idle: "free",
};

/** What an OCPP 2.0.1 station may call. Optional fields may be missing or wrong; only what an answer needs is insisted on. */
export const CALLS_201: HandlerTable = {
  BootNotification: (payload, _book, context) => ({
    answer: { status: "Accepted", currentTime: timestampFrom(context.now()), interval: context.heartbeatIntervalS },
    events: [{ kind: "booted", identity: identityFrom(recordAt(payload, "chargingStation") ?? {}) }],
  }),
  Heartbeat: (_payload, _book, context) => ({ answer: { currentTime: timestampFrom(context.now()) }, events: [] }),
  StatusNotification: (payload, _book, context) => {
    const connector = integerAt(payload, "evseId") ?? context.onlyConnector();
    const state = entryAt(payload, "connectorStatus", CONNECTOR_STATES);
    return {
      answer: {},
      events: connector === undefined || state === undefined ? [] : [{ kind: "state", connector, state }],
    };
  },
  Authorize: () => ({ answer: { idTokenInfo: { status: "Accepted" } }, events: [] }),
  TransactionEvent: transactionEvent,
  MeterValues: (payload, _book, context) => {
    const connector = integerAt(payload, "evseId") ?? context.onlyConnector();
    if (connector === undefined) return { answer: {}, events: [] };
    return { answer: {}, events: [{ kind: "samples", connector, sets: sampleSetsFrom(payload) }] };
  },
  DataTransfer: () => ({ answer: { status: "UnknownVendorId" }, events: [] }),
  NotifyReport: noted,
  NotifyEvent: noted,
  NotifyMonitoringReport: noted,
  NotifyCustomerInformation: noted,
  NotifyDisplayMessages: noted,
  NotifyChargingLimit: noted,
  ClearedChargingLimit: noted,
  ReportChargingProfiles: noted,
  ReservationStatusUpdate: noted,
  SecurityEventNotification: noted,
  LogStatusNotification: noted,
  FirmwareStatusNotification: noted,
  PublishFirmwareStatusNotification: noted,
  NotifyEVChargingNeeds: (payload, _book, context) => chargingNeeds(payload, context, "Rejected"),
  NotifyEVChargingSchedule: (payload, _book, context) => {
    const connector = integerAt(payload, "evseId") ?? context.onlyConnector();
    const plan = carPlanFrom(payload);
    return {
      answer: { status: "Accepted" },
      events: connector === undefined || plan === undefined ? [] : [{ kind: "plan", connector, plan }],
    };
  },
  SignCertificate: rejected,
  Get15118EVCertificate: () => ({ answer: { status: "Failed", exiResponse: "" }, events: [] }),
  GetCertificateStatus: () => ({ answer: { status: "Failed" }, events: [] }),
};

/**
 * Says whether a charging profile follows for the car that told its needs.
 * @param without the word for "none does"; 2.0.1 and 2.1 differ in it (K15.FR.04, K19.FR.04)
 */
export function chargingNeeds(payload: JsonRecord, context: DialectContext, without: string): Handled {
  const connector = integerAt(payload, "evseId") ?? context.onlyConnector();
  const follows = connector !== undefined && context.hasTarget(connector);
  const needs = carNeedsFrom(recordAt(payload, "chargingNeeds") ?? {});
  return {
    answer: { status: follows ? "Accepted" : without },
    events: connector === undefined || needs === undefined ? [] : [{ kind: "needs", connector, needs }],
  };
}

/** Always answered, since a station repeats it until it is; what cannot be placed has no consequence. */
function transactionEvent(payload: JsonRecord, book: TransactionBook, context: DialectContext): Handled {
  const answer = recordAt(payload, "idToken") === undefined ? {} : { idTokenInfo: { status: "Accepted" } };
  const info = recordAt(payload, "transactionInfo") ?? {};
  const transactionId = textAt(info, "transactionId")?.slice(0, 36);
  // The EVSE is only named once in a transaction.
  const connector =
    integerAt(recordAt(payload, "evse") ?? {}, "id") ?? book.connectorOf(transactionId) ?? context.onlyConnector();
  if (transactionId === undefined || connector === undefined) return { answer, events: [] };
  book.remember(transactionId, connector);

  const offline = payload["offline"] === true;
  const over = knownWord(textAt(payload, "eventType") ?? "", ["Ended"]) === "Ended";
  const events: ChargerEvent[] = [];
  if (!over && !offline) events.push({ kind: "transaction", connector, transactionId });
  const sets = sampleSetsFrom(payload);
  if (sets.length > 0) events.push({ kind: "samples", connector, sets, ...(offline ? { offline } : {}) });
  const state = entryAt(info, "chargingState", CHARGING_STATES);
  if (over) {
    events.push({ kind: "transaction-over", connector, transactionId });
    // The connector stays Occupied and says so only once, but this session takes no more.
    if (!offline) events.push({ kind: "state", connector, state: state === "free" ? "free" : "finishing" });
  } else if (state !== undefined && !offline) {
    events.push({ kind: "state", connector, state });
  }
  return { answer, events };
}

function identityFrom(station: JsonRecord) {
  const vendor = textAt(station, "vendorName");
  const model = textAt(station, "model");
  const firmware = textAt(station, "firmwareVersion");
  const serial = textAt(station, "serialNumber");
  return {
    ...(vendor === undefined ? {} : { vendor }),
    ...(model === undefined ? {} : { model }),
    ...(firmware === undefined ? {} : { firmware }),
    ...(serial === undefined ? {} : { serial }),
  };
}
