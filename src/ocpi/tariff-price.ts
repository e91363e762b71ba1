import { type WallTime, wallTimeAt } from "./local-time.ts";
import {
  type OcpiTariff,
  type PriceComponent,
  TARIFF_DIMENSIONS,
  type TariffDimension,
  type TariffRestrictions,
  WEEKDAYS,
} from "./ocpi-objects.ts";

/**
 * What the prices say of taxes.
 * - `excluded`: taxes come on top; `vatPercent` says how much, if it is known
 * - `included`: taxes are part of the price
 * - `none`: no taxes apply
 */
export type TaxBasis = "excluded" | "included" | "none";

/** What a session has done so far. Only what the tariff asks for is needed. */
export interface SessionFacts {
  readonly startMs?: number;
  /** Energy charged so far, kWh, ≥ 0. */
  readonly energyKWh?: number;
  /** Charging power, kW, magnitude. */
  readonly powerKW?: number;
  /** Charging current summed over the phases, amps, magnitude. */
  readonly currentA?: number;
}

/** A price of energy as the tariff has it: neither currency nor scale nor tax is converted. */
export interface EnergyPrice {
  readonly pricePerKWh: number;
  readonly currency: string;
  readonly tax: TaxBasis;
  /** Absent: the tariff names no VAT, which is not 0 percent. */
  readonly vatPercent?: number;
}

/** The tax basis of a tariff of either version: 2.2.1 has no such field, its prices never include VAT. */
export function taxBasisOf(tariff: OcpiTariff): TaxBasis {
  if (tariff.tax_included === "YES") return "included";
  if (tariff.tax_included === "N/A") return "none";
  return "excluded";
}

/**
 * The price of energy at an instant: the first element of the list that prices energy and whose restrictions hold. If
 * there is none energy costs nothing (tariffs module, Tariff object).
 *
 * The window in which the whole tariff is valid is not looked at here.
 * @throws RangeError when a restriction asks for a fact of the session that is not given
 */
export function energyPriceAt(
  tariff: OcpiTariff,
  instantMs: number,
  timeZone: string,
  session: SessionFacts = {},
): EnergyPrice {
  const component = activeComponent(tariff, "ENERGY", instantMs, timeZone, session);
  return {
    pricePerKWh: component?.price ?? 0,
    currency: tariff.currency,
    tax: taxBasisOf(tariff),
    ...(component?.vat !== undefined && { vatPercent: component.vat }),
  };
}

function activeComponent(
  tariff: OcpiTariff,
  dimension: TariffDimension,
  instantMs: number,
  timeZone: string,
  session: SessionFacts,
): PriceComponent | undefined {
  const wall = wallTimeAt(instantMs, timeZone);
  for (const [index, element] of tariff.elements.entries()) {
    const component = element.price_components.find((candidate) => candidate.type === dimension);
    if (component === undefined) continue;
    const { restrictions } = element;
    if (restrictions === undefined) return component;
    // What it prices is a reservation, not charging.
    if (restrictions.reservation !== undefined) continue;
    const place = `tariff ${tariff.id}, element ${index}`;
    if (isOnCalendar(restrictions, wall) && isInSession(restrictions, instantMs, session, place)) return component;
  }
  return undefined;
}

/** Costs of the tariff that are not per kWh, so that nobody takes the price of energy for the whole. */
export function costsBesideEnergy(tariff: OcpiTariff): string[] {
  const priced = new Set<TariffDimension>();
  for (const { price_components, restrictions } of tariff.elements) {
    if (restrictions?.reservation !== undefined) continue;
    for (const { type, price } of price_components) if (price !== 0) priced.add(type);
  }
  const beside: string[] = TARIFF_DIMENSIONS.filter((dimension) => dimension !== "ENERGY" && priced.has(dimension));
  if (tariff.min_price !== undefined) beside.push("min_price");
  if (tariff.max_price !== undefined) beside.push("max_price");
  return beside;
}

/** Time of day, date and day of the week, each by itself: a window over midnight belongs to the day the wall shows. */
function isOnCalendar(restrictions: TariffRestrictions, wall: WallTime): boolean {
  const { start_date, end_date, day_of_week } = restrictions;
  if (start_date !== undefined && wall.date < start_date) return false;
  if (end_date !== undefined && wall.date >= end_date) return false;
  if (day_of_week !== undefined && day_of_week.length > 0) {
    if (!day_of_week.some((day) => WEEKDAYS.indexOf(day) === wall.weekday)) return false;
  }
  const start = minuteOf(restrictions.start_time) ?? 0;
  const end = minuteOf(restrictions.end_time) ?? 0;
  // An end that is not after the start lies on the next day; 00:00 is the end of this one.
  if (end <= start) return wall.minuteOfDay >= start || wall.minuteOfDay < end;
  return wall.minuteOfDay >= start && wall.minuteOfDay < end;
}

/** Minutes since midnight of `13:30`; absent stays absent. @throws RangeError if it is no time of day */
export function minuteOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) throw new RangeError(`"${text}" is not a time of day such as 13:30`);
  return Number(match[1]) * 60 + Number(match[2]);
}

function isInSession(
  restrictions: TariffRestrictions,
  instantMs: number,
  session: SessionFacts,
  place: string,
): boolean {
  const elapsedS = session.startMs === undefined ? undefined : Math.max(0, (instantMs - session.startMs) / 1000);
  const ranges = [
    ["kwh", restrictions.min_kwh, restrictions.max_kwh, session.energyKWh],
    ["power", restrictions.min_power, restrictions.max_power, session.powerKW],
    ["current", restrictions.min_current, restrictions.max_current, session.currentA],
    ["duration", restrictions.min_duration, restrictions.max_duration, elapsedS],
  ] as const;
  return ranges.every(([name, min, max, fact]) => {
    if (min === undefined && max === undefined) return true;
    if (fact === undefined) {
      throw new RangeError(
        `${place} is restricted by ${name}; say for which ${name} of the session the price is asked`,
      );
    }
    return (min === undefined || fact >= min) && (max === undefined || fact < max);
  });
}
