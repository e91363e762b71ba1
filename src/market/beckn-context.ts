import { Refusal } from "./answer.ts";
import { durationMsFromText, instantMsFromText, textFromDurationMs, textFromInstantMs } from "./iso-time.ts";

/** What a participant asks of the market. `rate` is the later name of `rating`; `aggregate` is the seed's own. */
export const REQUEST_ACTIONS = [
  "discover",
  "select",
  "init",
  "confirm",
  "update",
  "status",
  "track",
  "cancel",
  "rating",
  "rate",
  "support",
  "aggregate",
] as const;

export type RequestAction = (typeof REQUEST_ACTIONS)[number];

/** What the market answers, or sends by itself. */
export type CallbackAction = `on_${RequestAction}`;

const REQUESTS: ReadonlySet<string> = new Set(REQUEST_ACTIONS);
const CALLBACKS: ReadonlySet<string> = new Set(REQUEST_ACTIONS.map((action) => `on_${action}`));

export function isRequestAction(action: string): action is RequestAction {
  return REQUESTS.has(action);
}

export function isCallbackAction(action: string): action is CallbackAction {
  return CALLBACKS.has(action);
}

/**
 * How the names of a context are written: `snake` (`bap_id`) in the seed and its branch, `camel` (`bapId`) since 2026.
 * Both say version 2.0.0, so only the names tell them apart.
 */
export type Envelope = "snake" | "camel";

/** What a message says about itself. */
export interface MessageContext {
  readonly envelope: Envelope;
  readonly action: RequestAction | CallbackAction;
  readonly timestampMs: number;
  readonly messageId: string;
  readonly transactionId: string;
  readonly bapId: string;
  readonly bppId: string;
  /** Where callbacks to the BAP go, where it is given. */
  readonly bapUri?: string;
  readonly bppUri?: string;
  readonly domain?: string;
  /** Only in the camel envelope. */
  readonly networkId?: string;
  /** How long after its timestamp the message may be acted on. */
  readonly ttlMs?: number;
}

/** The context of a message that the market sends to us. */
export interface CallbackContext extends MessageContext {
  readonly action: CallbackAction;
}

/**
 * The context of a callback, in either envelope.
 * @throws Refusal naming the field
 */
export function callbackContext(body: unknown): CallbackContext {
  const context = messageContext(body);
  const { action } = context;
  if (!isCallbackAction(action)) throw unknownAction(action);
  return { ...context, action };
}

/**
 * The context of any message, in either envelope.
 * @throws Refusal naming the field
 */
export function messageContext(body: unknown): MessageContext {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refusal(400, "BODY_INVALID", "", "expected a JSON object with context and message");
  }
  const { context } = body as { context?: unknown };
  if (typeof context !== "object" || context === null || Array.isArray(context)) {
    throw invalid("context", "expected an object");
  }
  const fields = context as Fields;
  const envelope = envelopeOf(fields);
  const name = NAMES[envelope];
  const action = textField(fields, "action", MAX_ACTION_LENGTH);
  if (!isCallbackAction(action) && !isRequestAction(action)) throw unknownAction(action);
  const timestampMs = instantMsFromText(textField(fields, "timestamp"));
  if (timestampMs === undefined) {
    throw invalid("context.timestamp", "expected an RFC 3339 time such as 2026-06-15T12:05:00Z");
  }
  const ttl = optionalText(fields, "ttl");
  const ttlMs = ttl === undefined ? undefined : durationMsFromText(ttl);
  if (ttl !== undefined && ttlMs === undefined) {
    throw invalid("context.ttl", "expected an ISO 8601 duration such as PT30S");
  }
  const bapUri = optionalText(fields, name.bapUri, MAX_URI_LENGTH);
  const bppUri = optionalText(fields, name.bppUri, MAX_URI_LENGTH);
  const domain = optionalText(fields, "domain");
  const networkId = envelope === "camel" ? optionalText(fields, "networkId") : undefined;
  return {
    envelope,
    action,
    timestampMs,
    messageId: idField(fields, name.messageId),
    transactionId: idField(fields, name.transactionId),
    bapId: idField(fields, name.bapId),
    bppId: idField(fields, name.bppId),
    ...(bapUri !== undefined && { bapUri }),
    ...(bppUri !== undefined && { bppUri }),
    ...(domain !== undefined && { domain }),
    ...(networkId !== undefined && { networkId }),
    ...(ttlMs !== undefined && { ttlMs }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const NAMES = {
  snake: {
    messageId: "message_id",
    transactionId: "transaction_id",
    bapId: "bap_id",
    bppId: "bpp_id",
    bapUri: "bap_uri",
    bppUri: "bpp_uri",
  },
  camel: {
    messageId: "messageId",
    transactionId: "transactionId",
    bapId: "bapId",
    bppId: "bppId",
    bapUri: "bapUri",
    bppUri: "bppUri",
  },
} as const;

/** The place of a context's field, as its envelope spells it. */
export function contextPath(envelope: Envelope, name: keyof (typeof NAMES)["snake"]): string {
  return `context.${NAMES[envelope][name]}`;
}

function envelopeOf(fields: Fields): Envelope {
  const isSnake = Object.hasOwn(fields, "bap_id") || Object.hasOwn(fields, "transaction_id");
  const isCamel = Object.hasOwn(fields, "bapId") || Object.hasOwn(fields, "transactionId");
  if (isSnake && isCamel) {
    const fault = "both bap_id and bapId: two readers could take different ones";
    throw new Refusal(400, "DIALECT_UNKNOWN", "context", fault);
  }
  return isCamel ? "camel" : "snake";
}

const MAX_ACTION_LENGTH = 64;
const MAX_TEXT_LENGTH = 256;
const MAX_URI_LENGTH = 2048;
const ID = /^[\x21-\x7e]{1,128}$/;

// By hand and not by a schema: it stands before everything else, on the way of each setpoint.
function textField(fields: Fields, name: string, maxLength = MAX_TEXT_LENGTH): string {
  const value = fields[name];
  if (typeof value !== "string") {
    throw invalid(`context.${name}`, `expected string, received ${value === undefined ? "undefined" : typeof value}`);
  }
  if (value.length > maxLength) throw invalid(`context.${name}`, `expected at most ${maxLength} letters`);
  return value;
}

function optionalText(fields: Fields, name: string, maxLength?: number): string | undefined {
  return fields[name] === undefined ? undefined : textField(fields, name, maxLength);
}

function idField(fields: Fields, name: string): string {
  const value = textField(fields, name);
  if (!ID.test(value)) throw invalid(`context.${name}`, "expected 1 to 128 visible ASCII letters");
  return value;
}

function invalid(path: string, fault: string): Refusal {
  return new Refusal(400, "CONTEXT_INVALID", path, fault);
}

function unknownAction(action: string): Refusal {
  return new Refusal(404, "ACTION_UNKNOWN", "context.action", `"${action}" is not an action that is taken here`);
}

/** Who we are, and who the market is. */
export interface Parties {
  readonly bapId: string;
  /** Where callbacks reach us. */
  readonly bapUri: string;
  readonly bppId: string;
  readonly bppUri: string;
  /** For example `beckn.one:deg:ev-charging:*`. */
  readonly domain: string;
  /** Only the camel envelope has it. */
  readonly networkId?: string;
}

/** The context of a message that we send. */
export function requestContext(
  parties: Parties,
  message: { action: string; messageId: string; transactionId: string; nowMs: number; ttlMs: number },
  envelope: Envelope = "snake",
): Record<string, string> {
  if (envelope === "camel") {
    return {
      ...(parties.networkId !== undefined && { networkId: parties.networkId }),
      version: "2.0.0",
      action: message.action,
      domain: parties.domain,
      bapId: parties.bapId,
      bapUri: parties.bapUri,
      bppId: parties.bppId,
      bppUri: parties.bppUri,
      transactionId: message.transactionId,
      messageId: message.messageId,
      timestamp: textFromInstantMs(message.nowMs),
      ttl: textFromDurationMs(message.ttlMs),
    };
  }
  return {
    version: "2.0.0",
    action: message.action,
    domain: parties.domain,
    timestamp: textFromInstantMs(message.nowMs),
    message_id: message.messageId,
    transaction_id: message.transactionId,
    bap_id: parties.bapId,
    bap_uri: parties.bapUri,
    bpp_id: parties.bppId,
    bpp_uri: parties.bppUri,
    ttl: textFromDurationMs(message.ttlMs),
  };
}
