import type { Envelope } from "../beckn-context.ts";
import type { BidContext } from "./bid-context.ts";
import { branchBidMessage, branchDeliveryMessage } from "./branch-messages.ts";
import { degConfirmMessage, degDeliveryMessage, degUpdateMessage, type FlexNeed } from "./deg-messages.ts";
import { type Bid, type DeliveryReport, deliveryMessage, discoverMessage } from "./seed-messages.ts";
import type { SeedDialect } from "./seed-shape.ts";

/** How we write to the market. */
export interface OutgoingDialect {
  readonly envelope: Envelope;
  /**
   * The message that brings a curve: `discover` is answered with prices that we then confirm, `init` with an approval
   * that we then confirm, and `confirm` binds us at once.
   */
  readonly opening: "discover" | "init" | "confirm";
  bid(bid: Bid, context: BidContext): object;
  /** The confirmation after `init`; absent where there is no `init`. */
  confirm?(bid: Bid, context: BidContext, approvedMaxTradeKW: number | undefined): object;
  /** A newer curve for a bid that is confirmed and not yet cleared; absent: it has to wait. */
  amend?(bid: Bid, context: BidContext): object;
  delivery(report: DeliveryReport, transactionId: string, meterIds: readonly string[]): object;
}

export type DialectName = "seed" | "branch" | "deg";

/** @param need what bids in the dialect `deg` answer; without it none can be made */
export function outgoingDialect(name: DialectName, rules: SeedDialect, need: FlexNeed | undefined): OutgoingDialect {
  switch (name) {
    case "seed":
      return {
        envelope: "snake",
        opening: "discover",
        bid: (bid) => discoverMessage(bid, rules),
        delivery: (report) => deliveryMessage(report, rules),
      };
    case "branch":
      return {
        envelope: "snake",
        opening: "init",
        bid: (bid, context) => branchBidMessage(bid, context, rules),
        confirm: (bid, context, approvedKW) => branchBidMessage(bid, context, rules, approvedKW),
        delivery: (report) => branchDeliveryMessage(report, rules),
      };
    case "deg":
      return {
        envelope: "camel",
        opening: "confirm",
        bid: (bid, context) => {
          if (need === undefined) throw new Error("there is no need for flexibility that a bid could answer");
          return degConfirmMessage(bid, context, need);
        },
        amend: degUpdateMessage,
        delivery: degDeliveryMessage,
      };
  }
}
