import { z } from "zod";
import type { Clock } from "../../../src/clock.ts";
import type { Era } from "../../../src/model/resource.ts";
import { type AdapterOperation, OperationError } from "../../kind.ts";
import type { Device } from "../config.ts";
import { type ControlEvent, isOpen, type OperatorEvent } from "../controls/control-event.ts";
import { MOST_ORDERS } from "../controls/control-ledger.ts";
import { csipausControlOf, type OperatorOrder, operatorOrderSchema } from "../controls/operator-order.ts";
import { type ListedControl, listedControl } from "./listed-controls.ts";

/** Longest time that an order may hold, and how far ahead it may begin, s. Someone must look again some day. */
const MOST_S = 7 * 86_400;

interface OrderedDevice {
  readonly era: Era;
  readonly csipaus: Device["csipaus"];
  readonly desk: { orders(): readonly OperatorEvent[]; answered(mRID: string): string };
  orderByOperator(order: OperatorOrder, startS: number | undefined, endS: number): Promise<OperatorEvent | undefined>;
  cancelOrder(mRID: string): Promise<boolean>;
}

const inputSchema = z.strictObject({
  era: z.string(),
  order: operatorOrderSchema.optional(),
  /** RFC 3339; absent: at once. */
  start: z.iso.datetime({ offset: true }).optional(),
  durationS: z.int().min(1).max(MOST_S).optional(),
  /** mRID of an order, or `all`. */
  cancel: z.string().optional(),
});

type Input = z.output<typeof inputSchema>;

/** The operation behind `setpointd 2030.5 order` and `2030.5 cancel`: gives or takes back an operator's order, and shows all. */
export function operatorOrders(devices: () => Iterable<OrderedDevice>, clock: Clock): AdapterOperation {
  return async (input) => {
    const parsed = inputSchema.safeParse(input);
    if (!parsed.success) throw new OperationError("invalid", z.prettifyError(parsed.error));
    const { era, order, cancel } = parsed.data;
    const device = [...devices()].find((one) => one.era === era);
    if (device === undefined)
      throw new OperationError("not-found", `no device "${era}" polls this gateway over IEEE 2030.5`);
    if ((order === undefined) === (cancel === undefined))
      throw new OperationError("invalid", "either an order or one to cancel");
    if (order !== undefined) await give(device, order, parsed.data, clock);
    else if (cancel !== undefined) await takeBack(device, cancel);
    const orders = device.desk.orders().map((event: ControlEvent): ListedControl => listedControl(device, event));
    return { at: new Date(clock.now()).toISOString(), orders };
  };
}

async function give(device: OrderedDevice, order: OperatorOrder, { start, durationS }: Input, clock: Clock) {
  const nowMs = clock.now();
  const startMs = start === undefined ? nowMs : Date.parse(start);
  if (durationS === undefined) throw new OperationError("invalid", "durationS: an order needs an end");
  if (startMs > nowMs + MOST_S * 1000) throw new OperationError("invalid", "start: no more than a week ahead");
  const endS = Math.ceil(startMs / 1000) + durationS;
  if (endS * 1000 <= nowMs) throw new OperationError("invalid", "start: the order would have ended by now");
  const extension = csipausControlOf(order);
  if (device.csipaus === "none" && extension !== undefined)
    throw new OperationError("invalid", `${extension} is of CSIP-AUS, and ${device.era} has csipaus: none`);
  const startS = startMs <= nowMs ? undefined : Math.ceil(startMs / 1000);
  if ((await device.orderByOperator(order, startS, endS)) === undefined)
    throw new OperationError("refused", `${MOST_ORDERS} orders are listed; wait until one of them has ended`);
}

async function takeBack(device: OrderedDevice, cancel: string): Promise<void> {
  const open = device.desk.orders().filter(isOpen);
  const meant = cancel === "all" ? open.map(({ mRID }) => mRID) : [cancel];
  for (const mRID of meant) {
    if (!(await device.cancelOrder(mRID)))
      throw new OperationError("not-found", `no open order of an operator has the mRID ${mRID}`);
  }
}
