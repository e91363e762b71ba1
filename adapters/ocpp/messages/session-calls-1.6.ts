import { integerAt, type JsonRecord, recordsAt, textAt } from "../link/json.ts";
import { timestampFrom } from "../link/timestamp.ts";
import { type TagVerdict, verdictOn } from "../sessions/tag.ts";
import { wholeNumberFrom } from "../setup/variable.ts";
import { profile16 } from "./profile-1.6.ts";
import type { SessionCalls } from "./session-calls.ts";

/** CiString20Type. */
const MAX_TAG_LENGTH = 20;

const MAX_ENTRIES = "LocalAuthListMaxLength";
const MAX_PER_MESSAGE = "SendLocalListMaxLength";

export const sessionCalls16: SessionCalls = {
  start: ({ connector, token, profile }) => ({
    action: "RemoteStartTransaction",
    payload: {
      connectorId: connector,
      idTag: token.id,
      ...(profile === undefined ? {} : { chargingProfile: profile16(profile) }),
    },
  }),
  stop: (transactionId) => ({ action: "RemoteStopTransaction", payload: { transactionId } }),
  reserve: ({ reservationId, connector, token, untilMs }) => ({
    action: "ReserveNow",
    payload: { reservationId, connectorId: connector, idTag: token.id, expiryDate: timestampFrom(untilMs) },
  }),
  cancelReservation: (reservationId) => ({ action: "CancelReservation", payload: { reservationId } }),
  listVersion: () => ({ action: "GetLocalListVersion", payload: {} }),
  // −1: it keeps none.
  listVersionFrom: (answer) => integerAt(answer, "listVersion"),
  listLimits: () => ({ action: "GetConfiguration", payload: { key: [MAX_ENTRIES, MAX_PER_MESSAGE] } }),
  listLimitsFrom: (answer) => {
    const maxEntries = wholeNumberFrom(keyAt(answer, MAX_ENTRIES));
    const maxPerMessage = wholeNumberFrom(keyAt(answer, MAX_PER_MESSAGE));
    return {
      ...(maxEntries === undefined ? {} : { maxEntries }),
      ...(maxPerMessage === undefined ? {} : { maxPerMessage }),
    };
  },
  listSettings: () => [
    { action: "ChangeConfiguration", payload: { key: "LocalAuthListEnabled", value: "true" } },
    { action: "ChangeConfiguration", payload: { key: "AllowOfflineTxForUnknownId", value: "false" } },
  ],
  fits: ({ tag }) => tag.length <= MAX_TAG_LENGTH,
  sendList: (version, kind, tags, nowMs) => ({
    action: "SendLocalList",
    payload: {
      listVersion: version,
      updateType: kind,
      localAuthorizationList: tags.map((tag) => ({ idTag: tag.tag, idTagInfo: idTagInfo(verdictOn(tag, nowMs)) })),
    },
  }),
};

/** `idTagInfo` as answers and lists have it. */
export function idTagInfo({ status, expiresAtMs, parent }: TagVerdict): JsonRecord {
  return {
    status,
    ...(expiresAtMs === undefined ? {} : { expiryDate: timestampFrom(expiresAtMs) }),
    ...(parent === undefined ? {} : { parentIdTag: parent }),
  };
}

/** Key names come in any case. */
function keyAt(answer: JsonRecord, name: string): string | undefined {
  const entry = recordsAt(answer, "configurationKey").find(
    (one) => textAt(one, "key")?.toLowerCase() === name.toLowerCase(),
  );
  return entry === undefined ? undefined : textAt(entry, "value");
}
