import { textFromDurationMs, textFromInstantMs } from "../iso-time.ts";
import { type FlexNeed, type MarketRules, needEndMs } from "./market-rules.ts";
import type { FlexContract, TransactionRecord } from "./provider-records.ts";
import type { TransactionState } from "./transaction.ts";

type Json = Readonly<Record<string, unknown>>;

const SERIES_CONTEXT = "https://schema.nfh.global/BecknTimeSeries/v1.0/context.jsonld";

/** `message` of `on_discover` in the dialect of 2026: the needs that can still be offered for. */
export function needsMessage(rules: MarketRules, nowMs: number): object {
  const needs = [...rules.needs.values()].filter(({ clearingTimeMs }) => clearingTimeMs > nowMs);
  return {
    catalogs: [
      {
        id: `needs-${rules.subscriberId}`,
        descriptor: { name: "Flexibility needs" },
        resources: needs.map((need) => ({
          id: need.id,
          descriptor: { name: need.name ?? need.id },
          resourceAttributes: { "@type": "DemandFlexNeed", ...seriesOf(need) },
        })),
        offers: needs.map((need) => ({
          id: `offer-${need.id}`,
          resourceIds: [need.id],
          offerAttributes: {
            "@type": "DemandFlexBuyOffer",
            inputs: [
              {
                role: "buyer",
                inputs: {
                  clearingMethod: "PAY-AS-CLEAR",
                  clearingTime: textFromInstantMs(need.clearingTimeMs),
                  currency: rules.dialect.currency,
                },
              },
            ],
          },
          validity: { end: textFromInstantMs(Math.min(need.clearingTimeMs, needEndMs(need))) },
        })),
      },
    ],
  };
}

function seriesOf(need: FlexNeed): object {
  return {
    intervalPeriod: { start: textFromInstantMs(need.startMs), duration: textFromDurationMs(need.intervalMs) },
    payloadDescriptors: [
      {
        objectType: "EVENT_PAYLOAD_DESCRIPTOR",
        payloadType: "CAPACITY_REQUESTED",
        units: "KW",
        insertedBy: "buyer",
      },
    ],
    intervals: need.requestedKW.map((kW, id) => ({ id, payloads: [{ type: "CAPACITY_REQUESTED", values: [kW] }] })),
  };
}

/** Status codes of contracts. */
const CONTRACT_STATUS: Readonly<Record<TransactionState, string>> = {
  DISCOVERED: "DRAFT",
  OFFERED: "DRAFT",
  CONFIRMED: "ACTIVE",
  ACTIVE: "ACTIVE",
  COMPLETED: "COMPLETE",
  CANCELLED: "CANCELLED",
  EXPIRED: "CANCELLED",
};

/**
 * `message.contract` of a callback: the participant's own contract, with what was cleared written into its intervals, the
 * status as it is, and what the participant last reported.
 */
export function contractMessage(record: TransactionRecord, rules: MarketRules, contract?: Json): object {
  const { flex } = record;
  const base: Json = contract ?? flex?.contract ?? {};
  return stateMessage(record, flex?.cleared === undefined ? base : withCleared(base, flex, rules));
}

/**
 * The same for `on_update` and `on_cancel`, without what was cleared: a participant would take that for a new command, or
 * for one that contradicts the end of the contract.
 */
export function contractStateMessage(record: TransactionRecord): object {
  return stateMessage(record, record.flex?.contract ?? {});
}

function stateMessage({ flex, state, orderId, report }: TransactionRecord, contract: Json): object {
  const code =
    flex !== undefined && flex.cleared === undefined && state === "CONFIRMED" ? "DRAFT" : CONTRACT_STATUS[state];
  return {
    contract: {
      ...contract,
      id: typeof contract["id"] === "string" ? contract["id"] : orderId,
      status: { code },
      ...(report?.telemetry !== undefined && { performance: report.telemetry }),
    },
  };
}

function withCleared(contract: Json, flex: FlexContract, rules: MarketRules): Json {
  const commitments = contract["commitments"];
  if (!Array.isArray(commitments)) return contract;
  return {
    ...contract,
    commitments: commitments.map((commitment: Json, index) => ({
      ...commitment,
      status: { descriptor: { code: "ACTIVE" } },
      resources: (commitment["resources"] as readonly Json[]).map(asNeed),
      commitmentAttributes: clearedSeries(commitment["commitmentAttributes"] as Json, index, flex, rules),
    })),
  };
}

/** What is cleared is a reduction, which its reader must not have to guess where the participant did not say so. */
function asNeed(resource: Json): Json {
  return { resourceAttributes: { "@type": "DemandFlexNeed" }, ...resource };
}

const CLEARED_COLUMNS: ReadonlySet<unknown> = new Set(["CAPACITY_CLEARED", "CLEARING_PRICE"]);

/** A time series with the two columns of the buyer added. */
function clearedSeries(series: Json, commitment: number, flex: FlexContract, rules: MarketRules): Json {
  const rows = series["intervals"] as readonly Json[];
  const descriptors = Array.isArray(series["payloadDescriptors"]) ? (series["payloadDescriptors"] as Json[]) : [];
  const buyer = { objectType: "EVENT_PAYLOAD_DESCRIPTOR", insertedBy: "buyer" };
  return {
    "@context": SERIES_CONTEXT,
    "@type": "TimeSeries",
    ...series,
    payloadDescriptors: [
      ...descriptors.filter((one) => !CLEARED_COLUMNS.has(one["payloadType"])),
      { ...buyer, payloadType: "CAPACITY_CLEARED", units: "KW" },
      { ...buyer, payloadType: "CLEARING_PRICE", units: `${rules.dialect.currency}_PER_KWH` },
    ],
    intervals: rows.map((row, at) => {
      const index = flex.offers.findIndex((offer) => offer.commitment === commitment && offer.row === at);
      const result = flex.cleared?.[index];
      if (result === undefined) return row;
      const payloads = (row["payloads"] as readonly Json[]).filter((one) => !CLEARED_COLUMNS.has(one["type"]));
      return {
        ...row,
        payloads: [
          ...payloads,
          { type: "CAPACITY_CLEARED", values: [result.capacityKW] },
          ...(result.pricePerKWh === undefined ? [] : [{ type: "CLEARING_PRICE", values: [result.pricePerKWh] }]),
        ],
      };
    }),
  };
}
