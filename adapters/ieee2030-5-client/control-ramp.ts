import type { Clock } from "../../src/clock.ts";
import type { MeteredDevice } from "../../src/model/utility.ts";
import { isOrder, isShare, isSwitch, MODES, type Mode } from "./control-values.ts";
import { type DerRatings, derOf } from "./der-ratings.ts";
import type { HeldControl, HeldControls } from "./event-schedule.ts";

/** Shortest time between two steps of a ramp, s: each is a command, and some chargers write every one to their flash. */
const STEP_S = 5;
/** Least step, as a part of the whole power. */
const LEAST_STEP = 0.02;
/** All of a share, in its hundredths of a percent. */
const WHOLE_SHARE = 10_000;

/** What a control moves by, and from where. Values are in the control's own unit. */
export interface RampTerms {
  /** setGradW: hundredths of a percent of setMaxW per second; 0 and absent: no limit. */
  readonly gradient: number | undefined;
  readonly ratings: DerRatings;
  readonly devices: readonly MeteredDevice[];
}

/** A change on its way. */
interface Change {
  readonly from: number;
  readonly goal: number;
  /** No more than the devices could do, beyond which there is nothing to move. */
  readonly reach: number;
  /** Seconds from one value to the other; 0 is at once. */
  readonly durationS: number;
  readonly stepS: number;
  readonly sinceMs: number;
  /** Where it goes from a limit to none, which ends it. */
  readonly isRelease: boolean;
}

/**
 * Moves each control from one value to the next as fast as the server asks: within `rampTms` of the event, else by the
 * default's `setGradW`, else at once. In stairs that stay on the safe side of the line: a power falls a step early and grows
 * a step late. Connect and energize go at once.
 */
export class ControlRamp {
  readonly #clock: Clock;
  readonly #changes = new Map<Mode, Change>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is in force now on the way to what is held. */
  at(held: HeldControls, terms: RampTerms): HeldControls {
    const moved = new Map<Mode, HeldControl>();
    for (const mode of MODES) {
      const control = held.get(mode);
      if (control === undefined) {
        const value = this.#released(mode, terms);
        if (value !== undefined) moved.set(mode, { value, primacy: 0 });
      } else moved.set(mode, isSwitch(mode) ? control : { ...control, value: this.#towards(mode, control, terms) });
    }
    return moved;
  }

  #towards(mode: Mode, { value: goal, rampS }: HeldControl, terms: RampTerms): number {
    const before = this.#changes.get(mode);
    if (before !== undefined && !before.isRelease && before.goal === goal) return this.#valueOf(before);
    const from = this.#startOf(mode, before, goal, terms);
    const change = this.#begun(mode, from, goal, rampS, terms, false);
    return this.#valueOf(change);
  }

  /** A limit that ends grows until it binds nothing; an order ends at once. */
  #released(mode: Mode, terms: RampTerms): number | undefined {
    const before = this.#changes.get(mode);
    if (before === undefined) return undefined;
    const change = before.isRelease
      ? before
      : this.#begun(mode, this.#valueOf(before), Number.POSITIVE_INFINITY, undefined, terms, true);
    const value = this.#valueOf(change);
    if (!isOrder(mode) && value < change.goal) return value;
    this.#changes.delete(mode);
    return undefined;
  }

  #startOf(mode: Mode, previous: Change | undefined, goal: number, { devices, ratings }: RampTerms): number {
    const present = presentOf(mode, devices, ratings);
    const before = previous && this.#valueOf(previous);
    if (isOrder(mode)) return before ?? present ?? goal;
    // A limit comes down from what flows, which may be less than the last one. Where nothing says what flows, the first
    // goes to its goal at once.
    if (before !== undefined && before <= goal) return before;
    return Math.max(goal, Math.min(before ?? Number.POSITIVE_INFINITY, present ?? before ?? goal));
  }

  #begun(
    mode: Mode,
    from: number,
    goal: number,
    rampS: number | undefined,
    { gradient, ratings, devices }: RampTerms,
    isRelease: boolean,
  ): Change {
    const most = isOrder(mode) ? Number.POSITIVE_INFINITY : mostOf(mode, devices, ratings);
    const [start, reach] = [Math.min(from, most), Math.min(goal, most)];
    const way = Math.abs(reach - start);
    const whole = wholeOf(mode, ratings);
    const perS = gradient === undefined ? 0 : (gradient / WHOLE_SHARE) * whole;
    const durationS = way === 0 ? 0 : (rampS ?? (perS > 0 ? way / perS : 0));
    const leastS = way > 0 ? (durationS * LEAST_STEP * whole) / way : 0;
    const stepS = Math.max(STEP_S, leastS);
    const change = { from: start, goal, reach, durationS, stepS, sinceMs: this.#clock.elapsedMs(), isRelease };
    this.#changes.set(mode, change);
    return change;
  }

  #valueOf({ from, goal, reach, durationS, stepS, sinceMs }: Change): number {
    const elapsedS = (this.#clock.elapsedMs() - sinceMs) / 1000;
    if (elapsedS >= durationS) return goal;
    const steps = Math.floor(elapsedS / stepS) + (Math.abs(reach) < Math.abs(from) ? 1 : 0);
    const part = Math.min(1, (steps * stepS) / durationS);
    return from + (reach - from) * part;
  }
}

/** The most that the devices could do of what a limit is about, in its unit. */
function mostOf(mode: Mode, devices: readonly MeteredDevice[], { maxKW }: DerRatings): number {
  const sumW = (of: (device: MeteredDevice) => number) => devices.reduce((sum, one) => sum + of(one) * 1000, 0);
  if (mode === "opModMaxLimW") return maxKW > 0 ? WHOLE_SHARE : 0;
  if (mode === "opModImpLimW" || mode === "opModLoadLimW") {
    return sumW(({ capability }) => Math.max(0, 0 - (capability?.minPowerKW ?? 0)));
  }
  return sumW(({ capability }) => Math.max(0, capability?.maxPowerKW ?? 0));
}

/** The power by which a rate is counted, in the unit of a control: setMaxW. */
function wholeOf(mode: Mode, { maxKW }: DerRatings): number {
  return isShare(mode) ? WHOLE_SHARE : maxKW * 1000;
}

/** What flows now of what a control is about, in its unit; nothing where it is not measured. */
function presentOf(mode: Mode, devices: readonly MeteredDevice[], ratings: DerRatings): number | undefined {
  const of = (some: readonly MeteredDevice[], part: (powerKW: number) => number) => {
    const powers = some.filter(({ capability }) => capability !== undefined).map(({ powerKW }) => powerKW);
    if (powers.length === 0 || powers.includes(undefined)) return undefined;
    return powers.reduce<number>((sum, powerKW) => sum + part(powerKW ?? 0) * 1000, 0);
  };
  const itself = (powerKW: number) => powerKW;
  switch (mode) {
    case "opModExpLimW":
      return atLeastNothing(of(devices, itself));
    case "opModImpLimW":
      return atLeastNothing(of(devices, (powerKW) => -powerKW));
    case "opModGenLimW":
      return of(devices, (powerKW) => Math.max(0, powerKW));
    case "opModLoadLimW":
      return of(devices, (powerKW) => Math.max(0, -powerKW));
    case "opModMaxLimW":
      return shareOf(
        of(derOf(devices), (powerKW) => Math.max(0, powerKW)),
        ratings.maxKW,
      );
    case "opModFixedW": {
      const powerW = of(derOf(devices), itself);
      return shareOf(powerW, (powerW ?? 0) < 0 ? ratings.maxChargeKW : ratings.maxKW);
    }
    case "opModTargetW":
      return of(derOf(devices), itself);
    case "opModStorageTargetW":
      return of(
        devices.filter(({ kind }) => kind === "battery"),
        itself,
      );
    default:
      return undefined;
  }
}

function atLeastNothing(powerW: number | undefined): number | undefined {
  return powerW === undefined ? undefined : Math.max(0, powerW);
}

function shareOf(powerW: number | undefined, ofKW: number): number | undefined {
  return powerW === undefined || ofKW === 0 ? undefined : (powerW / (ofKW * 1000)) * WHOLE_SHARE;
}
