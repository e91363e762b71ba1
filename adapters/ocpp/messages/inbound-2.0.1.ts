import { integerAt, type JsonRecord, recordAt, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import { entryAt } from "../link/word.ts";
import { sampleSetsFrom } from "../metering/sampled-value.ts";
import { carNeedsFrom } from "../sessions/car-needs.ts";
import { carPlanFrom } from "../sessions/car-plan.ts";
import type { DialectContext } from "./dialect.ts";
import type { Handled, PlugState } from "./events.ts";
import { type HandlerTable, noted, rejected } from "./handler-table.ts";
import { profilesReported, variablesReported } from "./reported-2.0.1.ts";
import { securityEventNotification } from "./security-event.ts";
import { authorize, reservationStatusUpdate, transactionEvent } from "./transactions-2.x.ts";

const CONNECTOR_STATES: Readonly<Record<string, PlugState>> = {
  Available: "free",
  Occupied: "plugged",
  Reserved: "reserved",
  Unavailable: "unavailable",
  Faulted: "faulted",
};

/** What an OCPP 2.0.1 station may call. Optional fields may be missing or wrong; only what an answer needs is insisted on. */
export const CALLS_201: HandlerTable = {
  BootNotification: (payload, context) => ({
    answer: { status: "Accepted", currentTime: timestampFrom(context.now()), interval: context.heartbeatIntervalS },
    events: [{ kind: "booted", identity: identityFrom(recordAt(payload, "chargingStation") ?? {}) }],
  }),
  Heartbeat: (_payload, context) => ({ answer: { currentTime: timestampFrom(context.now()) }, events: [] }),
  StatusNotification: (payload, context) => {
    const connector = integerAt(payload, "evseId") ?? context.onlyConnector();
    const state = entryAt(payload, "connectorStatus", CONNECTOR_STATES);
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
  SecurityEventNotification: securityEventNotification,
  LogStatusNotification: noted,
  FirmwareStatusNotification: noted,
  PublishFirmwareStatusNotification: noted,
  NotifyEVChargingNeeds: (payload, context) => chargingNeeds(payload, context, "Rejected"),
  NotifyEVChargingSchedule: (payload, context) => {
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
