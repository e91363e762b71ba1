import { randomBytes } from "node:crypto";

/** A procedure with a path that nobody can guess in place of each `$randuri_N`, the same wherever the same N stands. */
export function withRandomPaths<T>(procedure: T): T {
  const paths = new Map<string, string>();
  const replaced = (value: unknown): unknown => {
    if (typeof value === "string") return /^\$randuri_\d+$/.test(value) ? pathOf(value) : value;
    if (Array.isArray(value)) return value.map(replaced);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaced(one)]));
  };
  const pathOf = (name: string): string => {
    const path = paths.get(name) ?? `/${randomBytes(8).toString("hex")}`;
    paths.set(name, path);
    return path;
  };
  return replaced(procedure) as T;
}
