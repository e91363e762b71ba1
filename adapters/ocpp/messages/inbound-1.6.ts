import { CallRefusal } from "../link/frame.ts";
import { integerAt, type JsonRecord, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import type { DialectContext } from "./dialect.ts";
import type { Handled, PlugState } from "./events.ts";
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

type Handler = (payload: JsonRecord, context: DialectContext) => Handled;

const noted: Handler = () => ({ answer: {}, events: [] });

/** What an OCPP 1.6 charger may call. Optional fields may be missing or wrong; only what an answer needs is insisted on. */
const HANDLERS: Readonly<Record<string, Handler>> = {
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
    const word = textAt(payload, "status") ?? "";
    const state = Object.hasOwn(PLUG_STATES, word) ? PLUG_STATES[word] : undefined;
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
  SecurityEventNotification: noted,
  SignCertificate: () => ({ answer: { status: "Rejected" }, events: [] }),
};

/** @throws CallRefusal */
export function handle16(action: string, payload: JsonRecord, context: DialectContext): Handled {
  const handler = Object.hasOwn(HANDLERS, action) ? HANDLERS[action] : undefined;
  if (handler === undefined) throw new CallRefusal("unknown-action", `${action.slice(0, 60)} is not known here`);
  return handler(payload, context);
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
