import { CallRefusal } from "../link/frame.ts";
import { integerAt, type JsonRecord, recordAt, recordsAt, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import type { DialectContext } from "./dialect.ts";
import type { Handled } from "./events.ts";
import { type HandlerTable, noted } from "./handler-table.ts";
import { CALLS_201, chargingNeeds } from "./inbound-2.0.1.ts";
import { setpointFields } from "./v2g-2.1.ts";

/** OCPP 2.1, GetCertificateChainStatusResponse: 1 to 4 entries. */
const MAX_CHAIN = 4;

/** What a certificate's status is not asked for again before; the answer must name a time. */
const ASK_AGAIN_MS = 86_400_000;

/** What an OCPP 2.1 station may call: all of 2.0.1, and what came after it. */
export const CALLS_21: HandlerTable = {
  ...CALLS_201,
  NotifyEVChargingNeeds: (payload, context) => chargingNeeds(payload, context, "NoChargingProfile"),
  PullDynamicScheduleUpdate: (payload, context) => pulledUpdate(payload, context),
  NotifyPriorityCharging: noted,
  NotifySettlement: noted,
  NotifyDERAlarm: noted,
  NotifyDERStartStop: noted,
  ReportDERControl: noted,
  BatterySwap: noted,
  // The values come as NotifyPeriodicEventStream by SEND. No monitor was set here, so there is nothing to be made of them.
  OpenPeriodicEventStream: () => ({
    answer: { status: "Rejected", statusInfo: { reasonCode: "NotEnabled" } },
    events: [],
  }),
  ClosePeriodicEventStream: noted,
  VatNumberValidation: (payload) => vatNumber(payload),
  GetCertificateChainStatus: (payload, context) => chainStatus(payload, context),
};

/** An answer without an update lets the profile run out, so it is refused where none of ours is in force. */
function pulledUpdate(payload: JsonRecord, context: DialectContext): Handled {
  const id = integerAt(payload, "chargingProfileId");
  const setpoint = id === undefined ? undefined : context.setpointOf(id);
  if (setpoint !== undefined) {
    return { answer: { status: "Accepted", scheduleUpdate: setpointFields(setpoint) }, events: [] };
  }
  return { answer: { status: "Rejected", statusInfo: { reasonCode: "InvalidProfile" } }, events: [] };
}

/** Nobody here knows companies; the number must come back as it was. */
function vatNumber(payload: JsonRecord): Handled {
  const number = textAt(payload, "vatNumber")?.slice(0, 20);
  if (number === undefined) throw new CallRefusal("payload", "vatNumber must be a text");
  const evseId = integerAt(payload, "evseId");
  return {
    answer: { status: "Rejected", vatNumber: number, ...(evseId === undefined ? {} : { evseId }) },
    events: [],
  };
}

/** The status of certificates is for the station to find out; each one asked for must come back. */
function chainStatus(payload: JsonRecord, context: DialectContext): Handled {
  const nextUpdate = timestampFrom(context.now() + ASK_AGAIN_MS);
  const asked = recordsAt(payload, "certificateStatusRequests").slice(0, MAX_CHAIN);
  const certificateStatus = asked.flatMap((request) => {
    const certificateHashData = recordAt(request, "certificateHashData");
    const source = textAt(request, "source");
    if (certificateHashData === undefined || (source !== "CRL" && source !== "OCSP")) return [];
    return [{ certificateHashData, source, status: "Failed", nextUpdate }];
  });
  if (certificateStatus.length === 0) {
    throw new CallRefusal("payload", "certificateStatusRequests must name a certificate and its source");
  }
  return { answer: { certificateStatus }, events: [] };
}
