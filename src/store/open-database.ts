import Database from "libsql";

export type SqlDatabase = InstanceType<typeof Database>;

/**
 * Opens a database in WAL mode and brings its tables up to date.
 * @param synchronous 2 (FULL): a commit that returned is on the disk, and no other process can open the file meanwhile.
 * 1 (NORMAL): the last seconds may be lost with the power, and others may read along
 * @throws Error when another process has the file, when it is newer than this program, or when the setting did not take
 */
export function openDatabase(file: string, migrations: readonly string[], synchronous: 1 | 2): SqlDatabase {
  const database = new Database(file);
  // Two daemons on one folder would command the same devices and write two chains into one log. The lock is the
  // system's own, so it ends with the process, however that ends.
  if (synchronous === 2) database.exec("PRAGMA locking_mode = EXCLUSIVE");
  claim(database, file);
  database.exec(`PRAGMA synchronous = ${synchronous}`);
  database.exec("PRAGMA journal_size_limit = 4194304");
  database.exec("PRAGMA busy_timeout = 5000");
  const actual = readNumber(database, "PRAGMA synchronous", "synchronous");
  if (actual !== synchronous) {
    throw new Error(
      `${file}: PRAGMA synchronous reads ${actual} and not ${synchronous}; acknowledged data would not be safe`,
    );
  }
  const version = readNumber(database, "PRAGMA user_version", "user_version");
  if (version > migrations.length) {
    throw new Error(
      `${file}: was written by a newer setpointd (schema ${version}, this program knows ${migrations.length})`,
    );
  }
  for (const [index, step] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN; ${step} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
  return database;
}

function claim(database: SqlDatabase, file: string): void {
  try {
    database.exec("PRAGMA journal_mode = WAL");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "SQLITE_BUSY") throw error;
    throw new Error(`${file} is in use: another setpointd runs on this folder`, { cause: error });
  }
}

/** First column of a one-row query that must be a number. */
export function readNumber(database: SqlDatabase, sql: string, column: string): number {
  const row = database.prepare(sql).get() as Record<string, unknown> | undefined;
  const value = row?.[column];
  if (typeof value !== "number") throw new Error(`"${sql}" gave no number`);
  return value;
}
