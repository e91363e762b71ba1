import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isNode, LineCounter, parseDocument } from "yaml";
import { ConfigError } from "../../config/load.ts";
import { type ProviderConfig, providerConfigSchema } from "./provider-config.ts";

/** A file may be this large, bytes; one of a thousand grid nodes is far below. */
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;

/**
 * Reads and checks a provider's config file.
 * @returns the config with its defaults; paths in it are relative to `folder`
 * @throws ConfigError with a line for each fault: file, place, key, what was expected
 */
export function loadProviderConfig(file: string): { config: ProviderConfig; folder: string } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(error);
    throw new ConfigError([{ file, path: "", fault: reason }]);
  }
  return { config: parseProviderConfig(text, file), folder: dirname(resolve(file)) };
}

/** @throws ConfigError */
export function parseProviderConfig(text: string, file: string): ProviderConfig {
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
  const result = providerConfigSchema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
  if (result.success) return result.data;
  const faults = result.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ path: [...issue.path, key], fault: "is not a setting; is it misspelt?" }))
      : [{ path: issue.path, fault: issue.message }],
  );
  throw new ConfigError(
    faults.map(({ path, fault }) => {
      const offset = offsetOf(document, path);
      const place = offset === undefined ? undefined : lines.linePos(offset);
      return { file, path: pathText(path), fault, ...(place && { line: place.line, column: place.col }) };
    }),
  );
}

/** Where the value of a path, or the nearest thing around it, stands in the file. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return undefined;
}

function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) text += typeof part === "number" ? `[${part}]` : `${text === "" ? "" : "."}${String(part)}`;
  return text;
}
