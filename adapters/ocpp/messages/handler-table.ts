import { CallRefusal } from "../link/frame.ts";
import type { JsonRecord } from "../link/json.ts";
import type { DialectContext } from "./dialect.ts";
import type { Handled } from "./events.ts";

/** Answers one action of a charger. @throws CallRefusal where the answer needs what the message does not say */
export type Handler = (payload: JsonRecord, context: DialectContext) => Handled;

/** What a charger may call in one version, by action. */
export type HandlerTable = Readonly<Record<string, Handler>>;

/** For a message that only informs: the answer is empty. */
export const noted: Handler = () => ({ answer: {}, events: [] });

export const rejected: Handler = () => ({ answer: { status: "Rejected" }, events: [] });

/** @throws CallRefusal for an action that the table does not have, and what the handler throws */
export function answerFrom(table: HandlerTable, action: string, payload: JsonRecord, context: DialectContext): Handled {
  const handler = Object.hasOwn(table, action) ? table[action] : undefined;
  if (handler === undefined) throw new CallRefusal("unknown-action", `${action.slice(0, 60)} is not known here`);
  return handler(payload, context);
}
