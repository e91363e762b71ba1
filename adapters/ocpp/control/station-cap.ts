import type { Clock } from "../../../src/clock.ts";
import { LazyMap, LazySet } from "../lazy-map.ts";
import { type ConnectorRating, type RateUnit, type WireLimit, wireLimit } from "./import-limit.ts";

interface Share {
  readonly importKW: number;
  readonly rating: ConnectorRating;
  readonly untilMs: number;
}

/**
 * The most of a whole station (ChargePointMaxProfile, ChargingStationMaxProfile), shared by its connectors. It binds all of
 * them in sum, so it can stand for the limit of one only where each of the others has a limit too: then the sum of all is
 * right for each, as far as the others keep to theirs.
 */
export class StationCap {
  readonly #clock: Clock;
  readonly #station: { readonly ports: readonly { readonly connector: number }[] };
  readonly #shares = new LazyMap<number, Share>();
  readonly #users = new LazySet<number>();
  #rewrite: (() => void) | undefined;

  /** @param station with all of its connectors that we know */
  constructor(clock: Clock, station: { readonly ports: readonly { readonly connector: number }[] }) {
    this.#clock = clock;
    this.#station = station;
  }

  /** A connector was taken out of the site. */
  forget(connector: number): void {
    this.#shares.delete(connector);
    this.#users.delete(connector);
  }

  /** @param connectorsInAll how many the station says it has; one that we do not know would be bound as well */
  mayServe(connector: number, connectorsInAll: number | undefined): boolean {
    const { ports } = this.#station;
    if ((connectorsInAll ?? 1) > ports.length) return false;
    return ports.every((other) => other.connector === connector || this.#isLimited(other.connector));
  }

  /** A connector has a target; if the cap is in force for a neighbour, it changes with it. */
  share(connector: number, share: Share): void {
    this.#shares.set(connector, share);
    this.#tellUsers(connector);
  }

  /** A connector's target is over. */
  unshare(connector: number): void {
    if (this.#shares.delete(connector)) this.#tellUsers(connector);
  }

  /**
   * The cap says the limit of this connector from now on.
   * @param rewrite called when a neighbour's target changed, so that the sum is another
   */
  use(connector: number, rewrite: () => void): void {
    this.#users.add(connector);
    this.#rewrite = rewrite;
  }

  /** @returns true if nobody needs the cap any more, so that it is to be cleared */
  unuse(connector: number): boolean {
    return this.#users.delete(connector) && this.#users.size === 0;
  }

  /** Sum of what each connector may take, and the end of the last of those who need it. */
  total(unit: RateUnit): { readonly limit: WireLimit; readonly untilMs: number } {
    const shares = [...this.#shares.values()];
    const sum = shares.reduce((value, { importKW, rating }) => value + wireLimit(importKW, rating, unit).value, 0);
    const ends = [...this.#shares]
      .filter(([connector]) => this.#users.has(connector))
      .map(([, share]) => share.untilMs);
    return { limit: { unit, value: Math.round(sum * 10) / 10 }, untilMs: Math.max(...ends) };
  }

  #isLimited(connector: number): boolean {
    const share = this.#shares.get(connector);
    return share !== undefined && share.untilMs > this.#clock.now();
  }

  #tellUsers(changed: number): void {
    if ([...this.#users].some((user) => user !== changed)) this.#rewrite?.();
  }
}
