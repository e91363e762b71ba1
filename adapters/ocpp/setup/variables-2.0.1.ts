import { integerAt, type JsonRecord, recordAt, recordsAt, textAt } from "../link/json.ts";
import type { Request } from "../messages/dialect.ts";
import type { FactNames } from "./traits.ts";
import type { Variable, Variables } from "./variable.ts";

/** Variables of OCPP 2.x, part 2, appendix 3, as `component.variable`. */
export const VARIABLES: FactNames = {
  rateUnits: "SmartChargingCtrlr.RateUnit",
  maxStackLevel: "SmartChargingCtrlr.ProfileStackLevel",
  maxPeriods: "SmartChargingCtrlr.PeriodsPerSchedule",
  maxProfiles: "SmartChargingCtrlr.Entries",
  switchesPhases: ["SmartChargingCtrlr.ACPhaseSwitchingSupported", "SmartChargingCtrlr.Phases3to1"],
  smartCharging: "SmartChargingCtrlr.Enabled",
  settings: {
    sampledMeasurands: "SampledDataCtrlr.TxUpdatedMeasurands",
    sampleIntervalS: "SampledDataCtrlr.TxUpdatedInterval",
    alignedMeasurands: "AlignedDataCtrlr.Measurands",
    alignedIntervalS: "AlignedDataCtrlr.Interval",
    heartbeatIntervalS: "OCPPCommCtrlr.HeartbeatInterval",
    pingIntervalS: "OCPPCommCtrlr.WebSocketPingInterval",
  },
};

/** A station takes only so many in one question and says how many only when it is asked; few take less than this. */
const PER_QUESTION = 7;

/**
 * Asks for all of them, in a few questions.
 * @param more further ones, as `component.variable`, or `component.variable#evse` for those of one EVSE
 */
export function variableQuestions(more: readonly string[] = []): readonly Request[] {
  const { settings, switchesPhases, ...single } = VARIABLES;
  const names = [...Object.values(single), ...switchesPhases, ...Object.values(settings), ...more];
  const questions: Request[] = [];
  for (let from = 0; from < names.length; from += PER_QUESTION) {
    const getVariableData = names.slice(from, from + PER_QUESTION).map((name) => addressOf(name));
    questions.push({ action: "GetVariables", payload: { getVariableData } });
  }
  return questions;
}

/** @param name `component.variable` */
export function setVariable(name: string, attributeValue: string): Request {
  return { action: "SetVariables", payload: { setVariableData: [{ attributeValue, ...addressOf(name) }] } };
}

export function variablesFrom(answer: JsonRecord): Variables {
  const found = new Map<string, Variable>();
  for (const result of recordsAt(answer, "getVariableResult")) {
    const value = textAt(result, "attributeValue");
    if (textAt(result, "attributeStatus") !== "Accepted") continue;
    const name = nameOf(result);
    if (name !== undefined) found.set(name, value === undefined ? {} : { value });
  }
  return found;
}

/** The same from the rows of a base report. Those of one EVSE have its number in their name. */
export function reportedVariables(rows: readonly JsonRecord[]): Variables {
  const found = new Map<string, Variable>();
  for (const row of rows) {
    const attributes = recordsAt(row, "variableAttribute");
    const actual = attributes.find((one) => (textAt(one, "type") ?? "Actual") === "Actual");
    const name = nameOf(row);
    if (actual === undefined || name === undefined) continue;
    const value = textAt(actual, "value");
    const mutability = textAt(actual, "mutability");
    found.set(name, {
      ...(value === undefined ? {} : { value }),
      ...(mutability === undefined ? {} : { readOnly: mutability === "ReadOnly" }),
    });
  }
  return found;
}

function addressOf(name: string): JsonRecord {
  const [path = "", evse] = name.split("#");
  const [component = "", variable = ""] = path.split(".");
  return {
    component: { name: component, ...(evse === undefined ? {} : { evse: { id: Number(evse) } }) },
    variable: { name: variable },
  };
}

function nameOf(row: JsonRecord): string | undefined {
  const component = recordAt(row, "component") ?? {};
  const componentName = textAt(component, "name");
  const variableName = textAt(recordAt(row, "variable") ?? {}, "name");
  const evse = recordAt(component, "evse");
  if (componentName === undefined || variableName === undefined) return undefined;
  const place = evse === undefined ? "" : `#${integerAt(evse, "id") ?? ""}`;
  return `${componentName}.${variableName}${place}`.toLowerCase();
}
