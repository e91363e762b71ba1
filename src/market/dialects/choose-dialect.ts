import { Refusal } from "../answer.ts";
import { WireFields } from "../wire-fields.ts";
import { readBranchOrder } from "./branch-order.ts";
import { readDegOrder } from "./deg-order.ts";
import type { DialectPolicy, OrderCodec } from "./order-codec.ts";
import { readSeedOffers } from "./seed-offers.ts";
import { readSeedOrder } from "./seed-order.ts";

const seedRules = ({ sign, currency }: DialectPolicy) => ({ sign: sign.seed, currency });

const seed: OrderCodec = {
  name: "seed",
  readOrder: (body, context, policy, nowMs) => readSeedOrder(body, context, seedRules(policy), nowMs),
  readOffers: (body, policy) => readSeedOffers(body, seedRules(policy)),
};

const branch: OrderCodec = {
  name: "branch",
  readOrder: readBranchOrder,
  readOffers: seed.readOffers,
};

const deg: OrderCodec = {
  name: "deg",
  readOrder: readDegOrder,
  // Its catalogues hold needs and no cleared price: that comes with `on_confirm`.
  readOffers: () => [],
};

/** What only a contract with roles has among its attributes. */
const BRANCH_FIELDS = ["roles", "inputSignals", "inputParameters"] as const;

/**
 * The dialect of a message, by its shape alone: all of them write the same version.
 * @throws Refusal `DIALECT_UNKNOWN` if it has the shape of two
 */
export function dialectOf(body: unknown): OrderCodec {
  const message = WireFields.of(body, "").objectIfAny("message");
  if (message === undefined) return seed;
  if (message.has("contract")) {
    if (!message.has("order")) return deg;
    const fault = "both order and contract: two readers could take different ones";
    throw new Refusal(400, "DIALECT_UNKNOWN", "message", fault);
  }
  const attributes = message.objectIfAny("order")?.objectIfAny("orderAttributes");
  if (attributes === undefined) return seed;
  return BRANCH_FIELDS.some((name) => attributes.has(name)) ? branch : seed;
}
