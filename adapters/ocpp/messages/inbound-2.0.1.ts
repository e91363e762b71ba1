import { CallRefusal } from "../link/frame.ts";
import { integerAt, type JsonRecord, recordAt, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import { sampleSetsFrom } from "../metering/sampled-value.ts";
import type { DialectContext } from "./dialect.ts";
import type { Handled, PlugState } from "./events.ts";
import { profilesReported, variablesReported } from "./reported-2.0.1.ts";
import { authorize, reservationStatusUpdate, transactionEvent } from "./transactions-2.x.ts";

const CONNECTOR_STATES: Readonly<Record<string, PlugState>> = {
  Available: "free",
  Occupied: "plugged",
  Reserved: "reserved",
  Unavailable: "unavailable",
  Faulted: "faulted",
};

type Handler = (payload: JsonRecord, context: DialectContext) => Handled;

const noted: Handler = () => ({ answer: {}, events: [] });
const rejected: Handler = () => ({ answer: { status: "Rejected" }, events: [] });

/** What an OCPP 2.0.1 station may call. Optional fields may be missing or wrong; only what an answer needs is insisted on. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  BootNotification: (payload, context) => ({
    answer: { status: "Accepted", currentTime: timestampFrom(context.now()), interval: context.heartbeatIntervalS },
    events: [{ kind: "booted", identity: identityFrom(recordAt(payload, "chargingStation") ?? {}) }],
  }),
  Heartbeat: (_payload, context) => ({ answer: { currentTime: timestampFrom(context.now()) }, events: [] }),
  StatusNotification: (payload, context) => {
    const connector = integerAt(payload, "evseId") ?? context.onlyConnector();
    const word = textAt(payload, "connectorStatus") ?? "";
    const state = Object.hasOwn(CONNECTOR_STATES, word) ? CONNECTOR_STATES[word] : undefined;
    return {
      answer: {},
      events: connector === undefined || state === undefined ? [] : [{ kind: "state", connector, state }],
    };
  },
  Authorize: authorize,
  TransactionEvent: transactionEvent,
  MeterValues: (payload, context) => {
    const connector = integerAt(payload, "evseId") ?? context.onlyConnector();
    if (connector === undefined) return { answer: {}, events: [] };
    return { answer: {}, events: [{ kind: "samples", connector, sets: sampleSetsFrom(payload) }] };
  },
  DataTransfer: () => ({ answer: { status: "UnknownVendorId" }, events: [] }),
  NotifyReport: variablesReported,
  NotifyEvent: noted,
  NotifyMonitoringReport: noted,
  NotifyCustomerInformation: noted,
  NotifyDisplayMessages: noted,
  NotifyChargingLimit: noted,
  ClearedChargingLimit: noted,
  ReportChargingProfiles: profilesReported,
  ReservationStatusUpdate: reservationStatusUpdate,
  SecurityEventNotification: noted,
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
export function handle201(action: string, payload: JsonRecord, context: DialectContext): Handled {
  const handler = Object.hasOwn(HANDLERS, action) ? HANDLERS[action] : undefined;
  if (handler === undefined) throw new CallRefusal("unknown-action", `${action.slice(0, 60)} is not known here`);
  return handler(payload, context);
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
