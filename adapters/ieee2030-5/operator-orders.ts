import { z } from "zod";
import type { AdapterMemory } from "../kind.ts";
import type { ControlDesk } from "./controls/control-desk.ts";
import {
  EVENT_ACTIVE,
  EVENT_CANCELLED,
  EVENT_CANCELLED_RANDOMLY,
  EVENT_SCHEDULED,
  EVENT_SUPERSEDED,
  type OperatorEvent,
} from "./controls/control-event.ts";
import { type OperatorOrder, operatorOrderSchema } from "./controls/operator-order.ts";
import type { Lfdi } from "./identity.ts";

const second = z.int().min(0);

const keptOrders = z.array(
  z.object({
    id: z.int().min(1),
    mRID: z.string(),
    setpointId: z.string(),
    power: z.object({ order: operatorOrderSchema }),
    creationTimeS: second,
    publishedS: second,
    startS: second,
    endS: second,
    randomization: z.object({ startS: z.int(), durationS: z.int() }),
    status: z.literal([EVENT_SCHEDULED, EVENT_ACTIVE, EVENT_CANCELLED, EVENT_CANCELLED_RANDOMLY, EVENT_SUPERSEDED]),
    statusSinceS: second,
    potentiallySupersededS: second.optional(),
  }),
);

/**
 * What an operator has ordered of one device, in the standard's own controls. It outlives a restart until its own end, also
 * what was cancelled: a device that does not find it listed would go on with it.
 */
export class OperatorOrders {
  readonly #desk: ControlDesk;
  readonly #memory: AdapterMemory;
  readonly #key: string;

  constructor(desk: ControlDesk, memory: AdapterMemory, lfdi: Lfdi, nowMs: number) {
    this.#desk = desk;
    this.#memory = memory;
    this.#key = `operatorOrders.${lfdi}`;
    const kept = keptOrders.safeParse(memory.get(this.#key)).data ?? [];
    desk.restore(kept.filter(({ endS }) => endS * 1000 > nowMs).map(eventOf));
  }

  /**
   * @param startS epoch seconds; absent: at once
   * @returns nothing where there are too many
   * @throws StoreError where the disk does not take it; it is listed all the same, and is gone after a restart
   */
  async add(order: OperatorOrder, startS: number | undefined, endS: number): Promise<OperatorEvent | undefined> {
    const event = this.#desk.orderByOperator(order, startS, endS);
    if (event !== undefined) await this.#keep();
    return event;
  }

  /** @returns false if no such order is open @throws StoreError as `add` */
  async cancel(mRID: string): Promise<boolean> {
    const isCancelled = this.#desk.cancelOrder(mRID);
    if (isCancelled) await this.#keep();
    return isCancelled;
  }

  /** Those in force now. */
  inForce(): readonly OperatorEvent[] {
    return this.#desk.orders().filter(({ status }) => status === EVENT_ACTIVE);
  }

  async #keep(): Promise<void> {
    const orders = this.#desk.orders();
    if (orders.length === 0) await this.#memory.forget(this.#key);
    else await this.#memory.set(this.#key, orders);
  }
}

function eventOf({ potentiallySupersededS, ...event }: z.output<typeof keptOrders>[number]): OperatorEvent {
  return potentiallySupersededS === undefined ? event : { ...event, potentiallySupersededS };
}
