import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { ChargingProfile, PeriodValues } from "./charging-profile.ts";
import type { ProfileStore } from "./profile-store.ts";
import type { Refusal } from "./refusal.ts";

export interface DynamicProfilesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly profiles: ProfileStore;
  /** Asks the CSMS for new values (PullDynamicScheduleUpdate); nothing where it has none. */
  readonly pull: (id: number) => Promise<PeriodValues | undefined>;
  readonly update: (id: number, values: PeriodValues) => Refusal | undefined;
}

/** Dynamic profiles of 2.1 that want to be asked for: pulls new values at their interval (K28.FR.10). */
export class DynamicProfiles {
  readonly #options: DynamicProfilesOptions;
  /** Elapsed ms of the last pull, by profile. */
  readonly #pulledAtMs = new Map<number, number>();
  #pulling = false;

  constructor(options: DynamicProfilesOptions) {
    this.#options = options;
  }

  /** Pulls what is due, one at a time. Called often. */
  tick(): void {
    const { profiles } = this.#options;
    for (const id of this.#pulledAtMs.keys()) {
      if (!profiles.all.some((profile) => profile.id === id)) this.#pulledAtMs.delete(id);
    }
    const due = this.#pulling ? undefined : profiles.all.find((profile) => this.#isDue(profile));
    if (due === undefined) return;
    this.#pulling = true;
    void this.#pull(due.id).finally(() => {
      this.#pulling = false;
    });
  }

  #isDue(profile: ChargingProfile): boolean {
    const { pullIntervalMs = 0, updatedAtMs } = profile;
    if (profile.kind !== "Dynamic" || pullIntervalMs <= 0 || updatedAtMs === undefined) return false;
    const { clock } = this.#options;
    const lastMs = this.#pulledAtMs.get(profile.id) ?? Number.NEGATIVE_INFINITY;
    return clock.now() - updatedAtMs >= pullIntervalMs && clock.elapsedMs() - lastMs >= pullIntervalMs;
  }

  async #pull(id: number): Promise<void> {
    const { clock, log, pull, update } = this.#options;
    this.#pulledAtMs.set(id, clock.elapsedMs());
    try {
      const values = await pull(id);
      const refusal = values === undefined ? undefined : update(id, values);
      if (refusal !== undefined) log.warn("the update that was pulled is refused", { profile: id, ...refusal });
    } catch (error) {
      log.debug("the CSMS did not answer a pull", { profile: id, err: error });
    }
  }
}
