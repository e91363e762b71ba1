import type { OcppVersion } from "../version.ts";
import { errorCodeFrom } from "./error-code.ts";
import { isRecord, type JsonRecord } from "./json.ts";

/** One OCPP-J frame as it came in. */
export type Frame =
  | { readonly kind: "call"; readonly id: string; readonly action: string; readonly payload: JsonRecord }
  | { readonly kind: "result"; readonly id: string; readonly payload: unknown }
  | { readonly kind: "error"; readonly id: string; readonly code: string; readonly description: string }
  /** OCPP 2.1: a message that must not be answered, not even with an error. */
  | { readonly kind: "send"; readonly action: string; readonly payload: JsonRecord }
  /** OCPP 2.1: what the charger could not make of our answer to its call `id`. */
  | { readonly kind: "result-error"; readonly id: string; readonly code: string; readonly description: string }
  /** Nothing to see: some chargers send empty frames as a sign of life. */
  | { readonly kind: "empty" }
  /** `answerTo` is the id that the error answer goes to; absent where answering is forbidden. */
  | { readonly kind: "bad"; readonly fault: string; readonly about: CallFault; readonly answerTo?: string };

/** What can be wrong with a message from a charger. */
export type CallFault = "frame" | "payload" | "unknown-action" | "internal";

/** Raised by the handler of an inbound call; it becomes the CALLERROR that the charger gets. */
export class CallRefusal extends Error {
  override readonly name = "CallRefusal";
  readonly about: CallFault;

  constructor(about: CallFault, message: string) {
    super(message);
    this.about = about;
  }
}

const CALL = 2;
const CALL_RESULT = 3;
const CALL_ERROR = 4;
/** Since OCPP 2.1 (part 4, 4.2.4 and 4.2.5). An older peer would not know what they are, and never gets them. */
const CALL_RESULT_ERROR = 5;
const SEND = 6;

/** The standard allows 36; longer ids of careless chargers are taken, endless ones are not echoed. */
const MAX_ID_LENGTH = 128;

/** OCPP 2.0.1 part 4, 4.2.3: the id of an error answer to a message whose own id cannot be read. */
const UNREADABLE_ID = "-1";

/** What every frame begins with. */
const OPENING = "[".charCodeAt(0);

/** Whether a version has the frames that came with OCPP 2.1: SEND and CALLRESULTERROR. */
export function hasLaterFrames(version: OcppVersion): boolean {
  return version === "ocpp2.1";
}

/** Reads a frame; never throws. Lenient: a numeric id and missing trailing parts of a CALLERROR are taken. */
export function parseFrame(text: string, version: OcppVersion): Frame {
  // Only the first letter is looked at where it says enough.
  if (text.charCodeAt(0) !== OPENING && text.trim() === "") return { kind: "empty" };
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return { kind: "bad", about: "frame", fault: "not JSON", answerTo: UNREADABLE_ID };
  }
  if (!Array.isArray(parts)) return { kind: "bad", about: "frame", fault: "not an array", answerTo: UNREADABLE_ID };
  const type: unknown = parts[0];
  const id = readId(parts[1]);
  if (type === CALL) return parseCall(id, parts[2], parts[3]);
  if (type === CALL_RESULT && id !== undefined) return { kind: "result", id, payload: parts[2] };
  const rest: readonly unknown[] = parts.slice(2);
  if (type === CALL_ERROR && id !== undefined) return { kind: "error", id, ...faultOf(rest) };
  if (hasLaterFrames(version)) {
    if (type === CALL_RESULT_ERROR && id !== undefined) return { kind: "result-error", id, ...faultOf(rest) };
    if (type === SEND) return parseSend(rest);
  }
  // An answer may never be answered, and an unknown type of message is to be ignored (OCPP-J 1.6, 4.1.3).
  return { kind: "bad", about: "frame", fault: `message type ${shortText(String(type))} with a bad id or unknown` };
}

function parseCall(id: string | undefined, action: unknown, payload: unknown): Frame {
  const answerTo = id ?? UNREADABLE_ID;
  if (id === undefined) return { kind: "bad", about: "frame", fault: "the message id is no short text", answerTo };
  if (typeof action !== "string" || action === "") {
    return { kind: "bad", about: "frame", fault: "the action is no text", answerTo };
  }
  if (!isRecord(payload)) return { kind: "bad", about: "payload", fault: "the payload is no object", answerTo };
  return { kind: "call", id, action, payload };
}

/** Without an `answerTo`, whatever is wrong with it. Its id is of no use to anybody. */
function parseSend([action, payload]: readonly unknown[]): Frame {
  if (typeof action !== "string" || action === "" || !isRecord(payload)) {
    return { kind: "bad", about: "payload", fault: "a SEND without action or payload" };
  }
  return { kind: "send", action, payload };
}

function faultOf([code, description]: readonly unknown[]): { code: string; description: string } {
  return { code: errorCodeFrom(shortText(code) || "GenericError"), description: shortText(description) };
}

function readId(raw: unknown): string | undefined {
  if (typeof raw === "number" && Number.isFinite(raw)) return String(raw);
  return typeof raw === "string" && raw !== "" && raw.length <= MAX_ID_LENGTH ? raw : undefined;
}

function shortText(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 255) : "";
}

export function callFrame(id: string, action: string, payload: JsonRecord): string {
  return JSON.stringify([CALL, id, action, payload]);
}

export function resultFrame(id: string, payload: JsonRecord): string {
  return JSON.stringify([CALL_RESULT, id, payload]);
}

export function errorFrame(version: OcppVersion, id: string, about: CallFault, description: string): string {
  return JSON.stringify([CALL_ERROR, id, ERROR_CODES[version][about], description.slice(0, 255), {}]);
}

/**
 * Says that an answer of the charger is of no use.
 * @returns nothing for a version that has no such frame
 */
export function resultErrorFrame(
  version: OcppVersion,
  id: string,
  about: CallFault,
  description: string,
): string | undefined {
  if (!hasLaterFrames(version)) return undefined;
  return JSON.stringify([CALL_RESULT_ERROR, id, ERROR_CODES[version][about], description.slice(0, 255), {}]);
}

const CODES_OF_2: Readonly<Record<CallFault, string>> = {
  frame: "RpcFrameworkError",
  payload: "FormatViolation",
  "unknown-action": "NotImplemented",
  internal: "InternalError",
};

/** 1.6 and 2.x name the same faults differently. */
const ERROR_CODES: Readonly<Record<OcppVersion, Readonly<Record<CallFault, string>>>> = {
  "ocpp1.6": {
    frame: "GenericError",
    payload: "FormationViolation",
    "unknown-action": "NotImplemented",
    internal: "InternalError",
  },
  "ocpp2.0.1": CODES_OF_2,
  "ocpp2.1": CODES_OF_2,
};
