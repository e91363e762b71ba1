import { cutText, integerAt, type JsonRecord, recordAt, textAt } from "../link/json.ts";
import { parseTimestamp } from "../link/timestamp.ts";
import { entryAt, knownWord } from "../link/word.ts";
import { sampleSetsFrom } from "../metering/sampled-value.ts";
import type { SessionFacts } from "../sessions/transaction-book.ts";
import type { DialectContext } from "./dialect.ts";
import type { ChargerEvent, Handled, PlugState } from "./events.ts";
import { idTokenInfo } from "./session-calls-2.x.ts";

const CHARGING_STATES: Readonly<Record<string, PlugState>> = {
  Charging: "charging",
  EVConnected: "plugged",
  SuspendedEV: "held-by-car",
  SuspendedEVSE: "held-by-station",
  Idle: "free",
};

export function authorize(payload: JsonRecord, { admission }: DialectContext): Handled {
  return { answer: { idTokenInfo: idTokenInfo(admission.verdict(tokenIn(payload))) }, events: [] };
}

export function reservationStatusUpdate(payload: JsonRecord): Handled {
  const reservationId = integerAt(payload, "reservationId");
  return {
    answer: {},
    events: reservationId === undefined ? [] : [{ kind: "reservation-over", connector: 0, reservationId }],
  };
}

/** Always answered, since a station repeats it until it is; what cannot be placed has no consequence. */
export function transactionEvent(payload: JsonRecord, context: DialectContext): Handled {
  const { admission, book } = context;
  const hasToken = recordAt(payload, "idToken") !== undefined;
  const answer = hasToken ? { idTokenInfo: idTokenInfo(admission.verdict(tokenIn(payload))) } : {};
  const info = recordAt(payload, "transactionInfo") ?? {};
  const given = textAt(info, "transactionId");
  const transactionId = given === undefined ? undefined : cutText(given, 36);
  // The EVSE is named once in a transaction, and the transaction stays there.
  const connector =
    book.connectorOf(transactionId) ?? integerAt(recordAt(payload, "evse") ?? {}, "id") ?? context.onlyConnector();
  if (transactionId === undefined || connector === undefined) return { answer, events: [] };
  const place = book.order(transactionId, integerAt(payload, "seqNo"));
  // Its answer got lost; what followed from it has been done.
  if (place === "repeat") return { answer, events: [] };
  return { answer, events: eventsOf(payload, { info, transactionId, connector, place }, context) };
}

interface Placed {
  readonly info: JsonRecord;
  readonly transactionId: string;
  readonly connector: number;
  /** `late`: a newer message of this transaction came before it, so it says nothing of now. */
  readonly place: "next" | "late";
}

function eventsOf(
  payload: JsonRecord,
  { info, transactionId, connector, place }: Placed,
  { book }: DialectContext,
): readonly ChargerEvent[] {
  const sets = sampleSetsFrom(payload);
  const facts = factsOf(payload, info, sets);
  const type = knownWord(textAt(payload, "eventType") ?? "", ["Started", "Updated", "Ended"]);
  if (type === "Started") book.started(transactionId, connector, facts);
  else if (!book.adopt(transactionId, connector)) return [];
  else book.noted(transactionId, facts);
  if (type === "Ended") book.ended(transactionId, facts);

  const offline = payload["offline"] === true;
  const isNow = place === "next" && !offline;
  const events: ChargerEvent[] = [];
  if (!book.isOver(transactionId) && place === "next") {
    const isRemote = textAt(payload, "triggerReason") === "RemoteStart" || info["remoteStartId"] !== undefined;
    events.push({
      kind: "transaction",
      connector,
      transactionId,
      // 2.x says itself what waited in the station, so that a clock that is wrong makes no difference.
      ...(offline ? { past: true } : {}),
      ...(isRemote ? { remote: true } : {}),
    });
  }
  if (facts.reservationId !== undefined) {
    events.push({ kind: "reservation-over", connector: 0, reservationId: facts.reservationId });
  }
  if (sets.length > 0) events.push({ kind: "samples", connector, sets, ...(offline ? { offline } : {}) });
  const state = entryAt(info, "chargingState", CHARGING_STATES);
  if (type === "Ended") {
    const { reason } = facts;
    events.push({ kind: "transaction-over", connector, transactionId, ...(reason === undefined ? {} : { reason }) });
    // The connector stays Occupied and says so only once, but this session takes no more.
    if (isNow) events.push({ kind: "state", connector, state: state === "free" ? "free" : "finishing" });
  } else if (state !== undefined && isNow) {
    events.push({ kind: "state", connector, state });
  }
  return events;
}

function factsOf(payload: JsonRecord, info: JsonRecord, sets: SessionFacts["sets"]): SessionFacts {
  const atMs = parseTimestamp(textAt(payload, "timestamp"));
  const token = tokenIn(payload);
  const reservationId = integerAt(payload, "reservationId");
  // An absent reason means Local (TransactionType).
  const reason = textAt(payload, "eventType") === "Ended" ? (textAt(info, "stoppedReason") ?? "Local") : undefined;
  return {
    ...(atMs === undefined ? {} : { atMs }),
    ...(token === undefined ? {} : { token }),
    ...(reservationId === undefined ? {} : { reservationId }),
    ...(reason === undefined ? {} : { reason }),
    ...(sets === undefined ? {} : { sets }),
  };
}

/** A token without a number (`NoAuthorization`) is none. */
function tokenIn(payload: JsonRecord): string | undefined {
  return textAt(recordAt(payload, "idToken") ?? {}, "idToken");
}
