import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { ACK, type Answer, nack, Refusal } from "./answer.ts";
import { AnsweredMessages } from "./answered-messages.ts";
import { REQUEST_ACTIONS, type RequestAction, type RequestContext, readContext } from "./request-context.ts";
import { checkAuthorization } from "./signature.ts";

/** A participant's request whose sender, address and freshness are in order; its content is still to be read. */
export interface Request {
  readonly action: RequestAction;
  readonly context: RequestContext;
  readonly body: unknown;
}

export interface ReceptionOptions {
  readonly subscriberId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Present: every message must be signed with one of these. Absent: nobody is asked for a signature. */
  readonly participantKeys?: ReadonlyMap<string, string>;
  /** Carries a request out. What it returns runs after the answer has gone. @throws Refusal */
  readonly handle: (request: Request) => (() => void) | undefined;
  readonly onRefused: (action: string, refusal: Refusal) => void;
}

/** The answer to one message, and what follows from it once the answer is on its way. */
export interface Reception {
  readonly answer: Answer;
  readonly afterwards?: () => void;
}

/** The market's door: checks what every message has in common, and turns every fault into a NACK. */
export class FrontDesk {
  readonly #options: ReceptionOptions;
  readonly #answered = new AnsweredMessages();

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Never throws. */
  receive(path: string, authorizationHeader: string | undefined, raw: Buffer): Reception {
    const named = path.split("/").at(-1) ?? "";
    try {
      return this.#receive(named, authorizationHeader, raw);
    } catch (error) {
      return { answer: nack(this.#refused(named, error)) };
    }
  }

  #receive(named: string, authorizationHeader: string | undefined, raw: Buffer): Reception {
    const { handle, participantKeys, clock } = this.#options;
    const action = REQUEST_ACTIONS.find((known) => known === named);
    if (action === undefined) {
      throw new Refusal(
        404,
        "ACTION_UNKNOWN",
        "context.action",
        `"${named.slice(0, 64)}" is not an action of this market`,
      );
    }
    let signer: string | undefined;
    if (participantKeys !== undefined) {
      const check = checkAuthorization(authorizationHeader, raw, clock.now(), participantKeys);
      if (!check.ok) throw new Refusal(401, check.code, "", check.reason);
      signer = check.subscriberId;
    }
    const body = parse(raw);
    const context = this.#asParticipant(action, readContext(body));
    this.#checkContext(action, signer, context);

    const earlier = this.#answered.find(context.bap_id, context.message_id, raw);
    if (earlier === "conflict") {
      throw new Refusal(400, "MESSAGE_CONFLICT", "context.message_id", "this id came before with another message");
    }
    if (earlier !== undefined) return { answer: earlier };
    const reception = this.#carryOut(() => {
      checkFreshness(context, clock.now());
      return handle({ action, context, body });
    }, named);
    this.#answered.keep(context.bap_id, context.message_id, raw, reception.answer);
    return reception;
  }

  /**
   * A participant that provides data speaks as BPP in `on_status`, so both sides have changed places there. From here on
   * `bap` is the participant again.
   */
  #asParticipant(action: RequestAction, context: RequestContext): RequestContext {
    if (action !== "on_status" || context.bap_id !== this.#options.subscriberId) return context;
    const { bpp_id, bpp_uri } = context;
    if (bpp_id === undefined || bpp_uri === undefined) {
      throw new Refusal(400, "CONTEXT_INVALID", "context", "expected bpp_id and bpp_uri of the sender");
    }
    return { ...context, bap_id: bpp_id, bap_uri: bpp_uri, bpp_id: context.bap_id, bpp_uri: context.bap_uri };
  }

  #checkContext(action: RequestAction, signer: string | undefined, context: RequestContext): void {
    if (context.action !== action) {
      throw new Refusal(
        400,
        "ACTION_MISMATCH",
        "context.action",
        `the path says ${action}, the message says ${context.action}`,
      );
    }
    if (signer !== undefined && signer !== context.bap_id) {
      throw new Refusal(401, "SIGNER_MISMATCH", "context.bap_id", `signed by ${signer}, not by ${context.bap_id}`);
    }
    const { subscriberId } = this.#options;
    if (context.bpp_id !== undefined && context.bpp_id !== subscriberId) {
      throw new Refusal(400, "NOT_ADDRESSEE", "context.bpp_id", `this is ${subscriberId}, not ${context.bpp_id}`);
    }
  }

  #carryOut(work: () => (() => void) | undefined, action: string): Reception {
    try {
      const afterwards = work();
      return afterwards === undefined ? { answer: ACK } : { answer: ACK, afterwards };
    } catch (error) {
      return { answer: nack(this.#refused(action, error)) };
    }
  }

  #refused(action: string, error: unknown): Refusal {
    if (!(error instanceof Refusal)) this.#options.log.error("a message could not be handled", { err: error, action });
    const refusal =
      error instanceof Refusal ? error : new Refusal(500, "INTERNAL", "", "the market failed over this message");
    this.#options.onRefused(action, refusal);
    return refusal;
  }
}

function parse(raw: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw));
  } catch {
    throw new Refusal(400, "BODY_INVALID", "", "the body is not JSON in UTF-8");
  }
}

function checkFreshness(context: RequestContext, nowMs: number): void {
  if (context.ttl === undefined) return;
  const endsMs = Date.parse(context.timestamp) + durationMs(context.ttl);
  if (nowMs <= endsMs) return;
  throw new Refusal(
    400,
    "MESSAGE_STALE",
    "context.ttl",
    `the message was valid for ${context.ttl} from ${context.timestamp}, which is over`,
  );
}

/** Of `P1DT2H3M4S`, whose form the context's schema has checked. */
function durationMs(text: string): number {
  const [, days, hours, minutes, seconds] =
    /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text) ?? [];
  const [d, h, m, s] = [days, hours, minutes, seconds].map((digits) => Number(digits ?? 0));
  return ((((d ?? 0) * 24 + (h ?? 0)) * 60 + (m ?? 0)) * 60 + (s ?? 0)) * 1000;
}
