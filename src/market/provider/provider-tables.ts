import type { SqlDatabase } from "../../store/open-database.ts";
import type { ChangedRow, ChangedTable } from "./change-rows.ts";
import type {
  AnsweredRequest,
  ClearedOrder,
  RoundRecord,
  TransactionRecord,
  WaitingCallback,
} from "./provider-records.ts";

type Row = Record<string, unknown>;

/** A request may come again for this long and still get the answer it got first. */
const REQUESTS_KEPT_MS = 48 * 3_600_000;
const TRANSACTIONS_KEPT_MS = 30 * 24 * 3_600_000;
/** Rounds are what is settled from, so they stay for long. */
const ROUNDS_KEPT_MS = 400 * 24 * 3_600_000;
const TRANSACTIONS_LOADED = 200_000;

/** Steps of the provider's database, in order. */
export const PROVIDER_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE request (
    sender_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    answer_status INTEGER NOT NULL,
    answer_body TEXT NOT NULL,
    PRIMARY KEY (sender_id, message_id)
  ) WITHOUT ROWID;
  CREATE TABLE deal (
    bap_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    over INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bap_id, transaction_id)
  ) WITHOUT ROWID;
  CREATE TABLE round (
    round_id TEXT PRIMARY KEY,
    closed_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE cleared_order (
    round_id TEXT NOT NULL,
    bap_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (round_id, bap_id, transaction_id)
  ) WITHOUT ROWID;
  CREATE TABLE callback (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    body TEXT NOT NULL,
    lane TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_ms INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX callback_due ON callback (next_attempt_ms);
  `,
  "ALTER TABLE callback ADD COLUMN request_signature TEXT;",
  // Rows one after the other, with an index of the names alone: a row at a random place costs a page of the log each.
  `
  CREATE TABLE request_in_order (
    sender_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    answer_status INTEGER NOT NULL,
    answer_body TEXT NOT NULL,
    UNIQUE (sender_id, message_id)
  );
  INSERT INTO request_in_order SELECT * FROM request ORDER BY received_at_ms;
  DROP TABLE request;
  ALTER TABLE request_in_order RENAME TO request;
  CREATE TABLE deal_in_order (
    bap_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    over INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (bap_id, transaction_id)
  );
  INSERT INTO deal_in_order SELECT * FROM deal ORDER BY updated_at_ms;
  DROP TABLE deal;
  ALTER TABLE deal_in_order RENAME TO deal;
  `,
];

/** The provider's tables, as prepared statements. Runs inside a transaction that the caller opens. */
export function providerTables(database: SqlDatabase) {
  const put: Readonly<Record<ChangedTable, ReturnType<SqlDatabase["prepare"]>>> = {
    request: database.prepare("INSERT INTO request VALUES (?, ?, ?, ?, ?, ?)"),
    deal: database.prepare(
      `INSERT INTO deal VALUES (?, ?, ?, ?, ?) ON CONFLICT (bap_id, transaction_id) DO UPDATE SET
         over = excluded.over, updated_at_ms = excluded.updated_at_ms, body = excluded.body`,
    ),
    round: database.prepare("INSERT OR REPLACE INTO round VALUES (?, ?, ?)"),
    cleared_order: database.prepare("INSERT OR REPLACE INTO cleared_order VALUES (?, ?, ?, ?)"),
    callback: database.prepare(
      "INSERT INTO callback (action, reply_to, body, lane, expires_at_ms, request_signature) VALUES (?, ?, ?, ?, ?, ?)",
    ),
  };
  const findRequest = database.prepare("SELECT * FROM request WHERE sender_id = ? AND message_id = ?");
  const selectDeals = database.prepare(
    `SELECT body FROM deal WHERE over = 0 OR updated_at_ms >= ? ORDER BY updated_at_ms DESC LIMIT ${TRANSACTIONS_LOADED}`,
  );
  const findRound = database.prepare("SELECT 1 FROM round WHERE round_id = ?");
  const selectRounds = database.prepare("SELECT body FROM round ORDER BY closed_at_ms DESC, round_id DESC LIMIT ?");
  const selectOrders = database.prepare("SELECT body FROM cleared_order WHERE round_id = ?");
  const dueCallbacks = database.prepare("SELECT * FROM callback WHERE next_attempt_ms <= ? ORDER BY id LIMIT ?");
  const removeCallback = database.prepare("DELETE FROM callback WHERE id = ?");
  const retryCallback = database.prepare("UPDATE callback SET attempts = ?, next_attempt_ms = ? WHERE id = ?");
  const countCallbacks = database.prepare("SELECT count(*) AS n FROM callback");
  const bodies = <T>(rows: unknown): T[] => (rows as Row[]).map((row) => JSON.parse(String(row["body"])) as T);

  return {
    commit(rows: readonly ChangedRow[]): void {
      for (const { into, values } of rows) put[into].run(values);
    },
    findRequest(senderId: string, messageId: string): AnsweredRequest | undefined {
      const row = findRequest.get(senderId, messageId) as Row | undefined;
      return row && requestFrom(row);
    },
    transactions: (sinceMs: number): TransactionRecord[] => bodies(selectDeals.all(sinceMs)),
    hasRound: (roundId: string): boolean => findRound.get(roundId) !== undefined,
    rounds: (limit: number): RoundRecord[] => bodies(selectRounds.all(limit)),
    ordersOf: (roundId: string): ClearedOrder[] => bodies(selectOrders.all(roundId)),
    dueCallbacks: (nowMs: number, limit: number): WaitingCallback[] =>
      (dueCallbacks.all(nowMs, limit) as Row[]).map(callbackFrom),
    removeCallback: (id: number): void => void removeCallback.run(id),
    retryCallback: (id: number, attempts: number, nextAttemptMs: number): void =>
      void retryCallback.run(attempts, nextAttemptMs, id),
    callbacksWaiting: (): number => (countCallbacks.get() as { n: number }).n,
    prune(nowMs: number): void {
      database.prepare("DELETE FROM request WHERE received_at_ms < ?").run(nowMs - REQUESTS_KEPT_MS);
      database.prepare("DELETE FROM deal WHERE over = 1 AND updated_at_ms < ?").run(nowMs - TRANSACTIONS_KEPT_MS);
      database
        .prepare("DELETE FROM cleared_order WHERE round_id IN (SELECT round_id FROM round WHERE closed_at_ms < ?)")
        .run(nowMs - ROUNDS_KEPT_MS);
      database.prepare("DELETE FROM round WHERE closed_at_ms < ?").run(nowMs - ROUNDS_KEPT_MS);
      database.prepare("DELETE FROM callback WHERE expires_at_ms < ?").run(nowMs - REQUESTS_KEPT_MS);
    },
  };
}

function requestFrom(row: Row): AnsweredRequest {
  return {
    senderId: String(row["sender_id"]),
    messageId: String(row["message_id"]),
    digest: String(row["digest"]),
    receivedAtMs: Number(row["received_at_ms"]),
    answerStatus: Number(row["answer_status"]),
    answerBody: String(row["answer_body"]),
  };
}

function callbackFrom(row: Row): WaitingCallback {
  return {
    id: Number(row["id"]),
    action: String(row["action"]),
    to: JSON.parse(String(row["reply_to"])),
    body: String(row["body"]),
    lane: String(row["lane"]),
    expiresAtMs: Number(row["expires_at_ms"]),
    ...(row["request_signature"] !== null && { requestSignature: String(row["request_signature"]) }),
    attempts: Number(row["attempts"]),
    nextAttemptMs: Number(row["next_attempt_ms"]),
  };
}
