import type {
  Contract,
  ControlChange,
  MemoryEntry,
  ObjectiveRecord,
  OutboxItem,
  ReceivedMessage,
  ReceiveResult,
  SentSignature,
  StoredSetpoint,
} from "./control-store.ts";
import type { SqlDatabase } from "./open-database.ts";

type Row = Record<string, unknown>;

/** A message may come again for this long and still get the answer it got first. */
const INBOX_KEPT_MS = 48 * 3_600_000;
const INBOX_KEPT_ROWS = 20_000;
const SETPOINTS_KEPT = 20_000;
const CONTRACTS_KEPT_MS = 7 * 24 * 3_600_000;
/** Items that wait for the market; beyond this the oldest that can be replaced goes first. */
const OUTBOX_MAX = 10_000;

/** The tables of the control database, as prepared statements. Runs inside a transaction that the caller opens. */
export function controlTables(database: SqlDatabase) {
  const insertInbox = database.prepare(
    `INSERT INTO inbox (sender_id, message_id, transaction_id, action, digest, received_at_ms, answer_status, answer_body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const findInbox = database.prepare("SELECT * FROM inbox WHERE sender_id = ? AND message_id = ?");
  const insertSetpoint = database.prepare(
    "INSERT INTO setpoint (id, era, valid_until_ms, received_at_ms, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
  );
  const updateJudgement = database.prepare(
    "UPDATE setpoint SET judgement = ?, judgement_final = ? WHERE id = ? AND judgement_final = 0",
  );
  const upsertContract = database.prepare(
    `INSERT INTO contract (transaction_id, order_id, bpp_id, era, state, clearing_price, updated_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (transaction_id) DO UPDATE SET order_id = excluded.order_id, state = excluded.state,
       clearing_price = excluded.clearing_price, updated_at_ms = excluded.updated_at_ms`,
  );
  const dropReplaced = database.prepare("DELETE FROM outbox WHERE replace_key = ?");
  const insertOutbox = database.prepare(
    `INSERT INTO outbox (action, url, body, replace_key, created_at_ms, expires_at_ms, next_attempt_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const trimOutbox = database.prepare(
    `DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY replace_key IS NULL, id
       LIMIT max(0, (SELECT count(*) FROM outbox) - ${OUTBOX_MAX}))`,
  );
  const findContract = database.prepare("SELECT * FROM contract WHERE transaction_id = ?");
  const findContractByOrder = database.prepare(
    "SELECT * FROM contract WHERE order_id = ? ORDER BY updated_at_ms DESC LIMIT 1",
  );
  const openSetpoints = database.prepare(
    "SELECT body, judgement FROM setpoint WHERE judgement_final = 0 OR valid_until_ms > ? ORDER BY seq",
  );
  const recentSetpoints = database.prepare("SELECT body, judgement FROM setpoint ORDER BY seq DESC LIMIT ?");
  const upsertObjective = database.prepare(
    "INSERT INTO objective (era, body) VALUES (?, ?) ON CONFLICT (era) DO UPDATE SET body = excluded.body",
  );
  const allObjectives = database.prepare("SELECT body FROM objective");
  const dueOutbox = database.prepare("SELECT * FROM outbox WHERE next_attempt_ms <= ? ORDER BY id LIMIT ?");
  const removeOutbox = database.prepare("DELETE FROM outbox WHERE id = ?");
  const insertSignature = database.prepare(
    "INSERT INTO sent_signature (message_id, transaction_id, action, signature, sent_at_ms) VALUES (?, ?, ?, ?, ?)",
  );
  const recentSignatures = database.prepare("SELECT * FROM sent_signature ORDER BY seq DESC LIMIT ?");
  const retryOutbox = database.prepare("UPDATE outbox SET attempts = ?, next_attempt_ms = ? WHERE id = ?");
  const upsertMemory = database.prepare(
    `INSERT INTO adapter_memory (adapter, key, value, updated_at_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (adapter, key) DO UPDATE SET value = excluded.value, updated_at_ms = excluded.updated_at_ms`,
  );
  const deleteMemory = database.prepare("DELETE FROM adapter_memory WHERE adapter = ? AND key = ?");
  const allMemories = database.prepare("SELECT * FROM adapter_memory ORDER BY updated_at_ms");
  const countOutbox = database.prepare("SELECT count(*) AS n FROM outbox");

  const commit = (change: ControlChange): void => {
    for (const setpoint of change.setpoints ?? []) {
      insertSetpoint.run(
        setpoint.id,
        setpoint.era,
        setpoint.validUntilMs,
        setpoint.receivedAtMs,
        JSON.stringify(setpoint),
      );
    }
    for (const judgement of change.judgements ?? []) {
      updateJudgement.run(JSON.stringify(judgement), judgement.final ? 1 : 0, judgement.setpointId);
    }
    for (const contract of change.contracts ?? []) {
      upsertContract.run(
        contract.transactionId,
        contract.orderId ?? null,
        contract.bppId ?? null,
        contract.era,
        contract.state,
        contract.clearingPricePerKWh ?? null,
        contract.updatedAtMs,
      );
    }
    for (const item of change.outbox ?? []) {
      if (item.replaceKey !== undefined) dropReplaced.run(item.replaceKey);
      insertOutbox.run(
        item.action,
        item.url,
        item.body,
        item.replaceKey ?? null,
        item.createdAtMs,
        item.expiresAtMs,
        item.createdAtMs,
      );
      trimOutbox.run();
    }
    for (const objective of change.objectives ?? []) upsertObjective.run(objective.era, JSON.stringify(objective));
  };

  return {
    commit,
    receive(message: ReceivedMessage, change: ControlChange): ReceiveResult {
      const { changes } = insertInbox.run(
        message.senderId,
        message.messageId,
        message.transactionId,
        message.action,
        message.digest,
        message.receivedAtMs,
        message.answerStatus,
        message.answerBody,
      );
      if (changes === 0) {
        const stored = receivedFrom(findInbox.get(message.senderId, message.messageId) as Row);
        return stored.digest === message.digest
          ? { kind: "repeat", answerStatus: stored.answerStatus, answerBody: stored.answerBody }
          : { kind: "conflict" };
      }
      commit(change);
      return { kind: "new" };
    },
    findReceived(senderId: string, messageId: string): ReceivedMessage | undefined {
      const row = findInbox.get(senderId, messageId) as Row | undefined;
      return row && receivedFrom(row);
    },
    findContract(transactionId: string): Contract | undefined {
      const row = findContract.get(transactionId) as Row | undefined;
      return row && contractFrom(row);
    },
    findContractByOrder(orderId: string): Contract | undefined {
      const row = findContractByOrder.get(orderId) as Row | undefined;
      return row && contractFrom(row);
    },
    openSetpoints: (nowMs: number): StoredSetpoint[] => (openSetpoints.all(nowMs) as Row[]).map(storedFrom),
    recentSetpoints: (limit: number): StoredSetpoint[] => (recentSetpoints.all(limit) as Row[]).map(storedFrom),
    objectives: (): ObjectiveRecord[] =>
      (allObjectives.all() as Row[]).map((row) => JSON.parse(String(row["body"])) as ObjectiveRecord),
    dueOutbox: (nowMs: number, limit: number): OutboxItem[] => (dueOutbox.all(nowMs, limit) as Row[]).map(outboxFrom),
    removeOutbox(id: number, sent?: SentSignature): void {
      removeOutbox.run(id);
      if (sent === undefined) return;
      insertSignature.run(sent.messageId, sent.transactionId, sent.action, sent.signature, sent.sentAtMs);
    },
    sentSignatures: (limit: number): SentSignature[] =>
      (recentSignatures.all(limit) as Row[]).map(signatureFrom).reverse(),
    retryOutbox: (id: number, attempts: number, nextAttemptMs: number): void =>
      void retryOutbox.run(attempts, nextAttemptMs, id),
    outboxSize: (): number => (countOutbox.get() as { n: number }).n,
    remember: (entry: MemoryEntry): void =>
      void upsertMemory.run(entry.adapter, entry.key, entry.value, entry.updatedAtMs),
    forget: (adapter: string, key: string): void => void deleteMemory.run(adapter, key),
    memories: (): MemoryEntry[] => (allMemories.all() as Row[]).map(memoryFrom),
    /** Keeps every table bounded. What is not settled yet stays. */
    prune(nowMs: number): void {
      database.prepare("DELETE FROM inbox WHERE received_at_ms < ?").run(nowMs - INBOX_KEPT_MS);
      database
        .prepare(
          `DELETE FROM inbox WHERE received_at_ms <
             (SELECT received_at_ms FROM inbox ORDER BY received_at_ms DESC LIMIT 1 OFFSET ${INBOX_KEPT_ROWS})`,
        )
        .run();
      database
        .prepare(
          `DELETE FROM setpoint WHERE judgement_final = 1 AND seq <= (SELECT max(seq) FROM setpoint) - ${SETPOINTS_KEPT}`,
        )
        .run();
      database.prepare("DELETE FROM sent_signature WHERE sent_at_ms < ?").run(nowMs - INBOX_KEPT_MS);
      database.prepare("DELETE FROM contract WHERE updated_at_ms < ?").run(nowMs - CONTRACTS_KEPT_MS);
      database.prepare("DELETE FROM outbox WHERE expires_at_ms < ?").run(nowMs - INBOX_KEPT_MS);
    },
  };
}

function receivedFrom(row: Row): ReceivedMessage {
  return {
    senderId: String(row["sender_id"]),
    messageId: String(row["message_id"]),
    transactionId: String(row["transaction_id"]),
    action: String(row["action"]),
    digest: String(row["digest"]),
    receivedAtMs: Number(row["received_at_ms"]),
    answerStatus: Number(row["answer_status"]),
    answerBody: String(row["answer_body"]),
  };
}

function contractFrom(row: Row): Contract {
  return {
    transactionId: String(row["transaction_id"]),
    era: String(row["era"]),
    state: row["state"] as Contract["state"],
    updatedAtMs: Number(row["updated_at_ms"]),
    ...(row["order_id"] === null ? {} : { orderId: String(row["order_id"]) }),
    ...(row["bpp_id"] === null ? {} : { bppId: String(row["bpp_id"]) }),
    ...(row["clearing_price"] === null ? {} : { clearingPricePerKWh: Number(row["clearing_price"]) }),
  };
}

function memoryFrom(row: Row): MemoryEntry {
  return {
    adapter: String(row["adapter"]),
    key: String(row["key"]),
    value: String(row["value"]),
    updatedAtMs: Number(row["updated_at_ms"]),
  };
}

function storedFrom(row: Row): StoredSetpoint {
  return {
    setpoint: JSON.parse(String(row["body"])),
    ...(row["judgement"] === null ? {} : { judgement: JSON.parse(String(row["judgement"])) }),
  };
}

function signatureFrom(row: Row): SentSignature {
  return {
    messageId: String(row["message_id"]),
    transactionId: String(row["transaction_id"]),
    action: String(row["action"]),
    signature: String(row["signature"]),
    sentAtMs: Number(row["sent_at_ms"]),
  };
}

function outboxFrom(row: Row): OutboxItem {
  return {
    id: Number(row["id"]),
    action: String(row["action"]),
    url: String(row["url"]),
    body: String(row["body"]),
    createdAtMs: Number(row["created_at_ms"]),
    expiresAtMs: Number(row["expires_at_ms"]),
    attempts: Number(row["attempts"]),
    nextAttemptMs: Number(row["next_attempt_ms"]),
    ...(row["replace_key"] === null ? {} : { replaceKey: String(row["replace_key"]) }),
  };
}
