import type { DeviceIdentity } from "../src/model/resource.ts";

/** Whom a quirk is about: patterns with *, and for the firmware also <, <=, > or >= before a version. */
export interface QuirkMatch {
  readonly vendor?: string | undefined;
  readonly model?: string | undefined;
  readonly firmware?: string | undefined;
}

/** True for a device that a quirk is about. What the device does not tell matches nothing. */
export function matches(match: QuirkMatch, identity: DeviceIdentity): boolean {
  return (
    like(match.vendor, identity.vendor) &&
    like(match.model, identity.model) &&
    isVersion(match.firmware, identity.firmware)
  );
}

/** Whether a text is like a pattern with *; true without a pattern. */
export function like(pattern: string | undefined, text: string | undefined): boolean {
  if (pattern === undefined) return true;
  if (text === undefined) return false;
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "is").test(text.trim());
}

function isVersion(pattern: string | undefined, version: string | undefined): boolean {
  const bound = pattern === undefined ? null : /^(<=|>=|<|>)\s*(.+)$/.exec(pattern);
  if (bound === null) return like(pattern, version);
  if (version === undefined) return false;
  const order = compareVersions(version, bound[2] ?? "");
  switch (bound[1]) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    default:
      return order >= 0;
  }
}

/** Number by number, so that 3.9 is before 3.50; letters do not count. */
function compareVersions(a: string, b: string): number {
  const numbers = (text: string) => (text.match(/\d+/g) ?? []).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** An object over another, key by key; anything else replaces what was there. */
export function merged(base: unknown, patch: unknown): unknown {
  if (!isObject(base) || !isObject(patch)) return patch;
  const entries = Object.entries(patch).map(([key, value]) => [key, merged(base[key], value)]);
  return { ...base, ...Object.fromEntries(entries) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
