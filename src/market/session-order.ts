import type { Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { ControlStore } from "../store/control-store.ts";
import type { MessageContext } from "./beckn-context.ts";
import type { ContractBook } from "./contract-book.ts";
import type { SessionWish } from "./dialects/session-wish.ts";
import { isFrom } from "./placement.ts";

/** A market's wish about the charging sessions of an order that it made. */
export interface SessionOrder {
  readonly wish: SessionWish;
  readonly eras: readonly Era[];
  readonly orderId?: string;
  /** When the order's power begins, wall time; absent where it came without one. */
  readonly beginsAtMs?: number;
  /** The message that it came with. */
  readonly context: MessageContext;
}

interface Known {
  readonly store: Pick<ControlStore, "openSetpoints">;
  readonly contracts: ContractBook;
}

/**
 * Finds whose sessions are meant: the resources of the order's setpoints, new or running, or of its contract after they
 * have ended. An order that another market made is nobody's.
 * @param setpoints those that came with the same message
 */
export async function sessionOrder(
  wish: SessionWish,
  from: { readonly context: MessageContext; readonly senderId: string; readonly orderId?: string },
  setpoints: readonly Setpoint[],
  { store, contracts }: Known,
  nowMs: number,
): Promise<SessionOrder | undefined> {
  const { context, senderId, orderId } = from;
  const isOfOrder = ({ source }: Setpoint) =>
    orderId !== undefined && source.orderId !== undefined
      ? source.orderId === orderId
      : source.transactionId === context.transactionId;
  let meant = setpoints;
  if (meant.length === 0) {
    const open = await store.openSetpoints(nowMs);
    meant = open.map(({ setpoint }) => setpoint).filter((one) => isOfOrder(one) && isFrom(senderId, one));
  }
  const eras = new Set(meant.map(({ era }) => era));
  if (eras.size === 0) {
    const byOrder = orderId === undefined ? undefined : await contracts.byOrder(orderId);
    const contract = byOrder ?? (await contracts.byTransaction(context.transactionId));
    const isTheirs = contract?.bppId === undefined || contract.bppId === senderId;
    if (isTheirs && (contract?.state === "ACTIVE" || contract?.state === "ENDED")) eras.add(contract.era);
  }
  if (eras.size === 0) return undefined;
  const beginsAtMs = meant.length === 0 ? undefined : Math.min(...meant.map(({ validFromMs }) => validFromMs));
  return {
    wish,
    eras: [...eras],
    context,
    ...(orderId !== undefined && { orderId }),
    ...(beginsAtMs !== undefined && { beginsAtMs }),
  };
}
