import { definedOnly } from "../../../src/model/defined-only.ts";
import type { DeviceIdentity } from "../../../src/model/resource.ts";
import { CoapError } from "../link/coap-error.ts";
import type { CoapAsker } from "../link/coap-link.ts";
import { parseLinkFormat } from "../link/link-format.ts";
import { LINK_FORMAT } from "../payload/format.ts";
import { type ControlRange, rangeOf } from "./control-range.ts";
import type { ControlSpec } from "./control-schema.ts";
import { DeviceReader } from "./device-reader.ts";
import { type Measured, measuredFrom } from "./measured.ts";
import type { ResourceSpec } from "./point-schema.ts";
import type { Profile } from "./profile-schema.ts";
import { pointsOf } from "./profile-words.ts";
import { profileFor } from "./quirks.ts";

/** The control that is used, and how far it goes. */
export interface ChosenControl {
  readonly name: string;
  readonly spec: ControlSpec;
  readonly range: ControlRange;
}

/** What a look at the device found. Replaced, never changed. */
export interface DeviceFacts {
  readonly identity: DeviceIdentity;
  /** Absent if the device can only be measured. */
  readonly control?: ChosenControl;
  readonly capacityKWh?: number;
}

/** One device as its profile describes it: who it is, what it shows and how far it goes. It writes nothing. */
export class ProfileDevice {
  readonly reader: DeviceReader;
  readonly #base: Profile;
  readonly #link: CoapAsker;
  readonly #ratingKW: number | undefined;
  #profile: Profile;
  #facts: DeviceFacts | undefined;

  constructor(link: CoapAsker, profile: Profile, ratingKW: number | undefined) {
    this.#base = profile;
    this.#profile = profile;
    this.reader = new DeviceReader(link, profile);
    this.#link = link;
    this.#ratingKW = ratingKW;
  }

  /** The profile with the quirks of this device, as far as it is known. */
  get profile(): Profile {
    return this.#profile;
  }

  get facts(): DeviceFacts | undefined {
    return this.#facts;
  }

  /** Looks at the device from the beginning. Writes nothing. @throws CoapError `protocol` if it is another device */
  async discover(signal: AbortSignal): Promise<DeviceFacts> {
    const { reader } = this;
    await this.#checkLinks(signal);
    const identityResources = await this.#adoptProfile(signal);
    const { profile } = this;
    await reader.readResources(
      this.#polled("once", "slow", "fast").filter((name) => !identityResources.has(name)),
      signal,
    );
    const needed = Object.values(profile.controls).flatMap(({ needs, limits, convert }) => [
      ...needs,
      ...[limits.generation, limits.consumption, limits.least, convert.base].flatMap(pointsOf),
    ]);
    const polled = new Set(this.#polled("once", "slow", "fast"));
    const checked = profile.identify.map(({ point }) => point);
    await reader.readPoints(
      [...needed, ...checked].filter((name) => !polled.has(profile.points[name]?.resource ?? "")),
      signal,
    );
    this.#checkIdentity();
    return this.#lookAtFacts();
  }

  /** Limits and capacity may have changed: an installer sets another rating. @throws CoapError */
  refreshFacts(): DeviceFacts {
    return this.#lookAtFacts();
  }

  /**
   * Reads what is due and is not told by the device itself.
   * @returns true if anything was read
   * @throws CoapError
   */
  async poll(group: "fast" | "slow", isTold: (resource: string) => boolean, signal: AbortSignal): Promise<boolean> {
    const due = this.#polled(group).filter((name) => !isTold(name));
    await this.reader.readResources(due, signal);
    return due.length > 0;
  }

  /** Resources that the device is to tell of by itself. */
  observed(): readonly (readonly [string, ResourceSpec])[] {
    return Object.entries(this.profile.resources).filter(([, { observe, poll }]) => observe && poll !== "never");
  }

  measured(): Measured {
    return measuredFrom(this.profile, this.reader);
  }

  /** False while there is no car; undefined where the device does not tell. */
  present(): boolean | undefined {
    const { presence, points } = this.profile;
    if (presence === undefined) return undefined;
    const value = this.reader.look(presence.point);
    if (value === undefined) return undefined;
    const label = points[presence.point]?.values?.[String(value)];
    return presence.present.some((one) => one === label || one === String(value));
  }

  /**
   * Asks the device who it is, and takes the profile with the quirks of such a device.
   * @returns resources that were read by it
   */
  async #adoptProfile(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const { identity, points } = this.#base;
    this.#profile = this.#base;
    this.reader.use(this.#base);
    if (this.#base.quirks.length === 0) return new Set();
    const names = Object.values(identity).flatMap((text) => (typeof text === "object" ? [text.point] : []));
    await this.reader.readPoints(names, signal);
    const profile = profileFor(this.#base, this.#identity());
    if (profile === this.#base) return new Set(names.flatMap((name) => points[name]?.resource ?? []));
    this.#profile = profile;
    this.reader.use(profile);
    return new Set();
  }

  #polled(...groups: readonly ResourceSpec["poll"][]): string[] {
    return Object.entries(this.profile.resources)
      .filter(([, { poll }]) => groups.includes(poll))
      .map(([name]) => name);
  }

  async #checkLinks(signal: AbortSignal): Promise<void> {
    const { discovery, title } = this.profile;
    if (discovery.length === 0) return;
    const answer = await this.#link.ask({ method: "GET", path: "/.well-known/core", accept: LINK_FORMAT }, signal);
    let paths: Set<string>;
    try {
      paths = new Set(parseLinkFormat(answer.payload.toString("utf8")).map(({ path }) => path));
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new CoapError("protocol", `GET /.well-known/core: ${cause.message}`, { cause });
    }
    const absent = discovery.filter((path) => !paths.has(path));
    if (absent.length > 0)
      throw new CoapError("protocol", `is no ${title}: it does not list ${absent.join(", ")}; nothing was written`);
  }

  #checkIdentity(): void {
    const { identify, title } = this.profile;
    for (const { point, equals, min, max } of identify) {
      const value = this.reader.look(point);
      const isLike =
        value !== undefined &&
        (equals === undefined || value === equals) &&
        (min === undefined || (typeof value === "number" && value >= min)) &&
        (max === undefined || (typeof value === "number" && value <= max));
      if (!isLike)
        throw new CoapError("protocol", `is no ${title}: ${point} is ${value ?? "not there"}; nothing was written`);
    }
  }

  #identity(): DeviceIdentity {
    const { identity } = this.profile;
    const text = (given: (typeof identity)["vendor"]) => {
      if (given === undefined || typeof given === "string") return given;
      const value = this.reader.look(given.point);
      return value === undefined ? undefined : String(value).slice(0, 80);
    };
    return definedOnly<DeviceIdentity>({
      vendor: text(identity.vendor),
      model: text(identity.model),
      firmware: text(identity.firmware),
      serial: text(identity.serial),
    });
  }

  #lookAtFacts(): DeviceFacts {
    const { capacityKWh } = this.profile;
    const capacityWh = typeof capacityKWh === "string" ? this.reader.base(capacityKWh) : undefined;
    this.#facts = {
      identity: this.#identity(),
      ...definedOnly<Pick<DeviceFacts, "control" | "capacityKWh">>({
        control: this.#chosenControl(),
        capacityKWh: typeof capacityKWh === "number" ? capacityKWh : capacityWh && capacityWh / 1000,
      }),
    };
    return this.#facts;
  }

  /** The first control whose points the device has. @throws CoapError where it can't be known how far it goes */
  #chosenControl(): ChosenControl | undefined {
    for (const [name, spec] of Object.entries(this.profile.controls)) {
      if (spec.needs.some((point) => this.reader.look(point) === undefined)) continue;
      const range = rangeOf(spec, (point) => this.reader.base(point), this.#ratingKW);
      if (typeof range === "string") throw new CoapError("protocol", `neither device nor config says ${range}`);
      return { name, spec, range };
    }
    return undefined;
  }
}
