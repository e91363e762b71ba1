import { wallTimeEdges } from "./local-time.ts";
import type { OcpiTariff } from "./ocpi-objects.ts";
import { msFromOcpiTime } from "./ocpi-time.ts";
import { costsBesideEnergy, type EnergyPrice, energyPriceAt, minuteOf, type SessionFacts } from "./tariff-price.ts";

/** Longest time that is cut into slots at once. */
const MAX_SPAN_MS = 32 * 86_400_000;

/** One price over a stretch of time. */
export interface PriceSlot extends EnergyPrice {
  /** Epoch ms, inclusive. */
  readonly startMs: number;
  /** Epoch ms, exclusive. */
  readonly endMs: number;
}

export interface TariffSlots {
  /** In order, without overlap; without a gap but where the tariff is not valid. */
  readonly slots: readonly PriceSlot[];
  /** Costs of the tariff that no price per kWh can say: FLAT, TIME, PARKING_TIME, min_price, max_price. */
  readonly notIncluded: readonly string[];
}

/**
 * The energy prices of a tariff over a time, for example over the day that `localDay` names. Each instant at which the
 * tariff is valid lies in exactly one slot. Neighbours with the same price are one slot.
 *
 * Prices, currency and tax basis are the tariff's own: 18.0 stays 18.0.
 * @param timeZone IANA name of the location's zone, in which the tariff's times of day and dates are meant
 * @throws RangeError for a span that is empty or longer than 32 days, a time or zone that does not exist, or when a
 *   restriction asks for a fact of the session that is not given
 */
export function tariffSlots(
  tariff: OcpiTariff,
  span: { readonly startMs: number; readonly endMs: number },
  timeZone: string,
  session: SessionFacts = {},
): TariffSlots {
  if (!(span.endMs > span.startMs) || span.endMs - span.startMs > MAX_SPAN_MS) {
    throw new RangeError("slots are cut for a time that is longer than 0 and at most 32 days");
  }
  const startMs = Math.max(span.startMs, instantOf(tariff.start_date_time, "start_date_time") ?? -Infinity);
  const endMs = Math.min(span.endMs, instantOf(tariff.end_date_time, "end_date_time") ?? Infinity);
  const notIncluded = costsBesideEnergy(tariff);
  if (endMs <= startMs) return { slots: [], notIncluded };
  const edges = [
    ...wallTimeEdges(startMs, endMs, timeZone, timesOfDay(tariff)),
    ...durationEdges(tariff, session).filter((edge) => edge > startMs && edge < endMs),
  ].sort((a, b) => a - b);
  const slots: PriceSlot[] = [];
  for (const [index, edge] of edges.entries()) {
    const next = edges[index + 1] ?? endMs;
    if (next === edge) continue;
    const price = energyPriceAt(tariff, edge, timeZone, session);
    const last = slots.at(-1);
    if (last !== undefined && last.pricePerKWh === price.pricePerKWh && last.vatPercent === price.vatPercent) {
      slots[slots.length - 1] = { ...last, endMs: next };
    } else {
      slots.push({ startMs: edge, endMs: next, ...price });
    }
  }
  return { slots, notIncluded };
}

function instantOf(text: string | undefined, field: string): number | undefined {
  if (text === undefined) return undefined;
  const ms = msFromOcpiTime(text);
  if (ms === undefined)
    throw new RangeError(`the tariff's ${field} "${text}" is not a UTC time such as 2026-06-15T12:00:00Z`);
  return ms;
}

/** Midnight is always among them, since dates and weekdays change there. */
function timesOfDay(tariff: OcpiTariff): Set<number> {
  const minutes = new Set([0]);
  for (const { restrictions } of tariff.elements) {
    for (const text of [restrictions?.start_time, restrictions?.end_time]) {
      const minute = minuteOf(text);
      if (minute !== undefined) minutes.add(minute);
    }
  }
  return minutes;
}

function durationEdges(tariff: OcpiTariff, { startMs }: SessionFacts): number[] {
  if (startMs === undefined) return [];
  return tariff.elements
    .flatMap(({ restrictions }) => [restrictions?.min_duration, restrictions?.max_duration])
    .filter((seconds) => seconds !== undefined)
    .map((seconds) => startMs + seconds * 1000);
}
