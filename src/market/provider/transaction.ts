import type { RequestAction } from "../beckn-context.ts";

/**
 * How far one transaction has got. `DISCOVERED`: its curve waits for a gate. `OFFERED`: a price and a power wait to be
 * confirmed. `CONFIRMED`: both sides are bound and the interval has not begun. `ACTIVE`: the interval runs. The last
 * three end it: nothing leads out of them.
 */
export type TransactionState =
  | "DISCOVERED"
  | "OFFERED"
  | "CONFIRMED"
  | "ACTIVE"
  | "COMPLETED"
  | "CANCELLED"
  | "EXPIRED";

/**
 * What moves a transaction. `discover`, `confirm` and `cancel` are asked for; `offer` comes from a gate, `lapse` is an
 * offer that nobody confirmed, `begin` and `end` are those of the interval, `expire` is the end of a bid's own time.
 */
export type TransactionEvent = "discover" | "offer" | "lapse" | "confirm" | "begin" | "end" | "cancel" | "expire";

type Moves = Readonly<Partial<Record<TransactionEvent, TransactionState>>>;

const MOVES: Readonly<Record<TransactionState, Moves>> = {
  DISCOVERED: {
    discover: "DISCOVERED",
    offer: "OFFERED",
    // Where a participant commits before the price is known, there is no offer in between.
    confirm: "CONFIRMED",
    cancel: "CANCELLED",
    expire: "EXPIRED",
  },
  OFFERED: {
    // A new curve withdraws the offer that was made for the old one.
    discover: "DISCOVERED",
    offer: "OFFERED",
    lapse: "DISCOVERED",
    confirm: "CONFIRMED",
    cancel: "CANCELLED",
    expire: "EXPIRED",
  },
  CONFIRMED: { begin: "ACTIVE", end: "COMPLETED", cancel: "CANCELLED" },
  ACTIVE: {
    // The bid stands for the intervals to come, and they are offered while this one runs.
    discover: "ACTIVE",
    offer: "ACTIVE",
    lapse: "ACTIVE",
    confirm: "CONFIRMED",
    end: "COMPLETED",
    cancel: "CANCELLED",
  },
  COMPLETED: {},
  CANCELLED: {},
  EXPIRED: {},
};

/** The state after an event; nothing where the event is not possible. A transaction begins with `discover`. */
export function stateAfter(state: TransactionState | undefined, event: TransactionEvent): TransactionState | undefined {
  if (state === undefined) return event === "discover" ? "DISCOVERED" : undefined;
  return MOVES[state][event];
}

/** Whether nothing can move it any more. */
export function isOver(state: TransactionState): boolean {
  return Object.keys(MOVES[state]).length === 0;
}

/** Requests about a transaction, and the states in which each is taken. What is not named here needs no transaction. */
const LEGAL_IN: Readonly<Partial<Record<RequestAction, readonly TransactionState[]>>> = {
  discover: ["DISCOVERED", "OFFERED", "ACTIVE"],
  select: ["DISCOVERED", "OFFERED"],
  init: ["DISCOVERED", "OFFERED"],
  confirm: ["DISCOVERED", "OFFERED", "ACTIVE"],
  // Telemetry and the last verdict come a little after the interval's end.
  update: ["DISCOVERED", "OFFERED", "CONFIRMED", "ACTIVE", "COMPLETED"],
  status: ["DISCOVERED", "OFFERED", "CONFIRMED", "ACTIVE", "COMPLETED", "CANCELLED", "EXPIRED"],
  track: ["DISCOVERED", "OFFERED", "CONFIRMED", "ACTIVE", "COMPLETED", "CANCELLED", "EXPIRED"],
  cancel: ["DISCOVERED", "OFFERED", "CONFIRMED", "ACTIVE"],
  rating: ["ACTIVE", "COMPLETED", "CANCELLED"],
  rate: ["ACTIVE", "COMPLETED", "CANCELLED"],
};

/** Requests that may open a transaction: a curve comes with `discover`, in later versions with `init` or `confirm`. */
const OPENS: ReadonlySet<RequestAction> = new Set(["discover", "select", "init", "confirm"]);

/** Whether a request is taken in a state; `undefined` is a transaction that is not known. */
export function isLegal(action: RequestAction, state: TransactionState | undefined): boolean {
  const states = LEGAL_IN[action];
  if (states === undefined) return true;
  return state === undefined ? OPENS.has(action) : states.includes(state);
}
