import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { type Config, configSchema, type ProtocolSchema } from "./schema.ts";

/** One fault of a config, with the place to look at. */
export interface ConfigFault {
  readonly file: string;
  /** 1-based; absent if the fault has no place in the file. */
  readonly line?: number;
  readonly column?: number;
  /** `devices[1].ocpp.identity` */
  readonly path: string;
  readonly fault: string;
}

/** A config that can't be used. `message` has a line for each fault: file, place, key, what was expected. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map(formatFault).join("\n"));
    this.faults = faults;
  }
}

/** A file may be this large, bytes; a config of a thousand devices is far below. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/**
 * Reads and checks a config file.
 * @returns the config with its defaults; paths in it are relative to `folder`
 * @throws ConfigError
 */
export function loadConfig(file: string, protocols: readonly ProtocolSchema[]): { config: Config; folder: string } {
  return { config: parseConfig(readConfigFile(file), file, protocols), folder: dirname(resolve(file)) };
}

/** @throws ConfigError */
export function parseConfig(text: string, file: string, protocols: readonly ProtocolSchema[]): Config {
  const { value, given } = parseYaml(text, file, configSchema(protocols, dirname(resolve(file))));
  return { ...value, given } as unknown as Config;
}

/**
 * Reads and checks any YAML file against its schema; paths in it are relative to `folder`.
 * @throws ConfigError
 */
export function loadYaml<T>(file: string, schema: z.ZodType<T>): { readonly value: T; readonly folder: string } {
  return { value: parseYaml(readConfigFile(file), file, schema).value, folder: dirname(resolve(file)) };
}

/** @throws ConfigError if there is none */
function readConfigFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(error);
    throw new ConfigError([{ file, path: "", fault: reason }]);
  }
}

/**
 * Checks a YAML text against its schema.
 * @returns the value with its defaults, and the names of the parts that the text has
 * @throws ConfigError
 */
export function parseYaml<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
): { readonly value: T; readonly given: readonly string[] } {
  if (text.length > MAX_CONFIG_BYTES) {
    throw new ConfigError([{ file, path: "", fault: `is larger than ${MAX_CONFIG_BYTES} bytes` }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { file, line, column: col, path: "", fault: error.message.split("\n")[0] ?? "is not YAML" };
      }),
    );
  }
  const raw: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const result = schema.safeParse(raw);
  if (result.success) return { value: result.data, given: Object.keys(raw as object) };
  throw new ConfigError(
    result.error.issues.flatMap(expandIssue).map(({ path, fault }) => {
      const offset = offsetOf(document, path);
      const place = offset === undefined ? undefined : lines.linePos(offset);
      return { file, path: pathText(path), fault, ...(place && { line: place.line, column: place.col }) };
    }),
  );
}

type Path = readonly PropertyKey[];

/** An unknown key is a fault of that key and not of the object around it. */
function expandIssue(issue: z.core.$ZodIssue): { path: Path; fault: string }[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...issue.path, key], fault: "is not a setting; is it misspelt?" }));
  }
  return [{ path: issue.path, fault: issue.message }];
}

/** Where the value of a path, or the nearest thing around it, stands in the file. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: Path): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return undefined;
}

function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
    "",
  );
}

function formatFault(fault: ConfigFault): string {
  const place = fault.line === undefined ? fault.file : `${fault.file}:${fault.line}:${fault.column}`;
  return fault.path === "" ? `${place}  ${fault.fault}` : `${place}  ${fault.path}: ${fault.fault}`;
}
