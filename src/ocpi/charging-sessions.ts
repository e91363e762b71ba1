import type { Era } from "../model/resource.ts";
import { cdrFromIntervals, type SessionIdentity, sessionFromIntervals } from "./cdr-from-intervals.ts";
import type { EnergyInterval } from "./energy-interval.ts";
import type { Cdr, OcpiSession, SessionStatus } from "./ocpi-objects.ts";
import { ocpiTimeFromMs } from "./ocpi-time.ts";
import type { OcpiParty, OcpiVersion } from "./ocpi-version.ts";
import type { EvseConfig, OfferConfig } from "./offer-config.ts";
import { cdrLocationOf } from "./offered-site.ts";

/** What a meter counted in a market interval, as the interval log has it. */
export interface MeteredInterval {
  readonly era: Era;
  readonly startMs: number;
  readonly endMs: number;
  /** Absent: nothing is known of it (a gap), or the meter has no such register. */
  readonly importWh?: number;
  readonly exportWh?: number;
  readonly isGap: boolean;
  /** Absent: the market gave none. */
  readonly pricePerKWh?: number;
  readonly currency?: string;
}

/** A session that goes on, as it is found again after a restart. */
export interface OpenSession {
  readonly id: string;
  readonly era: Era;
  readonly startMs: number;
  /** What was metered of it before. */
  readonly intervals: readonly MeteredInterval[];
}

export interface ChargingSessionsOptions {
  readonly us: OcpiParty;
  readonly offer: OfferConfig;
  readonly versions: readonly OcpiVersion[];
  readonly newId: () => string;
  /** Cuts the meter's intervals at a time; returns the one at which it could be cut. */
  readonly cut: (era: Era, atMs: number) => number;
  readonly session: (version: OcpiVersion, session: OcpiSession) => void;
  readonly cdr: (version: OcpiVersion, cdr: Cdr) => void;
  /** For the log: a session that can't be charged, with the reason. */
  readonly uncharged: (era: Era, sessionId: string, reason: string) => void;
}

interface Running {
  readonly id: string;
  readonly evse: EvseConfig;
  readonly startMs: number;
  endMs?: number;
  readonly intervals: MeteredInterval[];
}

/** More intervals than a session of a month of 5 minutes has; a car that stays longer gets a new session. */
const MAX_INTERVALS = 9_000;

/**
 * From plug to bill: a session begins when a car can be charged and ends when it no longer can, and each market interval
 * of its meter is a charging period. The CDR follows when the meter has told the last of them.
 */
export class ChargingSessions {
  readonly #options: ChargingSessionsOptions;
  readonly #evses: ReadonlyMap<Era, EvseConfig>;
  readonly #running = new Map<Era, Running>();
  readonly #ending: Running[] = [];

  /** @param open sessions of the time before a restart */
  constructor(options: ChargingSessionsOptions, open: readonly OpenSession[] = []) {
    this.#options = options;
    this.#evses = new Map(options.offer.evses.map((evse) => [evse.era, evse]));
    for (const { id, era, startMs, intervals } of open) {
      const evse = this.#evses.get(era);
      if (evse !== undefined) this.#running.set(era, { id, evse, startMs, intervals: [...intervals] });
    }
  }

  /**
   * A car is there and can be charged, or not (any more).
   * @returns true if that ended a session
   */
  plug(era: Era, canCharge: boolean, nowMs: number): boolean {
    const evse = this.#evses.get(era);
    const running = this.#running.get(era);
    if (evse === undefined || canCharge === (running !== undefined)) return false;
    const atMs = this.#options.cut(era, nowMs);
    if (running !== undefined) {
      this.#end(running, atMs);
      return true;
    }
    const begun: Running = { id: this.#options.newId(), evse, startMs: atMs, intervals: [] };
    this.#running.set(era, begun);
    this.#tellSession(begun, "ACTIVE", nowMs);
    return false;
  }

  /** An interval was written to the log. */
  interval(interval: MeteredInterval, nowMs: number): void {
    const running = [...this.#ending, this.#running.get(interval.era)].find(
      (one) => one?.evse.era === interval.era && isWithin(interval, one),
    );
    if (running !== undefined) {
      running.intervals.push(interval);
      if (running.endMs === undefined) this.#tellSession(running, "ACTIVE", nowMs);
      if (running.intervals.length === MAX_INTERVALS) this.plug(interval.era, false, interval.endMs);
    }
    this.#settle(interval.era, interval.endMs, nowMs);
  }

  /** The meter has told all that it will of a charger's sessions that are over. */
  settle(era: Era, nowMs: number): void {
    this.#settle(era, Number.POSITIVE_INFINITY, nowMs);
  }

  #end(running: Running, endMs: number): void {
    running.endMs = endMs;
    this.#running.delete(running.evse.era);
    this.#ending.push(running);
  }

  /** Charges the sessions of which the meter has told all. */
  #settle(era: Era, toldUntilMs: number, nowMs: number): void {
    for (const ended of this.#ending.filter((one) => one.evse.era === era && (one.endMs ?? 0) <= toldUntilMs)) {
      this.#ending.splice(this.#ending.indexOf(ended), 1);
      this.#tellSession(ended, "COMPLETED", nowMs);
      this.#charge(ended, nowMs);
    }
  }

  #tellSession(running: Running, status: SessionStatus, nowMs: number): void {
    const intervals = this.#charged(running);
    for (const version of this.#options.versions) {
      const identity = this.#identity(running, nowMs);
      this.#options.session(
        version,
        intervals.length === 0
          ? emptySession(identity, running, status, this.#options.offer.tariff.currency)
          : sessionFromIntervals(intervals, { ...identity, status }, this.#rule(version)),
      );
    }
  }

  #charge(ended: Running, nowMs: number): void {
    const intervals = this.#charged(ended);
    const { uncharged, versions, cdr } = this.#options;
    if (intervals.length === 0) {
      uncharged(ended.evse.era, ended.id, "the meter told no interval of it");
      return;
    }
    const gaps = ended.intervals.length - intervals.length;
    for (const version of versions) {
      try {
        const facts = {
          ...this.#identity(ended, nowMs),
          sessionId: ended.id,
          ...(gaps > 0 && { remark: `${gaps} intervals without readings are not charged` }),
        };
        cdr(version, cdrFromIntervals(intervals, facts, this.#rule(version)).cdr);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        uncharged(ended.evse.era, ended.id, error.message);
      }
    }
  }

  #identity({ id, evse }: Running, lastUpdatedMs: number): SessionIdentity {
    const { us, offer } = this.#options;
    const { countryCode, partyId, uid, contractId, type } = evse.token;
    return {
      countryCode: us.countryCode,
      partyId: us.partyId,
      id,
      cdrToken: { country_code: countryCode, party_id: partyId, uid, type, contract_id: contractId },
      authMethod: "WHITELIST",
      location: cdrLocationOf(offer, evse),
      meterId: evse.era,
      lastUpdatedMs,
    };
  }

  #rule(version: OcpiVersion) {
    const { vatPercent } = this.#options.offer.tariff;
    const tax = { basis: "excluded" as const, ...(vatPercent !== undefined && { percent: vatPercent }) };
    return { version, tax, rounding: "half-even" as const, gaps: "zero" as const };
  }

  /**
   * What can be charged: known energy, at the market's price or else the tariff's. The seconds before the first reading
   * and after the last one belong to the intervals beside them, so that the periods fill the session.
   */
  #charged(running: Running): readonly EnergyInterval[] {
    const { tariff } = this.#options.offer;
    const known = running.intervals.filter(({ isGap }) => !isGap);
    return known.map(({ startMs, endMs, importWh = 0, exportWh = 0, pricePerKWh, currency }, index) => ({
      startMs: index === 0 ? running.startMs : startMs,
      endMs: index === known.length - 1 ? Math.max(endMs, running.endMs ?? endMs) : endMs,
      importWh,
      exportWh,
      pricePerKWh: pricePerKWh ?? tariff.pricePerKWh,
      currency: currency ?? tariff.currency,
    }));
  }
}

function isWithin(interval: MeteredInterval, { startMs, endMs = Number.POSITIVE_INFINITY }: Running): boolean {
  return interval.startMs >= startMs && interval.endMs <= endMs;
}

/** A session of which nothing is metered yet. */
function emptySession(facts: SessionIdentity, running: Running, status: SessionStatus, currency: string): OcpiSession {
  const { location } = facts;
  return {
    country_code: facts.countryCode,
    party_id: facts.partyId,
    id: facts.id,
    start_date_time: ocpiTimeFromMs(running.startMs),
    ...(running.endMs !== undefined && { end_date_time: ocpiTimeFromMs(running.endMs) }),
    kwh: 0,
    cdr_token: facts.cdrToken,
    auth_method: facts.authMethod,
    location_id: location.id,
    evse_uid: location.evse_uid,
    connector_id: location.connector_id,
    ...(facts.meterId !== undefined && { meter_id: facts.meterId }),
    currency,
    status,
    last_updated: ocpiTimeFromMs(facts.lastUpdatedMs),
  };
}
