import type { Profile, ProfilePurpose } from "../control/charging-profile.ts";
import { type JsonRecord, textAt } from "../link/json.ts";
import { knownWord } from "../link/word.ts";
import { CONFIGURATION_KEYS, configurationFrom, configurationQuestion } from "../setup/configuration-1.6.ts";
import { type Dialect, type ProfileFilter, type Request, STATUS_WORDS, type Status } from "./dialect.ts";
import { answerFrom } from "./handler-table.ts";
import { CALLS_16 } from "./inbound-1.6.ts";
import { profile16 } from "./profile-1.6.ts";
import { sessionCalls16 } from "./session-calls-1.6.ts";

/** OCPP 1.6J. */
export const DIALECT_16: Dialect = {
  version: "ocpp1.6",
  inbound: (action, payload, context) => answerFrom(CALLS_16, action, payload, context),
  sessions: sessionCalls16,
  setProfile,
  clearProfile: (id) => ({ action: "ClearChargingProfile", payload: { id } }),
  clearMatching,
  compositeSchedule: (connectorId, duration) => ({
    action: "GetCompositeSchedule",
    payload: { connectorId, duration },
  }),
  stopTransaction: (transactionId) => ({
    action: "RemoteStopTransaction",
    payload: { transactionId: Number(transactionId) },
  }),
  change: (key, value) => ({ action: "ChangeConfiguration", payload: { key, value } }),
  dataTransfer: (vendorId, messageId, data) => ({
    action: "DataTransfer",
    payload: { vendorId, ...(messageId === undefined ? {} : { messageId }), data },
  }),
  readVariables: () => [configurationQuestion()],
  variablesFrom: configurationFrom,
  readEverything: () => ({ action: "GetConfiguration", payload: {} }),
  factNames: CONFIGURATION_KEYS,
  statuses,
  trigger: (message, connector) => ({
    action: "TriggerMessage",
    payload:
      message === "BootNotification"
        ? { requestedMessage: message }
        : { requestedMessage: message, connectorId: connector },
  }),
};

function purposeWord(purpose: ProfilePurpose): string {
  return purpose === "MaxProfile" ? "ChargePointMaxProfile" : purpose;
}

function setProfile(profile: Profile): Request {
  return {
    action: "SetChargingProfile",
    payload: { connectorId: profile.connector, csChargingProfiles: profile16(profile) },
  };
}

function clearMatching({ connector, purpose }: ProfileFilter): Request {
  return {
    action: "ClearChargingProfile",
    payload: {
      ...(connector === undefined ? {} : { connectorId: connector }),
      ...(purpose === undefined ? {} : { chargingProfilePurpose: purposeWord(purpose) }),
    },
  };
}

function statuses(answer: JsonRecord): readonly Status[] {
  const word = textAt(answer, "status");
  return word === undefined ? [] : [{ word: knownWord(word, STATUS_WORDS) }];
}
