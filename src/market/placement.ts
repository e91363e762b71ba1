import { type Capability, directionFault, type Era } from "../model/resource.ts";
import type { Price, Setpoint } from "../model/setpoint.ts";
import type { Contract } from "../store/control-store.ts";
import { Refusal } from "./answer.ts";
import type { CallbackContext } from "./beckn-context.ts";
import type { ContractBook } from "./contract-book.ts";
import type { SetpointDraft } from "./dialects/order-codec.ts";

/** Which resources there are, and which of them the configuration ties to an order or a transaction. */
export interface ResourceDirectory {
  has(era: Era): boolean;
  /** What the resource can do, kW, export positive; absent while its device has not said so. */
  capability(era: Era): Pick<Capability, "minPowerKW" | "maxPowerKW" | "consumesOnlyBecause"> | undefined;
  byOrder(orderId: string): Era | undefined;
  byTransaction(transactionId: string): Era | undefined;
  byMeter?(meterId: string): Era | undefined;
  /** The group that has exactly these members. */
  groupOf?(members: ReadonlySet<Era>): Era | undefined;
  /** The most that this resource's own objective pays. */
  maxPrice?(era: Era): Price | undefined;
}

/** A way to find the resource that a setpoint is for. */
export type Mapping = "order" | "transaction" | "era" | "meter";

/**
 * What a resource has to hold so that it consumes that much less than it would have without us.
 * @param reductionKW positive: less consumption; negative: more
 * @param window wall time, epoch ms
 * @returns kW, export positive, or for a person why it can't be said (no baseline yet)
 */
export type ReductionToSetpoint = (
  era: Era,
  reductionKW: number,
  window: { readonly fromMs: number; readonly untilMs: number },
) => { readonly powerKW: number } | { readonly fault: string };

/** Something about an accepted setpoint that a person should know. */
export interface SetpointFlag {
  readonly setpointId: string;
  readonly flag: "ABOVE_MAX_PRICE" | "PRICE_NOT_COMPARABLE" | "CUT_TO_APPROVED";
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
  /** Absent: the site keeps no baselines, and a reduction is refused. */
  readonly reductionToSetpoint?: ReductionToSetpoint | undefined;
}

/** The id of the setpoint at a place of a message; the same message gives the same id. */
function setpointId(senderId: string, messageId: string, index: number): string {
  return `${senderId}/${messageId}/${index}`;
}

/** Whether a setpoint came from this market. */
export function isFrom(senderId: string, { id, source }: Setpoint): boolean {
  // By the whole id and not by its beginning: an id may have a slash in it.
  const index = Number(id.slice(id.lastIndexOf("/") + 1));
  return source.messageId !== undefined && id === setpointId(senderId, source.messageId, index);
}

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
  const powerKW = powerOf(draft, era, { fromMs: validFromMs, untilMs: validUntilMs }, rules);
  refuseImpossible(powerKW, draft.path, era, rules.directory);
  const setpoint: Setpoint = {
    id: setpointId(context.bppId, context.messageId, index),
    era,
    powerKW,
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

function powerOf(
  draft: SetpointDraft,
  era: Era,
  window: { readonly fromMs: number; readonly untilMs: number },
  { reductionToSetpoint }: PlacementRules,
): number {
  if (draft.kind === "power") return draft.powerKW;
  const result = reductionToSetpoint?.(era, draft.reductionKW, window) ?? { fault: "no baselines are kept here" };
  if ("powerKW" in result) return result.powerKW;
  const fault = `a reduction of ${draft.reductionKW} kW needs a baseline of ${era}: ${result.fault}`;
  throw new Refusal(400, "BASELINE_UNKNOWN", draft.path, fault);
}

async function findResource(draft: SetpointDraft, rules: PlacementRules): Promise<Era> {
  const tried: string[] = [];
  for (const way of rules.mapping) {
    const era = await resourceBy(way, draft, rules);
    if (era !== undefined && rules.directory.has(era)) {
      if (way !== "meter") refuseOtherMeter(era, `${way} ${nameFor(way, draft)}`, draft, rules.directory);
      return era;
    }
    tried.push(`${way} ${nameFor(way, draft) ?? "(not given)"}`);
    // What is meant for a resource that is not here must not move the one that the order had before.
    if (way === "era" && era !== undefined) break;
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
    case "meter":
      return draft.meterIds === undefined ? undefined : byMeters(draft.meterIds, rules.directory);
  }
}

/** The one resource behind all the meters, or the group of exactly those; a meter that is not ours leaves it open. */
function byMeters(meterIds: readonly string[], directory: ResourceDirectory): Era | undefined {
  const eras = new Set<Era>();
  for (const meterId of meterIds) {
    const era = directory.byMeter?.(meterId);
    if (era === undefined) return undefined;
    eras.add(era);
  }
  const [only] = eras;
  return eras.size === 1 ? only : directory.groupOf?.(eras);
}

/** A power that was cleared for one resource's meter must not move another. */
function refuseOtherMeter(era: Era, foundBy: string, draft: SetpointDraft, directory: ResourceDirectory): void {
  const metered = draft.meterIds === undefined ? undefined : byMeters(draft.meterIds, directory);
  if (metered === undefined || metered === era) return;
  const fault = `${foundBy} means ${era} here, and meter ${nameFor("meter", draft)} is ${metered}`;
  throw new Refusal(400, "RESOURCE_AMBIGUOUS", draft.path, fault);
}

const MAX_METERS_TOLD = 3;

function nameFor(way: Mapping, draft: SetpointDraft): string | undefined {
  switch (way) {
    case "era":
      return draft.era;
    case "order":
      return draft.orderId;
    case "transaction":
      return draft.transactionId;
    case "meter":
      if (draft.meterIds === undefined || draft.meterIds.length <= MAX_METERS_TOLD) return draft.meterIds?.join(" + ");
      return `${draft.meterIds.slice(0, MAX_METERS_TOLD).join(" + ")} and ${draft.meterIds.length - MAX_METERS_TOLD} more`;
  }
}

/** A power in a direction that the resource does not have is a wrong sign somewhere, never to be turned or set to zero. */
function refuseImpossible(powerKW: number, path: string, era: Era, directory: ResourceDirectory): void {
  const capability = directory.capability(era);
  const fault = capability && directionFault(powerKW, era, capability);
  if (fault !== undefined) throw new Refusal(400, "SETPOINT_IMPOSSIBLE", path, fault);
}

function flagsOf(setpoint: Setpoint, draft: SetpointDraft, directory: ResourceDirectory): readonly SetpointFlag[] {
  const flags: SetpointFlag[] = [];
  if (draft.kind === "power" && draft.cutFromKW !== undefined) {
    const detail = `${draft.cutFromKW} kW cleared, cut to the ${draft.powerKW} kW that the grid operator approved`;
    flags.push({ setpointId: setpoint.id, flag: "CUT_TO_APPROVED", detail });
  }
  const price = priceFlag(setpoint, draft, directory);
  if (price !== undefined) flags.push({ setpointId: setpoint.id, ...price });
  return flags;
}

function priceFlag(
  { clearingPrice: price, powerKW, era }: Setpoint,
  draft: SetpointDraft,
  directory: ResourceDirectory,
): Omit<SetpointFlag, "setpointId"> | undefined {
  // A seller is glad of a high price, and so is who is paid to consume less.
  if (price === undefined || powerKW >= 0 || draft.kind === "reduction") return undefined;
  // An order's own objectives are in the order's own currency.
  const most =
    draft.maxPricePerKWh === undefined
      ? directory.maxPrice?.(era)
      : { pricePerKWh: draft.maxPricePerKWh, currency: price.currency };
  if (most === undefined) return undefined;
  const cleared = `cleared at ${price.pricePerKWh} ${price.currency}/kWh`;
  if (most.currency !== price.currency) {
    const detail = `${cleared}, and the objective's maximum of ${most.pricePerKWh} is in ${most.currency}`;
    return { flag: "PRICE_NOT_COMPARABLE", detail };
  }
  if (price.pricePerKWh <= most.pricePerKWh) return undefined;
  return { flag: "ABOVE_MAX_PRICE", detail: `${cleared}, above the objective's maximum of ${most.pricePerKWh}` };
}
