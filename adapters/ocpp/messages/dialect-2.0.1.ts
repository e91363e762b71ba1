import type { Profile, ProfilePurpose } from "../control/charging-profile.ts";
import { type JsonRecord, recordAt, recordsAt, textAt } from "../link/json.ts";
import { knownWord } from "../link/word.ts";
import {
  reportedVariables,
  setVariable,
  VARIABLES,
  variableQuestions,
  variablesFrom,
} from "../setup/variables-2.0.1.ts";
import { type Dialect, type ProfileFilter, type Request, STATUS_WORDS, type Status } from "./dialect.ts";
import { answerFrom } from "./handler-table.ts";
import { CALLS_201 } from "./inbound-2.0.1.ts";
import { profile201 } from "./profile-2.0.1.ts";
import { sessionCalls2x } from "./session-calls-2.x.ts";

/** OCPP 2.0.1. A configured connector is an EVSE here, with its connector 1. */
export const DIALECT_201: Dialect = {
  version: "ocpp2.0.1",
  inbound: (action, payload, context) => answerFrom(CALLS_201, action, payload, context),
  sessions: sessionCalls2x,
  setProfile,
  clearProfile: (id) => ({
    action: "ClearChargingProfile",
    payload: { chargingProfileId: id },
    unusable: withoutStatus,
  }),
  clearMatching,
  listProfiles: (requestId, evseId) => ({
    action: "GetChargingProfiles",
    payload: { requestId, ...(evseId === undefined ? {} : { evseId }), chargingProfile: {} },
  }),
  compositeSchedule: (evseId, duration) => ({ action: "GetCompositeSchedule", payload: { evseId, duration } }),
  stopTransaction: (transactionId) => ({
    action: "RequestStopTransaction",
    payload: { transactionId: String(transactionId) },
  }),
  change: setVariable,
  dataTransfer: (vendorId, messageId, data) => ({
    action: "DataTransfer",
    payload: { vendorId, ...(messageId === undefined ? {} : { messageId }), data },
  }),
  readVariables: () => variableQuestions(),
  variablesFrom,
  readEverything: (requestId) => ({
    action: "GetBaseReport",
    payload: { requestId, reportBase: "ConfigurationInventory" },
  }),
  reportedVariables,
  factNames: VARIABLES,
  statuses,
  trigger: (message, connector) => ({
    action: "TriggerMessage",
    payload:
      message === "BootNotification"
        ? { requestedMessage: message }
        : { requestedMessage: message, evse: { id: connector, connectorId: 1 } },
  }),
};

function purposeWord(purpose: ProfilePurpose): string {
  return purpose === "MaxProfile" ? "ChargingStationMaxProfile" : purpose;
}

function setProfile(profile: Profile): Request {
  return {
    action: "SetChargingProfile",
    payload: { evseId: profile.connector, chargingProfile: profile201(profile) },
    unusable: withoutStatus,
  };
}

function clearMatching({ connector, purpose }: ProfileFilter): Request {
  const criteria = {
    ...(connector === undefined ? {} : { evseId: connector }),
    ...(purpose === undefined ? {} : { chargingProfilePurpose: purposeWord(purpose) }),
  };
  return { action: "ClearChargingProfile", payload: { chargingProfileCriteria: criteria } };
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
