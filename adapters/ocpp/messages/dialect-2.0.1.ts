import { type Profile, profileFields } from "../control/charging-profile.ts";
import { integerAt, type JsonRecord, recordAt, recordsAt, textAt } from "../link/json.ts";
import { knownWord } from "../link/word.ts";
import { TransactionBook } from "../sessions/transaction-book.ts";
import {
  type Dialect,
  type DialectContext,
  MEASURAND_LISTS,
  type Request,
  rateUnitsFrom,
  STATUS_WORDS,
  type Status,
  type Traits,
  wholeNumberFrom,
} from "./dialect.ts";
import { answerFrom } from "./handler-table.ts";
import { CALLS_201 } from "./inbound-2.0.1.ts";

export const SMART_CHARGING = "SmartChargingCtrlr";
const SAMPLED_DATA = "SampledDataCtrlr";

/** A variable of the device model, of the station or of one EVSE. */
export interface VariableName {
  readonly component: string;
  readonly variable: string;
  readonly evseId?: number;
}

export const SMART_CHARGING_VARIABLES: readonly VariableName[] = ["ProfileStackLevel", "RateUnit"].map((variable) => ({
  component: SMART_CHARGING,
  variable,
}));

/** OCPP 2.0.1 as one station speaks it. A configured connector is an EVSE here, with its connector 1. */
export function createDialect201(context: DialectContext): Dialect {
  const book = new TransactionBook();
  return {
    version: "ocpp2.0.1",
    inbound: (action, payload) => answerFrom(CALLS_201, action, payload, book, context),
    setProfile,
    clearProfile: (id) => ({
      action: "ClearChargingProfile",
      payload: { chargingProfileId: id },
      unusable: withoutStatus,
    }),
    readTraits: () => getVariables(SMART_CHARGING_VARIABLES),
    traitsFrom: traitsFrom2,
    settings: (meterIntervalS) => meteringSettings(MEASURAND_LISTS, meterIntervalS),
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

export function getVariables(names: readonly VariableName[]): Request {
  return {
    action: "GetVariables",
    payload: {
      getVariableData: names.map(({ component, variable, evseId }) => ({
        component: { name: component, ...(evseId === undefined ? {} : { evse: { id: evseId } }) },
        variable: { name: variable },
      })),
    },
  };
}

/** Values that the charger gave, with the variable that each belongs to; names come in any case, so they are lowered. */
export function variablesFrom(answer: JsonRecord): readonly (VariableName & { readonly value: string })[] {
  return recordsAt(answer, "getVariableResult").flatMap((result) => {
    const component = recordAt(result, "component") ?? {};
    const variable = textAt(recordAt(result, "variable") ?? {}, "name")?.toLowerCase();
    const value = textAt(result, "attributeValue");
    const [word] = status(result, "attributeStatus", "attributeStatusInfo");
    if (variable === undefined || value === undefined || word?.word !== "Accepted") return [];
    const evseId = integerAt(recordAt(component, "evse") ?? {}, "id");
    const name = (textAt(component, "name") ?? "").toLowerCase();
    return [{ component: name, variable, value, ...(evseId === undefined ? {} : { evseId }) }];
  });
}

/** What is measured in a transaction, and how often; each as alternatives of which the first accepted one is enough. */
export function meteringSettings(lists: readonly string[], meterIntervalS: number): readonly (readonly Request[])[] {
  return [
    lists.map((list) => setVariable("TxUpdatedMeasurands", list)),
    [setVariable("TxUpdatedInterval", String(meterIntervalS))],
  ];
}

function setVariable(name: string, attributeValue: string): Request {
  return {
    action: "SetVariables",
    payload: { setVariableData: [{ attributeValue, component: { name: SAMPLED_DATA }, variable: { name } }] },
  };
}

function setProfile(profile: Profile): Request {
  const { head, schedule } = profileFields(profile);
  return {
    action: "SetChargingProfile",
    payload: {
      evseId: profile.connector,
      chargingProfile: { id: profile.id, ...head, chargingSchedule: [{ id: profile.id, ...schedule }] },
    },
    unusable: withoutStatus,
  };
}

export function traitsFrom2(answer: JsonRecord): Traits {
  const values = new Map(variablesFrom(answer).map(({ variable, value }) => [variable, value]));
  const rateUnits = rateUnitsFrom(values.get("rateunit"));
  const maxStackLevel = wholeNumberFrom(values.get("profilestacklevel"));
  return {
    ...(rateUnits === undefined ? {} : { rateUnits }),
    ...(maxStackLevel === undefined ? {} : { maxStackLevel }),
  };
}

/** What is wrong with the answer to a command that says nothing of what became of it. */
export function withoutStatus(answer: JsonRecord): string | undefined {
  return textAt(answer, "status") === undefined ? "no status" : undefined;
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
  return [{ word: knownWord(word, STATUS_WORDS), ...(reason.length > 0 ? { reason: reason.join(": ") } : {}) }];
}
