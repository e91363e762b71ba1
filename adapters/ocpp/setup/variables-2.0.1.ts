import { type JsonRecord, recordAt, recordsAt, textAt } from "../link/json.ts";
import type { Request } from "../messages/dialect.ts";
import type { FactNames, Variable, Variables } from "./traits.ts";

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

/** Asks for all of them, in a few questions. */
export function variableQuestions(): readonly Request[] {
  const { settings, switchesPhases, ...single } = VARIABLES;
  const names = [...Object.values(single), ...switchesPhases, ...Object.values(settings)];
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

/** The same from the rows of a base report. Components of one EVSE are left out: the questions above ask the station. */
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
  const [component = "", variable = ""] = name.split(".");
  return { component: { name: component }, variable: { name: variable } };
}

function nameOf(row: JsonRecord): string | undefined {
  const component = recordAt(row, "component") ?? {};
  const componentName = textAt(component, "name");
  const variableName = textAt(recordAt(row, "variable") ?? {}, "name");
  if (componentName === undefined || variableName === undefined || recordAt(component, "evse") !== undefined) {
    return undefined;
  }
  return `${componentName}.${variableName}`.toLowerCase();
}
