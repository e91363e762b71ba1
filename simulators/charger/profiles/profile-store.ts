import {
  type ChargingProfile,
  hasEnded,
  type Moment,
  type PeriodValues,
  type ProfilePurpose,
} from "./charging-profile.ts";
import { type ProfileBounds, type ProfileSituation, refusalOf, samePlace } from "./profile-rules.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** What a ClearChargingProfile asks for; absent means any. */
export interface ClearCriteria {
  readonly id?: number;
  readonly connectorId?: number;
  readonly purpose?: ProfilePurpose;
  readonly stackLevel?: number;
}

type Situation = Omit<ProfileSituation, "installed">;

/** The profiles that a charger holds. Bounded by `bounds.maxProfiles`. */
export class ProfileStore {
  readonly bounds: ProfileBounds;
  #profiles: readonly ChargingProfile[] = [];

  constructor(bounds: ProfileBounds) {
    this.bounds = bounds;
  }

  get all(): readonly ChargingProfile[] {
    return this.#profiles;
  }

  /** Those that bind one connector: its own and those for the whole station. */
  applyingTo(connectorId: number): readonly ChargingProfile[] {
    return this.#profiles.filter((profile) => profile.connectorId === connectorId || profile.connectorId === 0);
  }

  /** Installs a profile in place of its predecessor, or says why not. */
  install(profile: ChargingProfile, situation: Situation, moment: Moment): Refusal | undefined {
    this.forgetEnded(moment);
    const refusal = refusalOf(profile, this.bounds, { ...situation, installed: this.#profiles });
    if (refusal !== undefined) return refusal;
    this.put({ ...profile, receivedAtMs: moment.nowMs, updatedAtMs: moment.nowMs }, situation.version === "1.6");
    return undefined;
  }

  /** Puts a profile in without a question: what stood there before the CSMS came. */
  put(profile: ChargingProfile, inPlaceOfOthers = false): void {
    const replaces = (other: ChargingProfile) =>
      other.id === profile.id || (inPlaceOfOthers && samePlace(other, profile));
    this.#profiles = [...this.#profiles.filter((other) => !replaces(other)), profile];
  }

  /** Gives a dynamic profile new values (2.1, K28), or says why not. What is not named stays as it was. */
  update(id: number, values: PeriodValues, situation: Situation, nowMs: number): Refusal | undefined {
    const profile = this.#profiles.find((candidate) => candidate.id === id);
    if (profile === undefined) return refuse("InvalidProfileId", `there is no profile ${id}`);
    if (profile.kind !== "Dynamic") return refuse("InvalidProfile", `profile ${id} is not dynamic`);
    const updated: ChargingProfile = {
      ...profile,
      updatedAtMs: nowMs,
      periods: profile.periods.map((period) => ({ ...period, ...values })),
    };
    const refusal = refusalOf(updated, this.bounds, { ...situation, installed: this.#profiles });
    if (refusal === undefined) this.put(updated);
    return refusal;
  }

  /**
   * Takes out all that meet the criteria; returns how many. An id stands alone, whatever else is named
   * (ClearChargingProfile of all versions).
   */
  clear(criteria: ClearCriteria): number {
    const before = this.#profiles.length;
    this.#profiles = this.#profiles.filter((profile) => {
      if (criteria.id !== undefined) return profile.id !== criteria.id;
      const meets =
        (criteria.connectorId === undefined || criteria.connectorId === profile.connectorId) &&
        (criteria.purpose === undefined || criteria.purpose === profile.purpose) &&
        (criteria.stackLevel === undefined || criteria.stackLevel === profile.stackLevel);
      return !meets;
    });
    return before - this.#profiles.length;
  }

  /** A transaction profile dies with its transaction. */
  forgetTransaction(connectorId: number): void {
    this.#profiles = this.#profiles.filter(
      (profile) => profile.purpose !== "tx" || profile.connectorId !== connectorId,
    );
  }

  forgetEnded(moment: Moment): void {
    if (this.#profiles.some((profile) => hasEnded(profile, moment))) {
      this.#profiles = this.#profiles.filter((profile) => !hasEnded(profile, moment));
    }
  }

  forgetAll(): void {
    this.#profiles = [];
  }
}
