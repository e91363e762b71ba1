import { CallRefusal } from "../link/frame.ts";
import { integerAt, type JsonRecord, recordAt, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import { sampleSetsFrom } from "../metering/sampled-value.ts";
import type { TransactionBook } from "../sessions/transaction-book.ts";
import type { DialectContext } from "./dialect.ts";
import type { ChargerEvent, Handled, PlugState } from "./events.ts";
import { securityEventNotification } from "./security-event.ts";

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

type Handler = (payload: JsonRecord, book: TransactionBook, context: DialectContext) => Handled;

const noted: Handler = () => ({ answer: {}, events: [] });
const rejected: Handler = () => ({ answer: { status: "Rejected" }, events: [] });

/** What an OCPP 2.0.1 station may call. Optional fields may be missing or wrong; only what an answer needs is insisted on. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  BootNotification: (payload, _book, context) => ({
    answer: { status: "Accepted", currentTime: timestampFrom(context.now()), interval: context.heartbeatIntervalS },
    events: [{ kind: "booted", identity: identityFrom(recordAt(payload, "chargingStation") ?? {}) }],
  }),
  Heartbeat: (_payload, _book, context) => ({ answer: { currentTime: timestampFrom(context.now()) }, events: [] }),
  StatusNotification: (payload, _book, context) => {
    const connector = integerAt(payload, "evseId") ?? context.onlyConnector();
    const word = textAt(payload, "connectorStatus") ?? "";
    const state = Object.hasOwn(CONNECTOR_STATES, word) ? CONNECTOR_STATES[word] : undefined;
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
  SecurityEventNotification: securityEventNotification,
  LogStatusNotification: noted,
  FirmwareStatusNotification: noted,
  PublishFirmwareStatusNotification: noted,
  // The limit comes from the market, not from what the car would like.
  NotifyEVChargingNeeds: rejected,
  NotifyEVChargingSchedule: () => ({ answer: { status: "Accepted" }, events: [] }),
  SignCertificate: rejected,
  Get15118EVCertificate: () => ({ answer: { status: "Failed", exiResponse: "" }, events: [] }),
  GetCertificateStatus: () => ({ answer: { status: "Failed" }, events: [] }),
};

/** @throws CallRefusal */
export function handle201(
  action: string,
  payload: JsonRecord,
  book: TransactionBook,
  context: DialectContext,
): Handled {
  const handler = Object.hasOwn(HANDLERS, action) ? HANDLERS[action] : undefined;
  if (handler === undefined) throw new CallRefusal("unknown-action", `${action.slice(0, 60)} is not known here`);
  return handler(payload, book, context);
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
  const over = textAt(payload, "eventType") === "Ended";
  const events: ChargerEvent[] = [];
  if (!over && !offline) events.push({ kind: "transaction", connector, transactionId });
  const sets = sampleSetsFrom(payload);
  if (sets.length > 0) events.push({ kind: "samples", connector, sets, ...(offline ? { offline } : {}) });
  const word = textAt(info, "chargingState") ?? "";
  const state = Object.hasOwn(CHARGING_STATES, word) ? CHARGING_STATES[word] : undefined;
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
