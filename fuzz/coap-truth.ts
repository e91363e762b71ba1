import { createHash } from "node:crypto";
import type { Chance } from "./chance.ts";
import { VALUE_PATHS } from "./coap-documents.ts";

/** What a client asks the device for. `value` goes along in the query, so that each question has an answer of its own. */
export type CoapAsk =
  | { readonly kind: "read" | "observe"; readonly path: string; readonly value: number; readonly padding: number }
  | { readonly kind: "write"; readonly path: string; readonly payload: string };

/** What came of it. An error is what it may always be. */
export type CoapOutcome =
  | {
      readonly kind: "read";
      /** Of the whole payload. */
      readonly digest: string;
      /** A number; absent where none stands in its place. JSON has null for what is no number. */
      readonly value?: number | null;
      /** Why no value could be read. */
      readonly fault?: string;
    }
  | { readonly kind: "written" }
  /** @param fault of a `CoapError` or `DeviceError`; absent for an error of another kind, which none may see */
  | { readonly kind: "error"; readonly fault?: string; readonly message: string };

/** The request of one input. */
export function askOf(chance: Chance): CoapAsk {
  const shape = chance.integer(0, 9);
  const padding = chance.pick([0, 0, 30, 300, 1500, 5000]);
  const path = chance.pick(VALUE_PATHS);
  if (shape < 7) return { kind: "read", path, value: chance.integer(1, 999_999), padding };
  if (shape === 7) return { kind: "observe", path, value: chance.integer(1, 999_999), padding: 0 };
  const length = chance.pick([1, 10, 70, 200, 1000]);
  return {
    kind: "write",
    path: "/w",
    payload: String(chance.integer(0, 9)).repeat(length) + chance.integer(0, 99_999),
  };
}

/** A request whose right answer must come through, whatever was said before. */
export function probeAfter(ask: CoapAsk, chance: Chance): Extract<CoapAsk, { kind: "read" | "observe" }> {
  const isLikeIt = ask.kind !== "write" && chance.integer(0, 2) > 0;
  const padding = chance.pick([0, 0, 200]);
  return {
    kind: "read",
    path: isLikeIt ? ask.path : chance.pick(VALUE_PATHS),
    value: chance.integer(1, 999_999),
    padding,
  };
}

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("base64");
}
