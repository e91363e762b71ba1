import { durationMsFromText } from "../iso-time.ts";
import { WireFields } from "../wire-fields.ts";
import { Declined } from "./declined.ts";
import { type FlexOffer, type FlexPoint, slopeOf } from "./flex-clearing.ts";
import { type FlexNeed, type MarketRules, needEndMs } from "./market-rules.ts";
import type { FlexContract } from "./provider-records.ts";

const MAX_COMMITMENTS = 100;
const MAX_STEPS = 1000;

/** The names of the two columns, today's and those of the months before. */
const PRICE_COLUMNS = ["OFFER_PRICE", "BID_PRICE"] as const;
const CAPACITY_COLUMNS = ["CAPACITY_OFFERED", "BID_POWER"] as const;

/**
 * Reads `message.contract` of `confirm` in the dialect of 2026: for each interval of a need that this market has, steps of
 * price and capacity in two parallel lists.
 * @throws Refusal naming the field
 * @throws Declined if the need is not known, or the offers don't fit it
 */
export function readFlexContract(body: unknown, rules: MarketRules, nowMs: number): FlexContract {
  const contract = WireFields.ofMessage(body, "contract");
  const commitments = contract.required("commitments", contract.list("commitments", MAX_COMMITMENTS), "array");
  if (commitments.length === 0) contract.fail("commitments", "expected at least one commitment");
  const needs = commitments.map((commitment) => needOf(commitment, rules));
  const [need] = needs;
  if (need === undefined || needs.some((other) => other !== need)) {
    return contract.fail("commitments", "all commitments of a contract have to be for the same need");
  }
  if (nowMs >= need.clearingTimeMs) {
    const closed = new Date(need.clearingTimeMs).toISOString();
    throw new Declined(
      "GATE_CLOSED",
      contract.pathOf("commitments"),
      `offers for ${need.id} were cleared at ${closed}`,
    );
  }
  const offers = commitments.flatMap((commitment, index) => readOffers(commitment, index, need));
  refuseTwice(offers, contract);
  return {
    needId: need.id,
    offers,
    contract: contractOf(body),
    window: { validFromMs: need.startMs, validUntilMs: needEndMs(need) },
  };
}

/**
 * The contract with the newer offers that an `update` has for some of its commitments, each found by its id.
 * @returns nothing for an update about something else
 * @throws Refusal naming the field
 * @throws Declined if the need is cleared already, or a commitment is none of this contract's
 */
export function readAmendedOffers(
  body: unknown,
  flex: FlexContract,
  rules: MarketRules,
  nowMs: number,
): FlexContract | undefined {
  const contract = WireFields.ofMessage(body, "contract");
  const amended = (contract.list("commitments", MAX_COMMITMENTS) ?? []).filter(hasOffers);
  if (amended.length === 0) return undefined;
  const need = rules.needs.get(flex.needId);
  if (need === undefined || nowMs >= need.clearingTimeMs || flex.cleared !== undefined) {
    throw new Declined("GATE_CLOSED", contract.pathOf("commitments"), `offers for ${flex.needId} are cleared already`);
  }
  const commitments = [...(flex.contract["commitments"] as readonly Readonly<Record<string, unknown>>[])];
  let offers = flex.offers;
  for (const commitment of amended) {
    const id = commitment.raw("id");
    const index = id === undefined && commitments.length === 1 ? 0 : commitments.findIndex((one) => one["id"] === id);
    if (index < 0) {
      throw new Declined("OFFER_MISMATCH", commitment.pathOf("id"), "this contract has no commitment with this id");
    }
    offers = [...offers.filter((one) => one.commitment !== index), ...readOffers(commitment, index, need)];
    commitments[index] = { ...commitments[index], commitmentAttributes: commitment.raw("commitmentAttributes") };
  }
  refuseTwice(offers, contract);
  return { ...flex, offers, contract: { ...flex.contract, commitments } };
}

function hasOffers(commitment: WireFields): boolean {
  const rows = commitment.objectIfAny("commitmentAttributes")?.list("intervals") ?? [];
  const columns: readonly string[] = [...PRICE_COLUMNS, ...CAPACITY_COLUMNS];
  return rows.some((row) => (row.list("payloads") ?? []).some((one) => columns.includes(String(one.raw("type")))));
}

function refuseTwice(offers: readonly FlexOffer[], contract: WireFields): void {
  const intervals = new Set<number>();
  for (const { interval } of offers) {
    if (intervals.has(interval)) contract.fail("commitments", `interval ${interval} is offered twice`);
    intervals.add(interval);
  }
}

/** `message.contract` as it came. @throws Refusal if there is none */
export function contractOf(body: unknown): Readonly<Record<string, unknown>> {
  const contract = WireFields.ofMessage(body).raw("contract");
  WireFields.of(contract, "message.contract");
  return contract as Readonly<Record<string, unknown>>;
}

function needOf(commitment: WireFields, rules: MarketRules): FlexNeed {
  const resources = commitment.required("resources", commitment.list("resources"), "array");
  const [resource] = resources;
  const id = resource?.required("id", resource.text("id"), "string");
  const need = id === undefined ? undefined : rules.needs.get(id);
  if (need !== undefined) return need;
  throw new Declined(
    "RESOURCE_UNKNOWN",
    resource?.pathOf("id") ?? commitment.pathOf("resources"),
    `no need "${id ?? ""}" here`,
  );
}

function readOffers(commitment: WireFields, index: number, need: FlexNeed): FlexOffer[] {
  const series = commitment.required("commitmentAttributes", commitment.object("commitmentAttributes"), "object");
  const shared = series.object("intervalPeriod");
  const rows = series.required("intervals", series.list("intervals"), "array");
  return rows.map((row, at): FlexOffer => {
    const interval = numberOfInterval(row, at, shared, need);
    return { commitment: index, row: at, interval, points: readPoints(row, need) };
  });
}

/** A row's own period overrides the shared one; with neither, its id counts from the need's start. */
function numberOfInterval(row: WireFields, at: number, shared: WireFields | undefined, need: FlexNeed): number {
  const own = row.object("intervalPeriod");
  const period = own ?? shared;
  const id = row.number("id") ?? at;
  const durationMs = durationOf(period) ?? need.intervalMs;
  const firstMs = period?.instantMs("start") ?? need.startMs;
  const startMs = own === undefined ? firstMs + id * durationMs : firstMs;
  const interval = (startMs - need.startMs) / need.intervalMs;
  const isOne = Number.isInteger(interval) && interval >= 0 && interval < need.requestedKW.length;
  if (isOne && durationMs === need.intervalMs) return interval;
  return (own ?? row).fail(own === undefined ? "id" : "start", `this is not an interval of ${need.id}`);
}

function durationOf(period: WireFields | undefined): number | undefined {
  const text = period?.text("duration");
  if (text === undefined) return undefined;
  return durationMsFromText(text) ?? period?.fail("duration", "expected an ISO 8601 duration such as PT1H");
}

function readPoints(row: WireFields, need: FlexNeed): readonly FlexPoint[] {
  const payloads = row.required("payloads", row.list("payloads"), "array");
  const prices = column(row, payloads, PRICE_COLUMNS);
  const capacities = column(row, payloads, CAPACITY_COLUMNS);
  if (prices.length !== capacities.length) {
    row.fail("payloads", `${prices.length} prices stand beside ${capacities.length} capacities`);
  }
  const points = prices.map((pricePerKWh, at): FlexPoint => ({ pricePerKWh, capacityKW: capacities[at] ?? 0 }));
  for (const [at, { pricePerKWh, capacityKW }] of points.entries()) {
    const before = points[at - 1];
    if (before !== undefined && pricePerKWh <= before.pricePerKWh) {
      row.fail("payloads", `price ${pricePerKWh} is not above the one before it, ${before.pricePerKWh}`);
    }
    // Direction is in the need, so a minus sign would mean two things at once.
    if (capacityKW < 0) row.fail("payloads", `capacity ${capacityKW} is negative; magnitudes are expected`);
  }
  const slope = slopeOf(points);
  if (slope !== undefined && slope !== need.slope) {
    row.fail("payloads", `capacities have to be ${need.slope} as the price rises for this need; these are ${slope}`);
  }
  return points;
}

function column(row: WireFields, payloads: readonly WireFields[], names: readonly string[]): readonly number[] {
  const found = payloads.filter((payload) => names.includes(String(payload.raw("type"))));
  const [payload, second] = found;
  if (payload === undefined) return row.fail("payloads", `expected one of type ${names[0]}`);
  if (second !== undefined) return row.fail("payloads", `type ${names[0]} is given twice`);
  const values = payload.raw("values");
  const isList = Array.isArray(values) && values.length > 0 && values.length <= MAX_STEPS;
  if (isList && values.every((value) => typeof value === "number")) return values;
  return payload.fail("values", `expected 1 to ${MAX_STEPS} numbers`);
}
