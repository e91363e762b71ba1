import { BidError, type ClearingRules } from "../../clearing/clearing-types.ts";
import { GridError } from "../../clearing/grid/grid-error.ts";
import type { ClearGrid, GridNode, GridParticipant } from "../../clearing/grid-types.ts";
import { EXTERNAL } from "../../clearing/prepared-bid.ts";
import type { Era } from "../../model/resource.ts";
import { Refusal } from "../answer.ts";
import { readWindow, type SeedDialect } from "../dialects/seed-shape.ts";
import { textFromInstantMs } from "../iso-time.ts";
import { WireFields } from "../wire-fields.ts";
import { aggregationResult } from "./aggregation-result.ts";
import { readCurve, type WireCurve } from "./curve-fields.ts";
import { isGridNode, type ReadNode, readGridNode, underOneRoot } from "./grid-node-fields.ts";

const MAX_PARTICIPANTS = 1_000_000;

/** ISO 4217 for "no currency": prices of a request that names none are numbers and nothing else. */
const NO_CURRENCY = "XXX";

/** The seed's own rule: negative power is consumption. */
const DIALECT: SeedDialect = { sign: "export-positive", currency: NO_CURRENCY };

/** An `aggregationRequest`, read. */
interface Aggregation {
  readonly nodes: readonly ReadNode[];
  readonly participants: readonly GridParticipant[];
  readonly rules: ClearingRules;
  /** Where each resource stands in the request. */
  readonly pathOf: ReadonlyMap<Era, WireFields>;
}

/**
 * Clears an `aggregationRequest` (the seed, 3.2): bids and grid nodes in, price and setpoints out. Takes the request
 * itself, or the `message` or whole message around it.
 * @param nowMs wall time, for the result's timestamp and for ramps until the window begins
 * @returns `{ aggregationResult }`, the `message` of `on_aggregate`
 * @throws Refusal naming the field
 */
export function clearRequest(value: unknown, clearGrid: ClearGrid, nowMs: number): object {
  const { nodes, participants, rules, pathOf } = readRequest(requestFields(value), nowMs);
  try {
    const result = clearGrid(underOneRoot(nodes), participants, rules);
    return {
      aggregationResult: {
        "@type": "AggregationResult",
        ...aggregationResult(result, nodes, participants),
        ...(rules.currency !== NO_CURRENCY && { currency: rules.currency }),
        timestamp: textFromInstantMs(nowMs),
      },
    };
  } catch (error) {
    throw faultOf(error, pathOf) ?? error;
  }
}

/** The fault of a bid or of a node, at its place in the request; nothing if it is none of the request's. */
function faultOf(error: unknown, pathOf: ReadonlyMap<Era, WireFields>): Refusal | undefined {
  if (error instanceof RangeError) return new Refusal(400, "MESSAGE_INVALID", "aggregationRequest", error.message);
  if (!(error instanceof BidError || error instanceof GridError)) return undefined;
  const fields = pathOf.get(error.era);
  const name = ["offerCurve", "bidCurve", "gridConstraints"].find((one) => fields?.has(one)) ?? "era";
  return new Refusal(400, "MESSAGE_INVALID", fields?.pathOf(name) ?? "aggregationRequest", error.message);
}

function requestFields(value: unknown): WireFields {
  const outer = WireFields.of(value, "");
  const message = outer.object("message") ?? outer;
  return message.object("aggregationRequest") ?? requireBare(message);
}

function requireBare(fields: WireFields): WireFields {
  if (fields.has("participants")) return fields;
  return fields.fail("aggregationRequest", "expected object, received undefined");
}

function readRequest(request: WireFields, nowMs: number): Aggregation {
  const type = request.text("aggregationType");
  if (type !== undefined && type !== "MARKET_CLEARING") {
    request.fail("aggregationType", `only MARKET_CLEARING is done here, not ${type}`);
  }
  const window = readWindow(request, nowMs);
  const list = request.required("participants", request.list("participants", MAX_PARTICIPANTS), "array");
  const pathOf = new Map<Era, WireFields>();
  for (const fields of list) {
    const era = fields.required("era", fields.text("era"), "string");
    if (pathOf.has(era)) fields.fail("era", `"${era}" stands twice in the list`);
    pathOf.set(era, fields);
  }
  const nodes = list.filter(isGridNode).map((fields) => readGridNode(fields));
  const nodeEras = new Set(nodes.map(({ node }) => node.era));
  for (const { node } of nodes) checkParent(node, nodeEras, pathOf);
  checkTree(nodes, pathOf);
  const bids = list.filter((fields) => !isGridNode(fields)).map((fields) => readBid(fields, nodeEras));
  const external = readExternal(request);
  if (external !== undefined) pathOf.set(EXTERNAL, external.fields);
  const currency = oneCurrency(request, external === undefined ? bids : [...bids, external]);
  const targetKW = request.number("targetKW") ?? 0;
  const minPrice = request.number("minPricePerKWh");
  const maxPrice = request.number("maxPricePerKWh");
  const lastPrice = request.number("lastPricePerKWh");
  const basePrice = request.number("basePricePerKWh");
  if (minPrice !== undefined && maxPrice !== undefined && minPrice > maxPrice) {
    request.fail("minPricePerKWh", `${minPrice} is above maxPricePerKWh ${maxPrice}`);
  }
  const leadMs = (window.validFromMs ?? nowMs) - nowMs;
  return {
    nodes,
    participants: bids.map(({ era, wire, node, priority, submittedAtMs }) => ({
      era,
      curve: { ...wire.curve, currency },
      bounds: wire.bounds,
      ...(node !== undefined && { node }),
      ...(priority !== undefined && { priority }),
      ...(submittedAtMs !== undefined && { submittedAtMs }),
    })),
    rules: {
      currency,
      targetKW,
      rationing: rationingOf(request),
      ...(minPrice !== undefined && { minPricePerKWh: minPrice }),
      ...(maxPrice !== undefined && { maxPricePerKWh: maxPrice }),
      ...(lastPrice !== undefined && { lastPricePerKWh: lastPrice }),
      ...(basePrice !== undefined && { basePricePerKWh: basePrice }),
      ...(external !== undefined && { external: { ...external.wire.curve, currency } }),
      ...(leadMs > 0 && { rampWindowMs: leadMs }),
    },
    pathOf,
  };
}

function rationingOf(request: WireFields): ClearingRules["rationing"] {
  const rationing = request.text("rationing") ?? "PRO_RATA";
  if (rationing === "PRO_RATA" || rationing === "PRIORITY") return rationing;
  return request.fail("rationing", "expected PRO_RATA or PRIORITY");
}

interface ReadCurve {
  readonly wire: WireCurve;
  readonly fields: WireFields;
}

interface ReadBid extends ReadCurve {
  readonly era: Era;
  readonly node?: Era;
  readonly priority?: number;
  readonly submittedAtMs?: number;
}

function readBid(fields: WireFields, nodes: ReadonlySet<Era>): ReadBid {
  const era = fields.required("era", fields.text("era"), "string");
  const wire = readCurve(fields, DIALECT);
  if (wire === undefined) {
    return fields.fail("bidCurve", "expected a bidCurve or an offerCurve, or what makes it a grid node");
  }
  const name = fields.has("node") ? "node" : "parent";
  const node = fields.text(name);
  if (node !== undefined && !nodes.has(node)) fields.fail(name, `there is no grid node "${node}" in this request`);
  const priority = fields.number("priority");
  const submittedAtMs = fields.instantMs("submittedAt");
  return {
    era,
    wire,
    fields,
    ...(node !== undefined && { node }),
    ...(priority !== undefined && { priority }),
    ...(submittedAtMs !== undefined && { submittedAtMs }),
  };
}

/** What the market trades with the outside: a curve without a resource, so that nothing but the curve can bound it. */
function readExternal(request: WireFields): ReadCurve | undefined {
  const fields = request.object("external");
  if (fields === undefined) return undefined;
  const wire = readCurve(fields, DIALECT);
  if (wire === undefined) return fields.fail("bidCurve", "expected a bidCurve or an offerCurve");
  if (Object.keys(wire.bounds).length > 0) {
    fields.fail(fields.has("constraints") ? "constraints" : "offerCurve", "the curve itself bounds the exchange");
  }
  return { wire, fields };
}

/** One currency for all, from wherever it is named; two different ones are refused and never converted. */
function oneCurrency(request: WireFields, bids: readonly ReadCurve[]): string {
  const own = request.currency("currency");
  const currency = own ?? bids.find(({ wire }) => wire.currency !== undefined)?.wire.currency ?? NO_CURRENCY;
  const other = bids.find(({ wire }) => wire.currency !== undefined && wire.currency !== currency);
  if (other !== undefined) {
    const holder = other.fields.object("offerCurve");
    (holder?.has("currency") ? holder : other.fields).fail("currency", `the others are in ${currency}`);
  }
  return currency;
}

function checkParent(node: GridNode, nodes: ReadonlySet<Era>, pathOf: ReadonlyMap<Era, WireFields>): void {
  if (node.parent === undefined || nodes.has(node.parent)) return;
  const fields = pathOf.get(node.era);
  fields?.fail(fields.has("parent") ? "parent" : "node", `there is no grid node "${node.parent}" in this request`);
}

/** @throws Refusal if the parents of a node come back to it */
function checkTree(nodes: readonly ReadNode[], pathOf: ReadonlyMap<Era, WireFields>): void {
  const parentOf = new Map(nodes.map(({ node }) => [node.era, node.parent]));
  const sound = new Set<Era>();
  for (const { node } of nodes) {
    const way = new Set<Era>();
    for (let at: Era | undefined = node.era; at !== undefined && !sound.has(at); at = parentOf.get(at)) {
      if (way.has(at)) pathOf.get(at)?.fail("parent", "the parents of this node lead back to it");
      way.add(at);
    }
    for (const era of way) sound.add(era);
  }
}
