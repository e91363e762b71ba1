import type { Profile } from "../control/charging-profile.ts";
import { type JsonRecord, recordAt, recordsAt, textAt } from "../link/json.ts";
import {
  type Dialect,
  type DialectContext,
  MEASURAND_LISTS,
  type Request,
  rateUnitsFrom,
  type Status,
  type Traits,
  wholeNumberFrom,
} from "./dialect.ts";
import { handle201 } from "./inbound-2.0.1.ts";
import { profile201 } from "./profile-2.0.1.ts";
import { sessionCalls2x } from "./session-calls-2.x.ts";

const SMART_CHARGING = "SmartChargingCtrlr";
const SAMPLED_DATA = "SampledDataCtrlr";

/** OCPP 2.0.1 as one station speaks it. A configured connector is an EVSE here, with its connector 1. */
export function createDialect201(context: DialectContext): Dialect {
  return {
    version: "ocpp2.0.1",
    inbound: (action, payload) => handle201(action, payload, context),
    sessions: sessionCalls2x,
    setProfile,
    clearProfile: (id) => ({ action: "ClearChargingProfile", payload: { chargingProfileId: id } }),
    readTraits: () => ({
      action: "GetVariables",
      payload: {
        getVariableData: ["ProfileStackLevel", "RateUnit"].map((name) => ({
          component: { name: SMART_CHARGING },
          variable: { name },
        })),
      },
    }),
    traitsFrom,
    settings: (meterIntervalS) => [
      MEASURAND_LISTS.map((list) => setVariable("TxUpdatedMeasurands", list)),
      [setVariable("TxUpdatedInterval", String(meterIntervalS))],
    ],
    statuses,
    trigger: (message, connector) => ({
      action: "TriggerMessage",
      payload:
        message === "BootNotification"
          ? { requestedMessage: message }
          : { requestedMessage: message, evse: { id: connector, connectorId: 1 } },
    }),
  };
}

function setVariable(name: string, attributeValue: string): Request {
  return {
    action: "SetVariables",
    payload: { setVariableData: [{ attributeValue, component: { name: SAMPLED_DATA }, variable: { name } }] },
  };
}

function setProfile(profile: Profile): Request {
  return {
    action: "SetChargingProfile",
    payload: { evseId: profile.connector, chargingProfile: profile201(profile) },
  };
}

function traitsFrom(answer: JsonRecord): Traits {
  const values = new Map<string, string | undefined>();
  for (const result of recordsAt(answer, "getVariableResult")) {
    const name = textAt(recordAt(result, "variable") ?? {}, "name");
    if (name !== undefined && textAt(result, "attributeStatus") === "Accepted") {
      values.set(name.toLowerCase(), textAt(result, "attributeValue"));
    }
  }
  const rateUnits = rateUnitsFrom(values.get("rateunit"));
  const maxStackLevel = wholeNumberFrom(values.get("profilestacklevel"));
  return {
    ...(rateUnits === undefined ? {} : { rateUnits }),
    ...(maxStackLevel === undefined ? {} : { maxStackLevel }),
  };
}

function statuses(answer: JsonRecord): readonly Status[] {
  const list = recordsAt(answer, "setVariableResult");
  if (list.length > 0) return list.flatMap((result) => status(result, "attributeStatus", "attributeStatusInfo"));
  return status(answer, "status", "statusInfo");
}

function status(answer: JsonRecord, wordKey: string, infoKey: string): readonly Status[] {
  const word = textAt(answer, wordKey);
  if (word === undefined) return [];
  const info = recordAt(answer, infoKey) ?? {};
  const reason = [textAt(info, "reasonCode"), textAt(info, "additionalInfo")].filter((part) => part !== undefined);
  return [{ word, ...(reason.length > 0 ? { reason: reason.join(": ") } : {}) }];
}
