import type { Availability } from "../../../src/model/reading.ts";
import type { Capability, Era, ResourceKind } from "../../../src/model/resource.ts";
import { AvailabilityWatch } from "../sunspec/availability.ts";
import type { Measured } from "./profile-sample.ts";

/** Tells what a device could do now, each time that this has changed enough to matter. */
export class ProfileAvailability {
  readonly #era: Era;
  readonly #kind: ResourceKind;
  readonly #watch: AvailabilityWatch;
  #hadCar: boolean | undefined;

  constructor(era: Era, kind: ResourceKind) {
    this.#era = era;
    this.#kind = kind;
    this.#watch = new AvailabilityWatch(era, kind);
  }

  /** @param present whether there is a car; undefined where the device does not tell */
  newsIn(values: Measured, present: boolean | undefined, band: Capability): Availability | undefined {
    if (this.#kind !== "charger") {
      return this.#kind === "load" ? undefined : this.#watch.newsIn({ values, isFaulty: false }, band);
    }
    if (present === undefined || present === this.#hadCar) return undefined;
    this.#hadCar = present;
    const { minPowerKW, maxPowerKW } = band;
    return present
      ? { era: this.#era, minPowerKW, maxPowerKW, reason: "car connected" }
      : { era: this.#era, minPowerKW: 0, maxPowerKW: 0, reason: "no car" };
  }
}
