import { resolve } from "node:path";

/** The part of a protocol with its files found: a key that ends in `File` is a path relative to the config file. */
export function withPaths(part: unknown, folder: string): unknown {
  if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      key.endsWith("File") && typeof value === "string" ? resolve(folder, value) : withPaths(value, folder),
    ]),
  );
}
