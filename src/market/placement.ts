import type { Era } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Contract } from "../store/control-store.ts";
import { Refusal } from "./answer.ts";
import type { CallbackContext } from "./beckn-context.ts";
import type { ContractBook } from "./contract-book.ts";
import type { SetpointDraft } from "./seed-codec.ts";

/** Which resources there are, and which of them the configuration ties to an order or a transaction. */
export interface ResourceDirectory {
  has(era: Era): boolean;
  /** What the resource can do, kW, export positive; absent while its device has not said so. */
  capability(era: Era): { readonly minPowerKW: number; readonly maxPowerKW: number } | undefined;
  byOrder(orderId: string): Era | undefined;
  byTransaction(transactionId: string): Era | undefined;
  /** The most that this resource's own objective pays per kWh. */
  maxPricePerKWh?(era: Era): number | undefined;
}

/** A way to find the resource that a setpoint is for. */
export type Mapping = "order" | "transaction" | "era";

/** Something about an accepted setpoint that a person should know. */
export interface SetpointFlag {
  readonly setpointId: string;
  readonly flag: "ABOVE_MAX_PRICE";
  readonly detail: string;
}

export interface PlacementRules {
  readonly directory: ResourceDirectory;
  readonly contracts: ContractBook;
  /** The contract of the message's own transaction, if there is one. */
  readonly known: Contract | undefined;
  /** Tried in this order; the first that names a resource counts. */
  readonly mapping: readonly Mapping[];
  /** How long a setpoint holds that comes without an end. */
  readonly defaultHoldMs: number;
  /** A setpoint that ends later than this from now is refused. */
  readonly horizonMs: number;
}

/** A device can't do less than this, so a rounding error of the market is no wrong sign. */
const NOTHING_KW = 1e-6;

/**
 * Finds the resource of a draft and gives it an end: the `Setpoint` that goes down to the device.
 * @param index which one of its message, part of its id
 * @throws Refusal naming the field and why
 */
export async function placeSetpoint(
  draft: SetpointDraft,
  index: number,
  context: CallbackContext,
  rules: PlacementRules,
  nowMs: number,
): Promise<{ readonly setpoint: Setpoint; readonly flags: readonly SetpointFlag[] }> {
  const era = await findResource(draft, rules);
  const validFromMs = draft.validFromMs ?? nowMs;
  const validUntilMs = draft.validUntilMs ?? validFromMs + rules.defaultHoldMs;
  if (validUntilMs <= nowMs) {
    const agoS = Math.round((nowMs - validUntilMs) / 1000);
    throw new Refusal(400, "SETPOINT_ENDED", draft.path, `this setpoint ended ${agoS} s ago`);
  }
  if (validUntilMs > nowMs + rules.horizonMs) {
    const days = Math.round(rules.horizonMs / 86_400_000);
    throw new Refusal(400, "SETPOINT_TOO_FAR_AHEAD", draft.path, `it ends more than ${days} days from now`);
  }
  refuseImpossible(draft, era, rules.directory);
  const setpoint: Setpoint = {
    id: `${context.bppId}/${context.messageId}/${index}`,
    era,
    powerKW: draft.powerKW,
    validFromMs,
    validUntilMs,
    receivedAtMs: nowMs,
    source: {
      kind: "market",
      transactionId: draft.transactionId,
      messageId: draft.messageId,
      ...(draft.orderId !== undefined && { orderId: draft.orderId }),
    },
    ...(draft.clearingPrice !== undefined && { clearingPrice: draft.clearingPrice }),
    ...(draft.objective !== undefined && { objective: draft.objective }),
  };
  return { setpoint, flags: flagsOf(setpoint, draft, rules.directory) };
}

async function findResource(draft: SetpointDraft, rules: PlacementRules): Promise<Era> {
  const tried: string[] = [];
  for (const way of rules.mapping) {
    const era = await resourceBy(way, draft, rules);
    if (era !== undefined && rules.directory.has(era)) return era;
    tried.push(`${way} ${nameFor(way, draft) ?? "(not given)"}`);
  }
  throw new Refusal(404, "RESOURCE_UNKNOWN", draft.path, `no resource here belongs to ${tried.join(", ")}`);
}

async function resourceBy(way: Mapping, draft: SetpointDraft, rules: PlacementRules): Promise<Era | undefined> {
  switch (way) {
    case "era":
      return draft.era;
    case "order":
      if (draft.orderId === undefined) return undefined;
      return rules.directory.byOrder(draft.orderId) ?? (await rules.contracts.byOrder(draft.orderId))?.era;
    case "transaction":
      return rules.directory.byTransaction(draft.transactionId) ?? rules.known?.era;
  }
}

function nameFor(way: Mapping, draft: SetpointDraft): string | undefined {
  if (way === "era") return draft.era;
  return way === "order" ? draft.orderId : draft.transactionId;
}

/** A power in a direction that the resource does not have is a wrong sign somewhere, never to be turned or set to zero. */
function refuseImpossible(draft: SetpointDraft, era: Era, directory: ResourceDirectory): void {
  const capability = directory.capability(era);
  if (capability === undefined) return;
  if (draft.powerKW > NOTHING_KW && capability.maxPowerKW <= 0) {
    const message = `${draft.powerKW} kW is generation (positive), and ${era} can only consume`;
    throw new Refusal(400, "SETPOINT_IMPOSSIBLE", draft.path, message);
  }
  if (draft.powerKW < -NOTHING_KW && capability.minPowerKW >= 0) {
    const message = `${draft.powerKW} kW is consumption (negative), and ${era} can only generate`;
    throw new Refusal(400, "SETPOINT_IMPOSSIBLE", draft.path, message);
  }
}

function flagsOf(setpoint: Setpoint, draft: SetpointDraft, directory: ResourceDirectory): readonly SetpointFlag[] {
  const price = setpoint.clearingPrice;
  const maxPrice = draft.maxPricePerKWh ?? directory.maxPricePerKWh?.(setpoint.era);
  if (price === undefined || maxPrice === undefined || price.pricePerKWh <= maxPrice) return [];
  // A seller is glad of a high price.
  if (setpoint.powerKW >= 0) return [];
  const detail = `cleared at ${price.pricePerKWh} ${price.currency}/kWh, above the objective's maximum of ${maxPrice}`;
  return [{ setpointId: setpoint.id, flag: "ABOVE_MAX_PRICE", detail }];
}
