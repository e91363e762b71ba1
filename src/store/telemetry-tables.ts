import type { Reading } from "../model/reading.ts";
import { readNumber, type SqlDatabase } from "./open-database.ts";

/** Share of the oldest batches that makes room when the ring is full. */
const ROOM_SHARE = 0.1;

/** What was measured while a link was down comes late, and counts at its own time. */
function timeOf({ deviceTimeMs, receivedAtMs }: Reading): number {
  return deviceTimeMs ?? receivedAtMs;
}

/** Readings as a ring that never grows past its cap: the oldest make room. */
export function telemetryTables(database: SqlDatabase, maxBytes: number) {
  const insert = database.prepare("INSERT INTO reading_batch (era, from_ms, until_ms, readings) VALUES (?, ?, ?, ?)");
  const makeRoom = database.prepare(
    `DELETE FROM reading_batch WHERE seq <=
       (SELECT min(seq) + max(1, (max(seq) - min(seq)) * ${ROOM_SHARE}) FROM reading_batch)`,
  );
  const recent = database.prepare("SELECT readings FROM reading_batch WHERE era = ? ORDER BY seq DESC LIMIT ?");
  const pageSize = readNumber(database, "PRAGMA page_size", "page_size");
  const pageCount = database.prepare("PRAGMA page_count");
  const freePages = database.prepare("PRAGMA freelist_count");

  const usedBytes = (): number => {
    const pages = (pageCount.get() as { page_count: number }).page_count;
    const free = (freePages.get() as { freelist_count: number }).freelist_count;
    return (pages - free) * pageSize;
  };

  return {
    /** One row a device and call, whatever the number of readings. */
    store(readings: readonly Reading[]): void {
      const byEra = new Map<string, Reading[]>();
      for (const reading of readings) {
        const batch = byEra.get(reading.era) ?? [];
        batch.push(reading);
        byEra.set(reading.era, batch);
      }
      for (const [era, batch] of byEra) {
        const times = batch.map(timeOf);
        insert.run(era, Math.min(...times), Math.max(...times), JSON.stringify(batch));
      }
      if (usedBytes() > maxBytes) makeRoom.run();
    },
    /** The newest readings of a resource by the time of their measurement, oldest first. */
    recent(era: string, limit: number): Reading[] {
      const rows = recent.all(era, limit) as { readings: string }[];
      return rows
        .reverse()
        .flatMap((row) => JSON.parse(row.readings) as Reading[])
        .sort((a, b) => timeOf(a) - timeOf(b))
        .slice(-limit);
    },
  };
}
