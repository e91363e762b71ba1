import type { Objective } from "../../model/objective.ts";
import type { Era } from "../../model/resource.ts";
import type { Price } from "../../model/setpoint.ts";
import type { CallbackContext } from "../beckn-context.ts";

/** What a positive power means in a market's messages. Nothing is ever guessed from the number. */
export type PowerSign = "export-positive" | "import-positive";

/**
 * What a cleared capacity means: a `reduction` of consumption against a baseline, given as a positive magnitude (the
 * rule of the time-series dialect), or the power of the device itself in one of the two signs.
 */
export type CapacityMeaning = "reduction" | PowerSign;

/** The sign of each dialect's numbers. */
export interface DialectSigns {
  readonly seed: PowerSign;
  readonly branch: PowerSign;
  readonly deg: CapacityMeaning;
}

/** What the messages of one market leave to the site's configuration. */
export interface DialectPolicy {
  readonly sign: DialectSigns;
  /** ISO 4217, for a price that comes without its currency. */
  readonly currency: string;
  /** Whether a meter is one of ours. */
  readonly isMeter: (meterId: string) => boolean;
}

interface DraftFacts {
  /** Where its power stands in the message, for a person who reads the NACK. */
  readonly path: string;
  readonly validFromMs?: number;
  readonly validUntilMs?: number;
  readonly clearingPrice?: Price;
  readonly objective?: Objective;
  /**
   * Highest price that the order's objectives allow, in the currency of its clearing price; there even where the rest of
   * the objective is not.
   */
  readonly maxPricePerKWh?: number;
  readonly orderId?: string;
  readonly transactionId: string;
  readonly messageId: string;
  /** Only where the message names the resource itself. */
  readonly era?: Era;
  /** The meters that it is about, where the message names meters. */
  readonly meterIds?: readonly string[];
}

/** A power to hold, as the message has it, before it is known for which resource and until when. */
export interface PowerDraft extends DraftFacts {
  readonly kind: "power";
  /** kW, export positive. */
  readonly powerKW: number;
  /** The market's power (kW, export positive), where the grid operator's approval in the same message allows less. */
  readonly cutFromKW?: number;
}

/** A change of consumption against a baseline that the message does not give. */
export interface ReductionDraft extends DraftFacts {
  readonly kind: "reduction";
  /** kW, positive: that much less consumption than the baseline; negative: more. */
  readonly reductionKW: number;
}

export type SetpointDraft = PowerDraft | ReductionDraft;

/** An order as the market sends it: setpoints to hold, or that it is over. */
export interface OrderMessage {
  readonly orderId?: string;
  /** True when the order was cancelled, rejected or completed. */
  readonly isOver: boolean;
  /** In the order of the message; none in a message about something else. */
  readonly drafts: readonly SetpointDraft[];
  /** True if the drafts are for different resources, so that what names the whole order can't tell them apart. */
  readonly isForMany: boolean;
  /** Where the setpoint would stand, for the NACK of an order that has to have one. */
  readonly setpointPath: string;
}

/** A cleared price that the market offers, with the power that goes with it. */
export interface MarketOffer {
  readonly offerId?: string;
  readonly clearingPrice: Price;
  /** kW, export positive; absent where the market gives it only with the confirmation. */
  readonly powerKW?: number;
  /** Only where the offer names the resource. */
  readonly era?: Era;
}

/** One dialect's way to write orders. All of them throw a `Refusal` that names the field. */
export interface OrderCodec {
  readonly name: "seed" | "branch" | "deg";
  /** Reads the order of `on_confirm`, `on_update` or `on_cancel`. */
  readOrder(body: unknown, context: CallbackContext, policy: DialectPolicy, nowMs: number): OrderMessage;
  /** Reads the offers of `on_discover`; a catalogue without any price says that nothing was cleared. */
  readOffers(body: unknown, policy: DialectPolicy): readonly MarketOffer[];
}
