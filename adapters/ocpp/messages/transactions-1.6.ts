import { CallRefusal } from "../link/frame.ts";
import { integerAt, type JsonRecord, numberAt, textAt } from "../link/json.ts";
import { parseTimestamp } from "../link/timestamp.ts";
import { sampleSetsFrom } from "../metering/sampled-value.ts";
import type { DialectContext } from "./dialect.ts";
import type { ChargerEvent, Handled } from "./events.ts";
import { idTagInfo } from "./session-calls-1.6.ts";

export function authorize(payload: JsonRecord, { admission }: DialectContext): Handled {
  return { answer: { idTagInfo: idTagInfo(admission.verdict(textAt(payload, "idTag"))) }, events: [] };
}

/**
 * A transaction is one also where the card is not accepted: the charger ends it then, or goes on
 * (`StopTransactionOnInvalidId`), and tells its meter values under the id that it gets here.
 */
export function startTransaction(payload: JsonRecord, context: DialectContext): Handled {
  const { admission, book } = context;
  const nowMs = context.now();
  const connector = integerAt(payload, "connectorId") ?? context.onlyConnector();
  if (connector === undefined || connector < 1) throw new CallRefusal("payload", "connectorId must be 1 or more");
  const token = textAt(payload, "idTag");
  const reservationId = integerAt(payload, "reservationId");
  const meterKWh = kWhAt(payload, "meterStart");
  const timestamp = textAt(payload, "timestamp");
  const atMs = parseTimestamp(timestamp);
  // One card charges one car, where it matters whose card it is.
  const isTwice = admission.mode === "list" && token !== undefined && book.isChargingElsewhere(token, connector);
  const verdict = admission.verdict(token);
  // Without a time a repeat cannot be told from a new start, so it gets an id of its own.
  const transactionId = book.idForStart(connector, timestamp ?? `at ${nowMs}`, {
    ...(token === undefined ? {} : { token }),
    ...(reservationId === undefined ? {} : { reservationId }),
    ...(meterKWh === undefined ? {} : { meterKWh }),
    ...(atMs === undefined ? {} : { atMs }),
  });
  const events: ChargerEvent[] = [];
  if (!book.isOver(transactionId)) {
    const isRemote = token !== undefined && admission.isExpected(token);
    events.push({
      kind: "transaction",
      connector,
      transactionId,
      ...(isPast(atMs, nowMs) ? { past: true } : {}),
      ...(isRemote ? { remote: true } : {}),
    });
  }
  if (reservationId !== undefined) events.push({ kind: "reservation-over", connector: 0, reservationId });
  const info = idTagInfo(isTwice && verdict.status === "Accepted" ? { status: "ConcurrentTx" } : verdict);
  return { answer: { transactionId, idTagInfo: info }, events };
}

/** Always answered: a charger that gets an error here repeats the message for ever, and nothing behind it comes through. */
export function stopTransaction(payload: JsonRecord, { admission, book }: DialectContext): Handled {
  const token = textAt(payload, "idTag");
  const answer = token === undefined ? {} : { idTagInfo: idTagInfo(admission.verdict(token)) };
  const transactionId = integerAt(payload, "transactionId");
  // The book is the station's own: the id of a transaction elsewhere is none here, and ends nothing.
  const connector = book.connectorOf(transactionId);
  if (transactionId === undefined || connector === undefined) return { answer, events: [] };
  const sets = sampleSetsFrom(payload, "transactionData");
  const atMs = parseTimestamp(textAt(payload, "timestamp"));
  const meterKWh = kWhAt(payload, "meterStop");
  // An absent reason means Local (6.51).
  const reason = textAt(payload, "reason") ?? "Local";
  book.ended(transactionId, {
    sets,
    reason,
    ...(atMs === undefined ? {} : { atMs }),
    ...(meterKWh === undefined ? {} : { meterKWh }),
  });
  const events: ChargerEvent[] = [];
  if (sets.length > 0) events.push({ kind: "samples", connector, sets });
  events.push({ kind: "transaction-over", connector, transactionId, reason });
  return { answer, events };
}

export function meterValues(payload: JsonRecord, context: DialectContext): Handled {
  const { book } = context;
  const named = integerAt(payload, "transactionId");
  // 0 and −1 stand for "none" with some.
  const transactionId = named !== undefined && named > 0 ? named : undefined;
  const connector = integerAt(payload, "connectorId") ?? book.connectorOf(transactionId) ?? context.onlyConnector();
  if (connector === undefined) return { answer: {}, events: [] };
  const sets = sampleSetsFrom(payload);
  // An id that we never gave is one that the charger kept over our own restart; only if it is of now it runs.
  const isNow = sets.some(({ takenAtMs }) => !isPast(takenAtMs, context.now()));
  const isNamed = transactionId !== undefined && connector > 0;
  const isOurs =
    isNamed && (isNow ? book.adopt(transactionId, connector) : book.connectorOf(transactionId) === connector);
  const isRunning = isOurs && !book.isOver(transactionId);
  return {
    answer: {},
    events: [{ kind: "samples", connector, sets, ...(isRunning ? { transactionId } : {}) }],
  };
}

/** An older message was written while the charger was offline, or by a clock that is wrong; 1.6 does not say which. */
const RECENT_MS = 60_000;

function isPast(writtenAtMs: number | undefined, nowMs: number): boolean {
  return writtenAtMs !== undefined && nowMs - writtenAtMs > RECENT_MS;
}

function kWhAt(payload: JsonRecord, key: string): number | undefined {
  const energyWh = numberAt(payload, key);
  return energyWh === undefined || energyWh < 0 ? undefined : energyWh / 1000;
}
