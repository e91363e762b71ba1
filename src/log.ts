import { pino } from "pino";

/** Facts beside a message. Never a key, a password or a token. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log, one JSON line an event. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry these fields. */
  child(fields: LogFields): Log;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Lines go to stderr: stdout carries data only. */
export function createLog(level: LogLevel, destination: NodeJS.WritableStream = process.stderr): Log {
  return new PinoLog(
    pino(
      { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: pino.stdSerializers.err } },
      destination,
    ),
  );
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

/** A child is made when it writes its first line: there is one for each device, and most are silent for hours. */
class PinoLog implements Log {
  readonly #root: pino.Logger;
  readonly #parent: PinoLog | undefined;
  readonly #fields: LogFields | undefined;
  #made: pino.Logger | undefined;

  constructor(root: pino.Logger, parent?: PinoLog, fields?: LogFields) {
    this.#root = root;
    this.#parent = parent;
    this.#fields = fields;
  }

  debug(message: string, fields: LogFields = {}): void {
    if (this.#root.isLevelEnabled("debug")) this.#logger().debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    if (this.#root.isLevelEnabled("info")) this.#logger().info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    if (this.#root.isLevelEnabled("warn")) this.#logger().warn(fields, message);
  }

  error(message: string, fields: LogFields = {}): void {
    if (this.#root.isLevelEnabled("error")) this.#logger().error(fields, message);
  }

  child(fields: LogFields): Log {
    return new PinoLog(this.#root, this, fields);
  }

  #logger(): pino.Logger {
    this.#made ??= this.#parent === undefined ? this.#root : this.#parent.#logger().child(this.#fields ?? {});
    return this.#made;
  }
}
