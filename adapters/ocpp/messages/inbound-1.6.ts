import { CallRefusal } from "../link/frame.ts";
import { integerAt, type JsonRecord, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import { sampleSetsFrom } from "../metering/sampled-value.ts";
import type { TransactionBook } from "../sessions/transaction-book.ts";
import type { DialectContext } from "./dialect.ts";
import type { ChargerEvent, Handled, PlugState } from "./events.ts";
import { securityEventNotification } from "./security-event.ts";

const ACCEPTED = { idTagInfo: { status: "Accepted" } };

const PLUG_STATES: Readonly<Record<string, PlugState>> = {
  Available: "free",
  Preparing: "plugged",
  Charging: "charging",
  SuspendedEVSE: "held-by-station",
  SuspendedEV: "held-by-car",
  Finishing: "finishing",
  Reserved: "reserved",
  Unavailable: "unavailable",
  Faulted: "faulted",
};

type Handler = (payload: JsonRecord, book: TransactionBook, context: DialectContext) => Handled;

const noted: Handler = () => ({ answer: {}, events: [] });

/** What an OCPP 1.6 charger may call. Optional fields may be missing or wrong; only what an answer needs is insisted on. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  BootNotification: (payload, _book, context) => ({
    answer: {
      status: "Accepted",
      currentTime: timestampFrom(context.now()),
      interval: context.heartbeatIntervalS,
    },
    events: [{ kind: "booted", identity: identityFrom(payload) }],
  }),
  Heartbeat: (_payload, _book, context) => ({ answer: { currentTime: timestampFrom(context.now()) }, events: [] }),
  StatusNotification: (payload, _book, context) => {
    const connector = integerAt(payload, "connectorId") ?? context.onlyConnector();
    const word = textAt(payload, "status") ?? "";
    const state = Object.hasOwn(PLUG_STATES, word) ? PLUG_STATES[word] : undefined;
    return {
      answer: {},
      events: connector === undefined || state === undefined ? [] : [{ kind: "state", connector, state }],
    };
  },
  // Who may charge is the business of the station's own list or of another system; here the market has the say on power.
  Authorize: () => ({ answer: ACCEPTED, events: [] }),
  StartTransaction: startTransaction,
  StopTransaction: stopTransaction,
  MeterValues: meterValues,
  DataTransfer: () => ({ answer: { status: "UnknownVendorId" }, events: [] }),
  DiagnosticsStatusNotification: noted,
  FirmwareStatusNotification: noted,
  SignedFirmwareStatusNotification: noted,
  LogStatusNotification: noted,
  SecurityEventNotification: securityEventNotification,
  SignCertificate: () => ({ answer: { status: "Rejected" }, events: [] }),
};

/** @throws CallRefusal */
export function handle16(action: string, payload: JsonRecord, book: TransactionBook, context: DialectContext): Handled {
  const handler = Object.hasOwn(HANDLERS, action) ? HANDLERS[action] : undefined;
  if (handler === undefined) throw new CallRefusal("unknown-action", `${action.slice(0, 60)} is not known here`);
  return handler(payload, book, context);
}

function startTransaction(payload: JsonRecord, book: TransactionBook, context: DialectContext): Handled {
  const connector = integerAt(payload, "connectorId") ?? context.onlyConnector();
  if (connector === undefined || connector < 1) throw new CallRefusal("payload", "connectorId must be 1 or more");
  const transactionId = book.idForStart(
    connector,
    textAt(payload, "idTag") ?? "",
    // Without a time a repeat cannot be told from a new start, so it gets an id of its own.
    textAt(payload, "timestamp") ?? `at ${context.now()}`,
  );
  return {
    answer: { ...ACCEPTED, transactionId },
    events: [{ kind: "transaction", connector, transactionId }],
  };
}

/** Always answered: a charger that gets an error here repeats the message for ever, and nothing behind it comes through. */
function stopTransaction(payload: JsonRecord, book: TransactionBook): Handled {
  const transactionId = integerAt(payload, "transactionId");
  const connector = book.connectorOf(transactionId);
  const events: ChargerEvent[] = [];
  if (transactionId !== undefined && connector !== undefined) {
    const sets = sampleSetsFrom(payload, "transactionData");
    if (sets.length > 0) events.push({ kind: "samples", connector, sets });
    events.push({ kind: "transaction-over", connector, transactionId });
  }
  return { answer: textAt(payload, "idTag") === undefined ? {} : ACCEPTED, events };
}

function meterValues(payload: JsonRecord, book: TransactionBook, context: DialectContext): Handled {
  const transactionId = integerAt(payload, "transactionId");
  const connector = integerAt(payload, "connectorId") ?? book.connectorOf(transactionId) ?? context.onlyConnector();
  if (connector === undefined) return { answer: {}, events: [] };
  // An id that we never gave is one that the charger kept over our own restart. 0 and -1 stand for "none" with some.
  const known = transactionId !== undefined && transactionId > 0 ? { transactionId } : {};
  if (known.transactionId !== undefined) book.remember(known.transactionId, connector);
  return { answer: {}, events: [{ kind: "samples", connector, sets: sampleSetsFrom(payload), ...known }] };
}

function identityFrom(payload: JsonRecord) {
  const vendor = textAt(payload, "chargePointVendor");
  const model = textAt(payload, "chargePointModel");
  const firmware = textAt(payload, "firmwareVersion");
  const serial = textAt(payload, "chargePointSerialNumber") ?? textAt(payload, "chargeBoxSerialNumber");
  return {
    ...(vendor === undefined ? {} : { vendor }),
    ...(model === undefined ? {} : { model }),
    ...(firmware === undefined ? {} : { firmware }),
    ...(serial === undefined ? {} : { serial }),
  };
}
