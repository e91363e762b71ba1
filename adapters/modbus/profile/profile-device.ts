import { definedOnly } from "../../../src/model/defined-only.ts";
import type { DeviceIdentity, FailsafeClass } from "../../../src/model/resource.ts";
import { type BaseLookup, type ControlRange, type DeviceOptions, rangeOf } from "./control-range.ts";
import type { ControlSpec } from "./control-schema.ts";
import { identityFrom, identityPoints, unlike } from "./identify.ts";
import { baseValue, exportW, type Point, placePoints } from "./point.ts";
import { PointReader } from "./point-reader.ts";
import { ProfileError } from "./profile-error.ts";
import { type Measured, measuredFrom } from "./profile-sample.ts";
import type { Profile } from "./profile-schema.ts";
import { pointsOf } from "./profile-words.ts";
import { profileFor } from "./quirks.ts";
import type { UnitPort } from "./unit-port.ts";

/** What a look at the device found. Replaced, never changed. */
export interface ProfileFacts {
  /** The profile with the quirks of this device. */
  readonly profile: Profile;
  readonly points: ReadonlyMap<string, Point>;
  readonly identity: DeviceIdentity;
  /** Absent if the device can only be measured. */
  readonly control?: ChosenControl;
  readonly capacityKWh?: number;
}

export interface ChosenControl {
  readonly name: string;
  readonly spec: ControlSpec;
  readonly range: ControlRange;
  readonly failsafe: FailsafeClass;
}

/** One device as its profile describes it: who it is, what it shows and how far it goes. It writes nothing. */
export class ProfileDevice {
  readonly #port: UnitPort;
  readonly #base: Profile;
  readonly #options: DeviceOptions;
  #reader: PointReader;
  #facts: ProfileFacts | undefined;

  constructor(port: UnitPort, profile: Profile, options: DeviceOptions) {
    this.#port = port;
    this.#base = profile;
    this.#options = options;
    this.#reader = this.#readerOf(profile);
  }

  get facts(): ProfileFacts | undefined {
    return this.#facts;
  }

  /** What was last read, and how to read more. */
  get reader(): PointReader {
    return this.#reader;
  }

  /** The present value of each point that was read, in its unit. */
  values(): ReadonlyMap<string, number | string | undefined> {
    const names = [...(this.#facts?.points.keys() ?? [])];
    return new Map(names.map((name) => [name, this.#reader.look(name)]));
  }

  /** Looks at the device from the beginning. Writes nothing. @throws ProfileError `protocol` if it is another device */
  async discover(signal: AbortSignal): Promise<ProfileFacts> {
    const reader = this.#readerOf(this.#base);
    await reader.read(identityPoints(this.#base), "slow", signal);
    const identity = identityFrom(this.#base, reader.look);
    const profile = profileFor(this.#base, identity);
    this.#reader = profile === this.#base ? reader : this.#readerOf(profile);
    const points = placePoints(profile, this.#options.connector);
    await this.#reader.read(
      profile.identify.map(({ point }) => point),
      "slow",
      signal,
    );
    const fault = unlike(profile, this.#reader.look);
    if (fault !== undefined)
      throw new ProfileError("protocol", `is no ${profile.title}: ${fault}; nothing was written`);
    await this.#readAll(profile, signal);
    const control = this.#chosenControl(profile, points);
    const capacityKWh = this.#capacityOf(profile, points);
    this.#facts = { profile, points, identity, ...definedOnly({ control, capacityKWh }) };
    return this.#facts;
  }

  /** Reads the points of one poll group. */
  async poll(group: "fast" | "slow", signal: AbortSignal): Promise<void> {
    const { profile } = this.known();
    await this.#reader.read(pointsPolled(profile, group), group, signal);
  }

  /** Reads also what is never polled, for a person who looks at the device. */
  async readEverything(signal: AbortSignal): Promise<void> {
    await this.#reader.read([...this.known().points.keys()], "slow", signal);
  }

  /** Asks again for points that the device did not have. */
  lookAnew(): void {
    this.#reader.forgetMissing();
  }

  /** Limits and capacity may have changed: an installer sets another rating. */
  refreshFacts(): void {
    const facts = this.known();
    const control = facts.control && this.#chosenControl(facts.profile, facts.points);
    if (JSON.stringify(control) === JSON.stringify(facts.control)) return;
    this.#facts = { ...facts, ...definedOnly({ control }) };
  }

  measured(): Measured {
    const { profile, points } = this.known();
    return measuredFrom(profile, points, this.#reader.look);
  }

  /** False while there is no car; undefined where the device does not tell. */
  present(): boolean | undefined {
    const { profile, points } = this.known();
    if (profile.presence === undefined) return undefined;
    const value = this.#reader.look(profile.presence.point);
    if (value === undefined) return undefined;
    const label = points.get(profile.presence.point)?.values?.[String(value)];
    return profile.presence.present.some((one) => one === label || one === String(value));
  }

  async #readAll(profile: Profile, signal: AbortSignal): Promise<void> {
    for (const group of ["once", "slow", "fast"] as const) {
      await this.#reader.read(pointsPolled(profile, group), group === "fast" ? "fast" : "slow", signal);
    }
    const needed = Object.values(profile.controls).flatMap(({ needs, limits, convert }) => [
      ...needs,
      ...[limits.generation, limits.consumption, limits.least, convert.base, convert.phases, convert.volts].flatMap(
        (given) => pointsOf(given),
      ),
    ]);
    await this.#reader.read([...new Set(needed)], "slow", signal);
  }

  /** The first control whose points the device has. */
  #chosenControl(profile: Profile, points: ReadonlyMap<string, Point>): ChosenControl | undefined {
    for (const [name, spec] of Object.entries(profile.controls)) {
      if (spec.needs.some((point) => this.#reader.look(point) === undefined)) continue;
      const range = rangeOf(spec, this.#baseLookup(points), this.#options);
      return { name, spec, range, failsafe: spec.failsafe };
    }
    return undefined;
  }

  #capacityOf({ capacityKWh }: Profile, points: ReadonlyMap<string, Point>): number | undefined {
    if (typeof capacityKWh !== "string") return capacityKWh;
    const energyWh = this.#baseLookup(points)(capacityKWh);
    return energyWh === undefined ? undefined : energyWh / 1000;
  }

  #baseLookup(points: ReadonlyMap<string, Point>): BaseLookup {
    return (name) => {
      const point = points.get(name);
      const value = point?.sign === undefined ? baseValue(point, this.#reader.look) : exportW(point, this.#reader.look);
      return value === undefined ? undefined : Math.abs(value);
    };
  }

  /** @throws ProfileError before it was discovered */
  known(): ProfileFacts {
    if (this.#facts === undefined) throw new ProfileError("protocol", "nothing is known of the device yet");
    return this.#facts;
  }

  #readerOf(profile: Profile): PointReader {
    return new PointReader(this.#port, placePoints(profile, this.#options.connector), profile.limits);
  }
}

/** Names of the points that are read in a group. */
export function pointsPolled(profile: Profile, group: "fast" | "slow" | "once"): readonly string[] {
  return Object.entries(profile.points)
    .filter(([, { poll, access }]) => poll === group && access !== "write")
    .map(([name]) => name);
}
