import type { EnergyInterval } from "./energy-interval.ts";
import { hoursOf, type MarketPeriods, marketPeriods } from "./market-periods.ts";
import { AMOUNT_DECIMALS, decimalsOfCurrency, negatedPrice, ocpiPrice, type TaxRule } from "./ocpi-money.ts";
import { kWhFromWh, type Rounding } from "./ocpi-number.ts";
import type { AuthMethod, Cdr, CdrLocation, CdrToken, OcpiSession, SessionStatus } from "./ocpi-objects.ts";
import { ocpiTimeFromMs } from "./ocpi-time.ts";
import type { OcpiVersion } from "./ocpi-version.ts";

/** What a CDR and a session say beside energy and money. */
export interface SessionIdentity {
  /** The operator that owns the object: us. */
  readonly countryCode: string;
  readonly partyId: string;
  /** At most 36 letters. */
  readonly id: string;
  readonly cdrToken: CdrToken;
  readonly authMethod: AuthMethod;
  readonly location: CdrLocation;
  readonly meterId?: string;
  readonly lastUpdatedMs: number;
}

export interface ChargeRule {
  readonly version: OcpiVersion;
  /** In 2.2.1 prices never include VAT, so `included` is 2.3.0 only. */
  readonly tax: TaxRule;
  /** How amounts are rounded, once each. */
  readonly rounding: Rounding;
  /** Decimals of amounts; default: those of the currency. */
  readonly decimals?: number;
  readonly gaps?: "refuse" | "zero";
}

export interface CdrFacts extends SessionIdentity {
  readonly sessionId?: string;
  /** At most 39 letters: where the full settlement report is to be found. */
  readonly invoiceReferenceId?: string;
  readonly remark?: string;
}

/** A CDR with what was done to make its numbers, since OCPI itself has no rule for rounding. */
export interface CdrStatement {
  readonly cdr: Cdr;
  readonly rounding: Rounding;
  /** Decimals to which each amount was rounded. */
  readonly decimals: number;
  /** Sum before rounding, exact decimal text. */
  readonly unroundedCost: string;
  /** Intervals whose price had more than 4 decimals and was rounded, half to even, before it was used. */
  readonly roundedPrices: number;
}

/**
 * The CDR of a session from its market intervals: each interval a charging period, each price a tariff, the energy exact,
 * the cost summed unrounded and rounded once.
 * @throws RangeError naming the interval or field and the fault
 */
export function cdrFromIntervals(
  intervals: readonly EnergyInterval[],
  facts: CdrFacts,
  rule: ChargeRule,
): CdrStatement {
  checkId("id", facts.id, 36);
  if (facts.invoiceReferenceId !== undefined) checkId("invoiceReferenceId", facts.invoiceReferenceId, 39);
  const { periods, price, decimals } = charge(intervals, facts, rule, false);
  const { totalHours, idleHours } = hoursOf(periods);
  const cdr: Cdr = {
    country_code: facts.countryCode,
    party_id: facts.partyId,
    id: facts.id,
    start_date_time: ocpiTimeFromMs(periods.startMs),
    end_date_time: ocpiTimeFromMs(periods.endMs),
    ...(facts.sessionId !== undefined && { session_id: facts.sessionId }),
    cdr_token: facts.cdrToken,
    auth_method: facts.authMethod,
    cdr_location: facts.location,
    ...(facts.meterId !== undefined && { meter_id: facts.meterId }),
    currency: periods.currency,
    tariffs: periods.tariffs,
    charging_periods: periods.periods,
    total_cost: price,
    total_energy: kWhFromWh(periods.energyWh),
    total_energy_cost: price,
    total_time: totalHours,
    total_parking_time: idleHours,
    ...(facts.remark !== undefined && { remark: facts.remark.slice(0, 255) }),
    ...(facts.invoiceReferenceId !== undefined && { invoice_reference_id: facts.invoiceReferenceId }),
    last_updated: ocpiTimeFromMs(facts.lastUpdatedMs),
  };
  return {
    cdr,
    rounding: rule.rounding,
    decimals,
    unroundedCost: decimalText(periods.amount),
    roundedPrices: periods.roundedPrices,
  };
}

/**
 * The session as it is so far, or when it is over. Import and export stand beside the net energy, which a session may
 * show and a CDR may not.
 * @throws RangeError naming the interval or field and the fault
 */
export function sessionFromIntervals(
  intervals: readonly EnergyInterval[],
  facts: SessionIdentity & { readonly status: SessionStatus },
  rule: ChargeRule,
): OcpiSession {
  checkId("id", facts.id, 36);
  const { periods, price } = charge(intervals, facts, rule, true);
  return {
    country_code: facts.countryCode,
    party_id: facts.partyId,
    id: facts.id,
    start_date_time: ocpiTimeFromMs(periods.startMs),
    ...(facts.status === "COMPLETED" && { end_date_time: ocpiTimeFromMs(periods.endMs) }),
    kwh: kWhFromWh(periods.energyWh),
    cdr_token: facts.cdrToken,
    auth_method: facts.authMethod,
    location_id: facts.location.id,
    evse_uid: facts.location.evse_uid,
    connector_id: facts.location.connector_id,
    ...(facts.meterId !== undefined && { meter_id: facts.meterId }),
    currency: periods.currency,
    charging_periods: periods.periods,
    total_cost: price,
    status: facts.status,
    last_updated: ocpiTimeFromMs(facts.lastUpdatedMs),
  };
}

/**
 * The CDR that takes another one back: all its data, the total cost with the other sign (CDRs module, Credit CDRs).
 * @param id default: the id with `-C` behind it
 * @throws RangeError if the id gets longer than 39 letters, or the CDR is itself a credit
 */
export function creditCdr(cdr: Cdr, lastUpdatedMs: number, id = `${cdr.id}-C`): Cdr {
  if (cdr.credit === true) throw new RangeError(`CDR ${cdr.id} is a credit itself; send a new CDR instead`);
  checkId("id of the credit", id, 39);
  if (id === cdr.id) throw new RangeError("a credit needs an id of its own");
  return {
    ...cdr,
    id,
    total_cost: negatedPrice(cdr.total_cost),
    credit: true,
    credit_reference_id: cdr.id,
    last_updated: ocpiTimeFromMs(lastUpdatedMs),
  };
}

function charge(
  intervals: readonly EnergyInterval[],
  facts: SessionIdentity,
  rule: ChargeRule,
  withDirections: boolean,
): { periods: MarketPeriods; price: Cdr["total_cost"]; decimals: number } {
  if (rule.version === "2.2.1" && rule.tax.basis === "included") {
    throw new RangeError("prices of OCPI 2.2.1 never include VAT; give them without, or use 2.3.0");
  }
  const decimals = rule.decimals ?? decimalsOfCurrency(intervals[0]?.currency ?? "XXX");
  const amountRule = { tax: rule.tax, rounding: rule.rounding, decimals };
  const periods = marketPeriods(intervals, {
    version: rule.version,
    countryCode: facts.countryCode,
    partyId: facts.partyId,
    rule: amountRule,
    lastUpdatedMs: facts.lastUpdatedMs,
    gaps: rule.gaps ?? "refuse",
    withDirections,
  });
  return { periods, price: ocpiPrice(periods.amount, amountRule, rule.version), decimals };
}

function checkId(field: string, id: string, most: number): void {
  if (id.length > most || !/^[\x21-\x7e]+$/.test(id)) {
    throw new RangeError(`${field}: "${id.slice(0, 60)}" must be 1 to ${most} printable ASCII letters`);
  }
}

function decimalText(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(AMOUNT_DECIMALS + 1, "0");
  const cut = digits.length - AMOUNT_DECIMALS;
  const fraction = digits.slice(cut).replace(/0+$/, "");
  return `${amount < 0n ? "-" : ""}${digits.slice(0, cut)}${fraction === "" ? "" : `.${fraction}`}`;
}
