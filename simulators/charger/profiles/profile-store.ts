import { type ChargingProfile, hasEnded, type Moment, type ProfilePurpose } from "./charging-profile.ts";
import { type ProfileBounds, type ProfileSituation, type Refusal, refusalOf, samePlace } from "./profile-rules.ts";

/** What a ClearChargingProfile asks for; absent means any. */
export interface ClearCriteria {
  readonly id?: number;
  readonly connectorId?: number;
  readonly purpose?: ProfilePurpose;
  readonly stackLevel?: number;
}

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

  /** Installs a profile in place of its predecessor, or says why not. */
  install(
    profile: ChargingProfile,
    situation: Omit<ProfileSituation, "installed">,
    moment: Moment,
  ): Refusal | undefined {
    this.forgetEnded(moment);
    const refusal = refusalOf(profile, this.bounds, { ...situation, installed: this.#profiles });
    if (refusal !== undefined) return refusal;
    const replaces = (other: ChargingProfile) =>
      other.id === profile.id || (situation.version === "1.6" && samePlace(other, profile));
    this.#profiles = [...this.#profiles.filter((other) => !replaces(other)), profile];
    return undefined;
  }

  /** Takes out all that meet the criteria; returns how many. An id stands alone, whatever else is named (ClearChargingProfile of both versions). */
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
  forgetTransaction(): void {
    this.#profiles = this.#profiles.filter((profile) => profile.purpose !== "tx");
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
