/** Steps of the control database, in order; the number of steps taken is kept in `PRAGMA user_version`. */
export const CONTROL_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE inbox (
    sender_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    action TEXT NOT NULL,
    digest TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    answer_status INTEGER NOT NULL,
    answer_body TEXT NOT NULL,
    PRIMARY KEY (sender_id, message_id)
  ) WITHOUT ROWID;
  CREATE TABLE setpoint (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    era TEXT NOT NULL,
    valid_until_ms INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    judgement TEXT,
    judgement_final INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE contract (
    transaction_id TEXT PRIMARY KEY,
    order_id TEXT,
    era TEXT NOT NULL,
    state TEXT NOT NULL,
    clearing_price REAL,
    updated_at_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX contract_order ON contract (order_id) WHERE order_id IS NOT NULL;
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL,
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    replace_key TEXT,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_ms INTEGER NOT NULL
  );
  CREATE INDEX outbox_due ON outbox (next_attempt_ms);
  CREATE INDEX outbox_key ON outbox (replace_key) WHERE replace_key IS NOT NULL;
  `,
  `
  CREATE TABLE adapter_memory (
    adapter TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (adapter, key)
  ) WITHOUT ROWID;
  `,
  `
  CREATE TABLE sent_signature (
    seq INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    action TEXT NOT NULL,
    signature TEXT NOT NULL,
    sent_at_ms INTEGER NOT NULL
  );
  `,
  `
  ALTER TABLE contract ADD COLUMN bpp_id TEXT;
  CREATE TABLE objective (
    era TEXT PRIMARY KEY,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  `,
];

/** Steps of the telemetry database: one row a batch of a device, so that a card writes few pages. */
export const TELEMETRY_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE reading_batch (
    seq INTEGER PRIMARY KEY,
    era TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    readings TEXT NOT NULL
  );
  `,
];
