import type { Urgency } from "../link/call-queue.ts";
import type { JsonRecord } from "../link/json.ts";
import type { Station } from "../station.ts";
import { isOurProfileId } from "./charging-profile.ts";
import type { WireLimit } from "./import-limit.ts";
import { compositeLimitFrom, type InstalledProfile, installedProfileFrom } from "./installed-profiles.ts";

/** How far ahead a composite schedule is asked for; only its first period counts. */
const COMPOSITE_S = 60;

/** A composite limit this near to ours is ours: chargers round, and turn watts into amps and back. */
const NEAR_A = 0.6;
const NEAR_W = 400;

/** Purposes that a foreign profile may be cleared of without being asked for: the others protect the cable or the grid. */
const CLEARABLE = ["TxProfile", "TxDefaultProfile"] as const;

/** What holds on one connector by the charger's own account, and who set it. */
export class ForeignProfiles {
  readonly #station: Station;
  readonly #connector: number;

  constructor(station: Station, connector: number) {
    this.#station = station;
    this.#connector = connector;
  }

  /**
   * All profiles that bind the connector, ours among them; nothing where the version or the charger cannot list them.
   * @throws CallFailure
   */
  async list(urgency: Urgency, signal: AbortSignal): Promise<readonly InstalledProfile[] | undefined> {
    const list = this.#station.dialect?.listProfiles;
    if (list === undefined) return undefined;
    const { reports } = this.#station;
    const requestId = reports.begin();
    try {
      const { answer, dialect } = await this.#station.call(() => list(requestId), urgency, signal);
      const word = dialect.statuses(answer)[0]?.word;
      if (word === "NoProfiles") return [];
      if (word !== "Accepted") return undefined;
      const rows: readonly JsonRecord[] = await reports.collect(requestId, signal);
      return rows
        .flatMap((row) => installedProfileFrom(row) ?? [])
        .filter(({ connector = 0 }) => connector === 0 || connector === this.#connector);
    } finally {
      reports.forget(requestId);
    }
  }

  /**
   * What the charger says that holds now; nothing where it says nothing that can be read. It is not always true.
   * @throws CallFailure
   */
  async composite(urgency: Urgency, signal: AbortSignal): Promise<WireLimit | undefined> {
    const { answer } = await this.#station.call(
      (dialect) => dialect.compositeSchedule(this.#connector, COMPOSITE_S),
      urgency,
      signal,
    );
    return compositeLimitFrom(answer);
  }

  /**
   * Takes away what somebody else has set. In 1.6 profiles can only be named by what they are for, so ours go as well, and are to
   * be set again by the caller.
   *
   * @param everything true for all that there is, on all connectors, maxima of the station too
   * @returns how many were cleared, where the charger says which there are
   * @throws CallFailure
   */
  async clear(everything: boolean, signal: AbortSignal): Promise<number | undefined> {
    if (everything) {
      await this.#station.call((dialect) => dialect.clearMatching({}), "command", signal);
      return undefined;
    }
    const foreign = (await this.list("command", signal))?.filter(isClearable);
    if (foreign !== undefined) {
      for (const { id } of foreign) await this.#station.call((dialect) => dialect.clearProfile(id), "command", signal);
      return foreign.length;
    }
    const places = [...CLEARABLE.map((purpose) => ({ connector: this.#connector, purpose }))];
    for (const place of [...places, { connector: 0, purpose: "TxDefaultProfile" as const }]) {
      await this.#station.call((dialect) => dialect.clearMatching(place), "command", signal);
    }
    return undefined;
  }
}

export function isForeign({ id }: InstalledProfile): boolean {
  return !isOurProfileId(id);
}

function isClearable(profile: InstalledProfile): boolean {
  return isForeign(profile) && CLEARABLE.some((purpose) => purpose === profile.purpose);
}

/** True where a charger says that another limit holds than the one we set. */
export function differs(said: WireLimit, ours: WireLimit): boolean {
  return Math.abs(said.value - ours.value) > (said.unit === "A" ? NEAR_A : NEAR_W);
}

/** For a person: "profile 42 (TxProfile, stack level 9, 39.0 A, set by CSO)". */
export function describeProfile({ id, purpose, stackLevel, limit, source }: InstalledProfile): string {
  const parts = [purpose, `stack level ${stackLevel}`];
  if (limit !== undefined) parts.push(limitText(limit));
  if (source !== undefined) parts.push(`set by ${source}`);
  return `profile ${id} (${parts.join(", ")})`;
}

export function limitText({ unit, value }: WireLimit): string {
  return unit === "A" ? `${value.toFixed(1)} A` : `${Math.round(value)} W`;
}
