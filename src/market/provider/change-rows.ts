import type { ProviderChange } from "./provider-records.ts";
import { isOver } from "./transaction.ts";

export type ChangedTable = "request" | "deal" | "round" | "cleared_order" | "callback";

/** A row to be put into a table: values in the order of its columns. */
export interface ChangedRow {
  readonly into: ChangedTable;
  readonly values: readonly (string | number | null)[];
}

/**
 * A change as the rows of the tables. Put together before it crosses to the store's thread: flat rows of text cross
 * several times faster than the objects they stand for.
 */
export function rowsOf({ request, transactions, round, orders, callbacks }: ProviderChange): readonly ChangedRow[] {
  const rows: ChangedRow[] = [];
  const put = (into: ChangedTable, ...values: ChangedRow["values"]) => rows.push({ into, values });
  if (request !== undefined) {
    const { senderId, messageId, digest, receivedAtMs, answerStatus, answerBody } = request;
    put("request", senderId, messageId, digest, receivedAtMs, answerStatus, answerBody);
  }
  for (const one of transactions ?? []) {
    put("deal", one.bapId, one.transactionId, isOver(one.state) ? 1 : 0, one.updatedAtMs, JSON.stringify(one));
  }
  if (round !== undefined) put("round", round.roundId, round.closedAtMs, JSON.stringify(round));
  for (const one of orders ?? []) {
    put("cleared_order", one.roundId, one.bapId, one.transactionId, JSON.stringify(one));
  }
  for (const { action, to, body, lane, expiresAtMs, requestSignature } of callbacks ?? []) {
    put("callback", action, JSON.stringify(to), body, lane, expiresAtMs, requestSignature ?? null);
  }
  return rows;
}
