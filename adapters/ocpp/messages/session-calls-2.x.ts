import { integerAt, type JsonRecord, recordAt, recordsAt, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import { type TagVerdict, type Token, tokenOf, verdictOn } from "../sessions/tag.ts";
import { wholeNumberFrom } from "../setup/variable.ts";
import { profile201 } from "./profile-2.0.1.ts";
import type { SessionCalls } from "./session-calls.ts";

const LIST = "LocalAuthListCtrlr";

/** 2.0.1 and 2.1 have the same ones. */
export const sessionCalls2x: SessionCalls = {
  start: ({ connector, token, remoteStartId, profile }) => ({
    action: "RequestStartTransaction",
    payload: {
      remoteStartId,
      evseId: connector,
      idToken: idToken(token),
      ...(profile === undefined ? {} : { chargingProfile: profile201(profile) }),
    },
  }),
  stop: (transactionId) => ({
    action: "RequestStopTransaction",
    payload: { transactionId: String(transactionId) },
  }),
  reserve: ({ reservationId, connector, token, untilMs }) => ({
    action: "ReserveNow",
    payload: { id: reservationId, evseId: connector, idToken: idToken(token), expiryDateTime: timestampFrom(untilMs) },
  }),
  cancelReservation: (reservationId) => ({ action: "CancelReservation", payload: { reservationId } }),
  transactionStatus: (transactionId) => ({ action: "GetTransactionStatus", payload: { transactionId } }),
  listVersion: () => ({ action: "GetLocalListVersion", payload: {} }),
  listVersionFrom: (answer) => integerAt(answer, "versionNumber"),
  listLimits: () => ({
    action: "GetVariables",
    payload: {
      getVariableData: [
        // How many it can hold is the bound of the variable that counts them.
        { component: { name: LIST }, variable: { name: "Entries" }, attributeType: "MaxSet" },
        { component: { name: LIST }, variable: { name: "ItemsPerMessage" } },
      ],
    },
  }),
  listLimitsFrom: (answer) => {
    const maxEntries = variableAt(answer, "Entries");
    const maxPerMessage = variableAt(answer, "ItemsPerMessage");
    return {
      ...(maxEntries === undefined ? {} : { maxEntries }),
      ...(maxPerMessage === undefined ? {} : { maxPerMessage }),
    };
  },
  listSettings: () => [
    setVariable(LIST, "Enabled", "true"),
    setVariable("AuthCtrlr", "LocalAuthorizeOffline", "true"),
    setVariable("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "false"),
  ],
  fits: () => true,
  sendList: (version, kind, tags, nowMs) => ({
    action: "SendLocalList",
    payload: {
      versionNumber: version,
      updateType: kind,
      // An empty list is not allowed; to leave it out empties the charger's.
      ...(tags.length === 0
        ? {}
        : {
            localAuthorizationList: tags.map((tag) => ({
              idToken: idToken(tokenOf(tag)),
              idTokenInfo: idTokenInfo(verdictOn(tag, nowMs)),
            })),
          }),
    },
  }),
};

/** `idTokenInfo` as answers and lists have it. */
export function idTokenInfo({ status, expiresAtMs, parent }: TagVerdict): JsonRecord {
  return {
    status,
    ...(expiresAtMs === undefined ? {} : { cacheExpiryDateTime: timestampFrom(expiresAtMs) }),
    ...(parent === undefined ? {} : { groupIdToken: { idToken: parent, type: "Central" } }),
  };
}

function idToken({ id, type }: Token): JsonRecord {
  return { idToken: id, type };
}

function setVariable(component: string, variable: string, attributeValue: string) {
  return {
    action: "SetVariables",
    payload: {
      setVariableData: [{ attributeValue, component: { name: component }, variable: { name: variable } }],
    },
  };
}

function variableAt(answer: JsonRecord, name: string): number | undefined {
  const result = recordsAt(answer, "getVariableResult").find(
    (one) =>
      textAt(recordAt(one, "variable") ?? {}, "name")?.toLowerCase() === name.toLowerCase() &&
      textAt(one, "attributeStatus") === "Accepted",
  );
  return result === undefined ? undefined : wholeNumberFrom(textAt(result, "attributeValue"));
}
