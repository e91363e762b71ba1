import { ChainFault, ChainWalk, type LogFaultKind } from "./chain-walk.ts";
import { readLines } from "./log-lines.ts";
import { type IntervalRecord, parseRecord } from "./log-record.ts";

/** The first thing that is wrong with a log. */
export interface LogFault {
  readonly file: string;
  readonly line: number;
  readonly seq?: number;
  readonly kind: LogFaultKind;
  readonly message: string;
}

/** What a log says of one resource, up to the first fault. */
export interface EraTotal {
  readonly era: string;
  /** Start of the first interval and end of the last, RFC 3339. */
  readonly start: string;
  readonly end: string;
  readonly measured: number;
  readonly estimated: number;
  readonly gaps: number;
  /** Stretches for which there is no record at all, not even of a gap. */
  readonly holes: number;
  /** In intervals, Wh; absent if the meter has no such register. */
  readonly importWh?: number;
  readonly exportWh?: number;
  /** What the registers rose by during gaps, Wh: energy that has no interval; absent if there was none. */
  readonly gapImportWh?: number;
  readonly gapExportWh?: number;
}

export interface LogVerification {
  /** Absent: every record is what was written, in its place, and signed. */
  readonly fault?: LogFault;
  readonly records: number;
  readonly firstSeq?: number;
  readonly lastSeq?: number;
  /** Hash of the last sound record: who has noted it can prove later that nothing before it has changed. */
  readonly head?: string;
  /** Key that the log names and is signed with, base64. */
  readonly publicKey?: string;
  /** The log was closed in order. If not, records may have been cut off at its end; that can't be seen from the log alone. */
  readonly isClosed: boolean;
  readonly totals: readonly EraTotal[];
}

export interface VerifyOptions {
  /** Base64; without it a log is held against the key that it names itself. */
  readonly publicKey?: string;
  /** Hash of a record that must be there. */
  readonly head?: string;
  /** Called with each interval that is sound, in order. */
  readonly onInterval?: (record: IntervalRecord) => void;
}

/**
 * Walks the chain over the files in the order given and stops at the first record that is wrong.
 * @throws Error if a file can't be read
 */
export function verifyLog(files: readonly string[], options: VerifyOptions = {}): LogVerification {
  const walk = new ChainWalk({ checkSignatures: true, ...(options.publicKey && { publicKey: options.publicKey }) });
  const totals = new Map<string, EraTotal>();
  let records = 0;
  let firstSeq: number | undefined;
  let hasHead = options.head === undefined;
  let fault: LogFault | undefined;
  let where = { file: files[0] ?? "", line: 1 };
  try {
    for (const file of files) {
      walk.beginFile();
      where = { file, line: 1 };
      for (const line of readLines(file)) {
        where = { file, line: line.number };
        const record = walk.take(line);
        records += 1;
        firstSeq ??= record.seq;
        hasHead ||= record.hash === options.head;
        if (record.kind !== "interval") continue;
        totals.set(record.era, addedTo(totals.get(record.era), record));
        options.onInterval?.(record);
      }
      if (walk.isAtStartOfFile) fault ??= { file, line: 1, kind: "torn", message: "the file holds no record" };
      if (fault !== undefined) break;
    }
  } catch (error) {
    if (!(error instanceof ChainFault)) throw error;
    fault = faultOf(error, where, files);
  }
  if (fault === undefined && !hasHead) {
    fault = {
      ...where,
      kind: "removed",
      message: `no record has the hash ${options.head}: the log was cut, or is another`,
    };
  }
  return {
    ...(fault && { fault }),
    records,
    ...(firstSeq !== undefined && { firstSeq }),
    ...(walk.last && { lastSeq: walk.last.seq, head: walk.last.hash }),
    ...(walk.publicKey !== undefined && { publicKey: walk.publicKey }),
    isClosed: walk.last?.kind === "close",
    totals: [...totals.values()],
  };
}

function faultOf(fault: ChainFault, where: { file: string; line: number }, files: readonly string[]): LogFault {
  const place = { ...where, ...(fault.seq !== undefined && { seq: fault.seq }) };
  if (fault.kind !== "removed") return { ...place, kind: fault.kind, message: fault.message };
  // A record that is not in its place may stand in another one.
  const later = findSeq(fault.expectedSeq, where, files);
  if (later === undefined) return { ...place, kind: "removed", message: fault.message };
  const message = `record ${fault.expectedSeq} should stand here, and stands in ${later.file}:${later.line}`;
  return { ...place, kind: "reordered", message };
}

/** Looks for a record from a place on. */
function findSeq(
  seq: number,
  from: { file: string; line: number },
  files: readonly string[],
): { file: string; line: number } | undefined {
  for (const file of files.slice(files.indexOf(from.file))) {
    for (const line of readLines(file)) {
      if (file === from.file && line.number <= from.line) continue;
      const record = parseRecord(line.bytes.toString());
      if (typeof record !== "string" && record.seq === seq) return { file, line: line.number };
    }
  }
  return undefined;
}

function addedTo(before: EraTotal | undefined, record: IntervalRecord): EraTotal {
  const { era, start, end, quality, importWh, exportWh } = record;
  const isGap = quality === "GAP";
  const more = (sum: number | undefined, energyWh: number | undefined) =>
    sum === undefined && energyWh === undefined ? undefined : (sum ?? 0) + (energyWh ?? 0);
  const energies = {
    importWh: isGap ? before?.importWh : more(before?.importWh, importWh),
    exportWh: isGap ? before?.exportWh : more(before?.exportWh, exportWh),
    gapImportWh: isGap ? more(before?.gapImportWh, importWh) : before?.gapImportWh,
    gapExportWh: isGap ? more(before?.gapExportWh, exportWh) : before?.gapExportWh,
  };
  return {
    era,
    start: before?.start ?? start,
    end,
    measured: (before?.measured ?? 0) + Number(quality === "MEASURED"),
    estimated: (before?.estimated ?? 0) + Number(quality === "ESTIMATED"),
    gaps: (before?.gaps ?? 0) + Number(isGap),
    holes: (before?.holes ?? 0) + Number(before !== undefined && before.end !== start),
    ...definedOf(energies),
  };
}

function definedOf(energies: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(energies).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}
