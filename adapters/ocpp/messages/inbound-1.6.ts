import { integerAt, type JsonRecord, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import { entryAt } from "../link/word.ts";
import type { PlugState } from "./events.ts";
import { type HandlerTable, noted, rejected } from "./handler-table.ts";
import { securityEventNotification } from "./security-event.ts";
import { authorize, meterValues, startTransaction, stopTransaction } from "./transactions-1.6.ts";

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

/** What an OCPP 1.6 charger may call. Optional fields may be missing or wrong; only what an answer needs is insisted on. */
export const CALLS_16: HandlerTable = {
  BootNotification: (payload, context) => ({
    answer: {
      status: "Accepted",
      currentTime: timestampFrom(context.now()),
      interval: context.heartbeatIntervalS,
    },
    events: [{ kind: "booted", identity: identityFrom(payload) }],
  }),
  Heartbeat: (_payload, context) => ({ answer: { currentTime: timestampFrom(context.now()) }, events: [] }),
  StatusNotification: (payload, context) => {
    const connector = integerAt(payload, "connectorId") ?? context.onlyConnector();
    const state = entryAt(payload, "status", PLUG_STATES);
    return {
      answer: {},
      events: connector === undefined || state === undefined ? [] : [{ kind: "state", connector, state }],
    };
  },
  Authorize: authorize,
  StartTransaction: startTransaction,
  StopTransaction: stopTransaction,
  MeterValues: meterValues,
  DataTransfer: () => ({ answer: { status: "UnknownVendorId" }, events: [] }),
  DiagnosticsStatusNotification: noted,
  FirmwareStatusNotification: noted,
  SignedFirmwareStatusNotification: noted,
  LogStatusNotification: noted,
  SecurityEventNotification: securityEventNotification,
  SignCertificate: rejected,
};

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
