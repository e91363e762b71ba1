import type { KeyObject } from "node:crypto";
import type { LogLine } from "./log-lines.ts";
import { type LogRecord, NO_HASH, parseRecord } from "./log-record.ts";
import { publicKeyFromBase64 } from "./meter-key.ts";
import { isSealed, isSignedBy } from "./record-seal.ts";

/**
 * What can be wrong with a log. `changed`: a record is not what was written. `removed`, `reordered`, `duplicated`: the records
 * are, but not all, not in order, or too many. `torn`: the end of the file is missing. `bad signature`: not signed by the key.
 * `wrong key`: signed by another key than expected. `overlap`: energy of one resource counted twice.
 */
export type LogFaultKind =
  | "changed"
  | "removed"
  | "reordered"
  | "duplicated"
  | "torn"
  | "bad signature"
  | "wrong key"
  | "overlap";

/** Thrown by `ChainWalk` at the first record that is wrong. */
export class ChainFault extends Error {
  override readonly name = "ChainFault";
  readonly kind: LogFaultKind;
  /** Number of the record that stands there, if it could be read. */
  readonly seq: number | undefined;
  /** Number that was due. */
  readonly expectedSeq: number;

  constructor(kind: LogFaultKind, message: string, place: { seq?: number; expectedSeq: number }) {
    super(message);
    this.kind = kind;
    this.seq = place.seq;
    this.expectedSeq = place.expectedSeq;
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Follows the chain from record to record, over any number of files. */
export class ChainWalk {
  readonly #expectedKey: string | undefined;
  readonly #checkSignatures: boolean;
  readonly #ends = new Map<string, string>();
  #keyText: string | undefined;
  #key: KeyObject | undefined;
  #last: LogRecord | undefined;
  #atStartOfFile = true;

  /**
   * @param options.publicKey base64 of the key that must have signed; without it the log's own word is taken for its key
   * @param options.checkSignatures false where only the chain matters, since a signature costs more than a hash
   */
  constructor(options: { publicKey?: string; checkSignatures: boolean }) {
    this.#expectedKey = options.publicKey;
    this.#checkSignatures = options.checkSignatures;
  }

  /** The last sound record. */
  get last(): LogRecord | undefined {
    return this.#last;
  }

  /** Base64 of the key with which the log is signed. */
  get publicKey(): string | undefined {
    return this.#keyText;
  }

  /** Number that the next record must have. */
  get nextSeq(): number {
    return (this.#last?.seq ?? 0) + 1;
  }

  /** Nothing of the present file was taken yet. */
  get isAtStartOfFile(): boolean {
    return this.#atStartOfFile;
  }

  /** The lines that follow come from another file. */
  beginFile(): void {
    this.#atStartOfFile = true;
  }

  /** @throws ChainFault */
  take(line: LogLine): LogRecord {
    const record = this.#read(line);
    this.#checkPlace(record);
    if (record.kind === "open") this.#checkKey(record.publicKey, record.seq);
    if (this.#checkSignatures && (this.#key === undefined || !isSignedBy(record, this.#key))) {
      throw this.#fault("bad signature", `record ${record.seq} is not signed by the key ${this.#keyText}`, record.seq);
    }
    if (record.kind === "interval") {
      if (record.end <= record.start) {
        throw this.#fault("overlap", `record ${record.seq} (${record.era}) ends before it starts`, record.seq);
      }
      const end = this.#ends.get(record.era);
      if (end !== undefined && record.start < end) {
        throw this.#fault(
          "overlap",
          `record ${record.seq} (${record.era}) starts at ${record.start}, before ${end} where the one before it ends`,
          record.seq,
        );
      }
      this.#ends.set(record.era, record.end);
    }
    this.#last = record;
    this.#atStartOfFile = false;
    return record;
  }

  #read(line: LogLine): LogRecord {
    if (!line.isWhole) throw this.#fault("torn", "the end of the file is no whole record");
    if (line.isTooLong) throw this.#fault("changed", "the line is longer than any record");
    let text: string;
    try {
      text = UTF8.decode(line.bytes);
    } catch {
      throw this.#fault("changed", "the line is not UTF-8");
    }
    const record = parseRecord(text);
    if (typeof record === "string") throw this.#fault("changed", `the line ${record}`);
    if (!isSealed(text, record)) {
      throw this.#fault("changed", `record ${record.seq} does not have the hash of its content`, record.seq);
    }
    return record;
  }

  #checkPlace(record: LogRecord): void {
    const { seq } = record;
    if (this.#atStartOfFile && record.kind !== "open") {
      throw this.#fault("removed", `the file begins with record ${seq}, which is not the one that opens a file`, seq);
    }
    // The first file that is given may begin anywhere in the chain.
    if (this.#last === undefined) {
      if (seq === 1 && record.previous !== NO_HASH)
        throw this.#fault("changed", "record 1 has a record before it", seq);
      return;
    }
    const expected = this.nextSeq;
    if (seq > expected) {
      const missing = seq - 1 === expected ? `record ${expected} is` : `records ${expected} to ${seq - 1} are`;
      throw this.#fault("removed", `${missing} missing before record ${seq}`, seq);
    }
    if (seq < expected) throw this.#fault("duplicated", `record ${seq} stands here again`, seq);
    if (record.previous !== this.#last.hash) {
      throw this.#fault("changed", `record ${seq} does not follow the record ${seq - 1} that stands before it`, seq);
    }
  }

  #checkKey(publicKey: string, seq: number): void {
    const known = this.#expectedKey ?? this.#keyText;
    if (known !== undefined && known !== publicKey) {
      throw this.#fault("wrong key", `record ${seq} opens with the key ${publicKey}, expected ${known}`, seq);
    }
    if (this.#keyText === publicKey) return;
    try {
      this.#key = publicKeyFromBase64(publicKey);
    } catch (error) {
      throw this.#fault("changed", `record ${seq}: ${(error as Error).message}`, seq);
    }
    this.#keyText = publicKey;
  }

  #fault(kind: LogFaultKind, message: string, seq?: number): ChainFault {
    return new ChainFault(kind, message, { expectedSeq: this.nextSeq, ...(seq !== undefined && { seq }) });
  }
}
