import { divideRounded, numberFromScaled, OCPI_DECIMALS, scaledFromNumber } from "./ocpi-number.ts";
import type { Cdr, OcpiPrice, OcpiTariff } from "./ocpi-objects.ts";
import { msFromOcpiTime } from "./ocpi-time.ts";
import { type EnergyPrice, energyPriceAt } from "./tariff-price.ts";

/** One charging period as a line of settlement. */
export interface CdrLine {
  readonly startMs: number;
  readonly endMs: number;
  /** Whole Wh, positive into the car, negative fed back. */
  readonly netImportWh: number;
  /** Absent where the period names no tariff, or one whose price can't be told from the CDR. */
  readonly price?: EnergyPrice;
  readonly tariffId?: string;
}

/** A CDR in plain numbers, with what does not add up in it. */
export interface CdrSettlement {
  readonly id: string;
  readonly currency: string;
  readonly lines: readonly CdrLine[];
  readonly netImportWh: number;
  /** Cost of the energy by the lines, before or after taxes as the tariffs say; absent if a price is missing. */
  readonly energyCost?: number;
  /** As the CDR states it, without taxes. */
  readonly totalCostBeforeTaxes: number;
  /** As the CDR states it, with taxes; absent if it does not say. */
  readonly totalCostAfterTaxes?: number;
  readonly isCredit: boolean;
  /** The CDR that is credited. */
  readonly creditReferenceId?: string;
  /** For a person; empty if all adds up. */
  readonly faults: readonly string[];
}

export interface CdrReadOptions {
  /** Zone of the location, which a CDR does not carry; needed where a tariff has times of day. Default UTC. */
  readonly timeZone?: string;
}

/** Half a unit of the last decimal that OCPI has, kWh: sums of rounded numbers may differ by as much for each of them. */
const ENERGY_TOLERANCE = 0.00005;

/**
 * A CDR as settlement lines. Energies come in steps of 0.1 Wh and are rounded at the edges of the periods, so that the
 * lines add up to the total in whole Wh.
 * @throws RangeError if times are unreadable or not in order
 */
export function settlementFromCdr(cdr: Cdr, options: CdrReadOptions = {}): CdrSettlement {
  const faults: string[] = [];
  const lines = linesOf(cdr, options.timeZone ?? "UTC", faults);
  const netImportWh = lines.reduce((sum, line) => sum + line.netImportWh, 0);
  const allowedKWh = ENERGY_TOLERANCE * (lines.length + 1) + 0.0005;
  if (Math.abs(netImportWh / 1000 - cdr.total_energy) > allowedKWh) {
    faults.push(`the periods add up to ${netImportWh / 1000} kWh and total_energy is ${cdr.total_energy} kWh`);
  }
  const energyCost = costOf(lines);
  const { before, after } = amountsOf(cdr.total_cost);
  checkCost(cdr, lines, energyCost, faults);
  return {
    id: cdr.id,
    currency: cdr.currency,
    lines,
    netImportWh,
    ...(energyCost !== undefined && { energyCost }),
    totalCostBeforeTaxes: before,
    ...(after !== undefined && { totalCostAfterTaxes: after }),
    isCredit: cdr.credit === true,
    ...(cdr.credit_reference_id !== undefined && { creditReferenceId: cdr.credit_reference_id }),
    faults,
  };
}

function linesOf(cdr: Cdr, timeZone: string, faults: string[]): CdrLine[] {
  const startMs = instant(cdr.start_date_time, "start_date_time");
  const lastMs = instant(cdr.end_date_time, "end_date_time");
  const tariffs = new Map((cdr.tariffs ?? []).map((tariff) => [tariff.id.toUpperCase(), tariff]));
  const lines: CdrLine[] = [];
  let scaledSum = 0n;
  let sumWh = 0n;
  for (const [index, period] of cdr.charging_periods.entries()) {
    const next = cdr.charging_periods[index + 1];
    const fromMs = instant(period.start_date_time, `charging_periods[${index}].start_date_time`);
    const toMs = next === undefined ? lastMs : instant(next.start_date_time, `charging_periods[${index + 1}]`);
    if (toMs < fromMs) throw new RangeError(`charging_periods[${index}] begins after it ends`);
    const volume = period.dimensions.find(({ type }) => type === "ENERGY")?.volume ?? 0;
    const scaled = scaledFromNumber(volume, OCPI_DECIMALS);
    const tariff = period.tariff_id === undefined ? undefined : tariffs.get(period.tariff_id.toUpperCase());
    if (period.tariff_id !== undefined && tariff === undefined) {
      faults.push(`charging_periods[${index}] names tariff "${period.tariff_id}", which the CDR does not contain`);
    }
    const facts = {
      startMs,
      energyKWh: numberFromScaled(scaledSum, OCPI_DECIMALS),
      ...(toMs > fromMs && { powerKW: Math.abs(volume) / ((toMs - fromMs) / 3_600_000) }),
    };
    const price = tariff && priceOf(tariff, fromMs, timeZone, facts, index, faults);
    scaledSum += scaled;
    const edgeWh = divideRounded(scaledSum, 10n, "half-even");
    lines.push({
      startMs: fromMs,
      endMs: toMs,
      netImportWh: Number(edgeWh - sumWh),
      ...(price !== undefined && { price }),
      ...(period.tariff_id !== undefined && { tariffId: period.tariff_id }),
    });
    sumWh = edgeWh;
  }
  return lines;
}

function priceOf(
  tariff: OcpiTariff,
  atMs: number,
  timeZone: string,
  facts: { startMs: number; energyKWh: number; powerKW?: number },
  index: number,
  faults: string[],
): EnergyPrice | undefined {
  try {
    return energyPriceAt(tariff, atMs, timeZone, facts);
  } catch (error) {
    faults.push(`charging_periods[${index}]: ${error instanceof Error ? error.message : "no price"}`);
    return undefined;
  }
}

/** Exact sum of Wh times price, as a number; absent if a line with energy has no price. */
function costOf(lines: readonly CdrLine[]): number | undefined {
  let amount = 0n;
  for (const { netImportWh, price } of lines) {
    if (price === undefined && netImportWh !== 0) return undefined;
    if (price !== undefined) amount += BigInt(netImportWh) * scaledFromNumber(price.pricePerKWh, PRICE_DECIMALS);
  }
  return numberFromScaled(amount, PRICE_DECIMALS + 3);
}

const PRICE_DECIMALS = 6;

/** OCPI has no rule for rounding, so each line may be off by a minor unit of 0.01. */
function checkCost(cdr: Cdr, lines: readonly CdrLine[], energyCost: number | undefined, faults: string[]): void {
  const stated = cdr.total_energy_cost;
  const bases = new Set(lines.map(({ price }) => price?.tax).filter((basis) => basis !== undefined));
  if (stated === undefined || energyCost === undefined || bases.size !== 1) return;
  const { before, after } = amountsOf(stated);
  const amount = bases.has("included") ? after : before;
  if (amount === undefined || Math.abs(amount - energyCost) <= 0.01 * lines.length + 1e-9) return;
  faults.push(`the periods cost ${energyCost} ${cdr.currency} and total_energy_cost is ${amount}`);
}

function amountsOf(price: OcpiPrice): { readonly before: number; readonly after?: number } {
  if ("excl_vat" in price) {
    return { before: price.excl_vat, ...(price.incl_vat !== undefined && { after: price.incl_vat }) };
  }
  if (price.taxes === undefined) return { before: price.before_taxes };
  const scaled = price.taxes.reduce((sum, tax) => sum + scaledFromNumber(tax.amount, OCPI_DECIMALS), 0n);
  const after = scaledFromNumber(price.before_taxes, OCPI_DECIMALS) + scaled;
  return { before: price.before_taxes, after: numberFromScaled(after, OCPI_DECIMALS) };
}

function instant(text: string, field: string): number {
  const ms = msFromOcpiTime(text);
  if (ms === undefined) throw new RangeError(`${field}: "${text}" is not a UTC time such as 2026-06-15T12:00:00Z`);
  return ms;
}
