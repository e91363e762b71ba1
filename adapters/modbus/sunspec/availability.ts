import type { Availability } from "../../../src/model/reading.ts";
import type { Era, ResourceKind } from "../../../src/model/resource.ts";
import type { Sample } from "./measurement.ts";

/** Tells what a device could do now, each time that this has changed enough to matter. */
export class AvailabilityWatch {
  readonly #era: Era;
  readonly #kind: ResourceKind;
  #last: Availability | undefined;

  constructor(era: Era, kind: ResourceKind) {
    this.#era = era;
    this.#kind = kind;
  }

  /** The availability after a sample, or nothing if it is no news. */
  newsIn(sample: Sample, range: { minPowerKW: number; maxPowerKW: number }): Availability | undefined {
    // Nobody tells a load that is only measured what to do.
    if (this.#kind === "load") return undefined;
    // All values gone (night, or a device that just started) is no statement about what it could do.
    if (sample.values.powerKW === undefined) return undefined;
    const now =
      this.#kind === "battery"
        ? batteryAvailability(this.#era, sample, range)
        : solarAvailability(this.#era, sample, range.maxPowerKW);
    const before = this.#last;
    const stepKW = Math.max(0.01 * (range.maxPowerKW - range.minPowerKW), 0.01);
    if (
      before !== undefined &&
      Math.abs(before.maxPowerKW - now.maxPowerKW) < stepKW &&
      Math.abs(before.minPowerKW - now.minPowerKW) < stepKW
    ) {
      return undefined;
    }
    this.#last = now;
    return now;
  }
}

const FULL_PERCENT = 99.5;
const EMPTY_PERCENT = 5;

/** What a solar inverter could give now: what the device says of the sun, else its rating. */
function solarAvailability(era: Era, sample: Sample, maxPowerKW: number): Availability {
  const sunKW = sample.values.offeredKW;
  if (sunKW === undefined) return { era, minPowerKW: 0, maxPowerKW, reason: "the device does not tell the sun" };
  return { era, minPowerKW: 0, maxPowerKW: Math.min(sunKW, maxPowerKW), reason: `sun ${sunKW.toFixed(1)} kW` };
}

/** What a battery could do now: a full one takes nothing in, an empty one gives nothing out. */
function batteryAvailability(
  era: Era,
  sample: Sample,
  range: { minPowerKW: number; maxPowerKW: number },
): Availability {
  const soc = sample.values.socPercent;
  if (soc === undefined) return { era, ...range, reason: "state of charge unknown" };
  const emptyPercent = Math.max(EMPTY_PERCENT, sample.reservePercent ?? 0);
  const reason = `charge ${Math.floor(soc)} %`;
  if (soc >= FULL_PERCENT) return { era, minPowerKW: 0, maxPowerKW: range.maxPowerKW, reason: `${reason}, full` };
  if (soc <= emptyPercent) return { era, minPowerKW: range.minPowerKW, maxPowerKW: 0, reason: `${reason}, empty` };
  return { era, ...range, reason };
}
