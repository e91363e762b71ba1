import type { OcppDevice } from "../config.ts";
import { LazyMap } from "../lazy-map.ts";
import type { Station } from "../station.ts";
import type { ProfileKind, ProfilePurpose } from "./charging-profile.ts";
import { fallbackImportKW } from "./fallback.ts";
import type { RateUnit } from "./import-limit.ts";
import { namesConnector, vendorWaysOf } from "./vendor-way.ts";
import {
  correctionsOf,
  isAmong,
  type ProfileWay,
  sameWay,
  startingWith,
  type Way,
  type WayChoice,
  waysOf,
} from "./way.ts";
import { type Pause, WayMemory, type WayPlace } from "./way-memory.ts";

/** One attempt: a way, and for a power of 0 how it is said. */
export interface Attempt {
  readonly way: Way;
  readonly pause?: Pause;
}

/** In which ways this charger may be told, best first: by the config, by what it said of itself, and by what worked before. */
export class ChargerWays {
  readonly memory: WayMemory;
  readonly #station: Station;
  readonly #device: OcppDevice;
  /** The way in force, for each state of the connector. */
  readonly #used = new LazyMap<WayPlace, Way>();
  #rememberedFor: string | undefined;

  constructor(station: Station, device: OcppDevice) {
    this.#station = station;
    this.#device = device;
    this.memory = new WayMemory(station.modelMemory);
  }

  /**
   * One after the other, each made when it is asked for: mostly the first does, which is the way of the last time.
   * @param isPause true for a power of 0
   * @param isCorrection true where the way in force was accepted and is not followed
   */
  *attempts(place: "session" | "idle", isPause: boolean, isCorrection: boolean): Generator<Attempt, void> {
    const choice = this.#choice(place === "session" ? ["TxProfile"] : []);
    // What this connector does already goes before what another one of the model did last.
    const used = this.#used.get(place) ?? this.memory.worked(place);
    if (isCorrection && used !== undefined) {
      for (const way of correctionsOf(waysOf(choice), used)) yield* this.#saying(way, isPause);
      return;
    }
    const first = used !== undefined && isAmong(choice, used) ? used : undefined;
    if (first !== undefined) yield* this.#saying(first, isPause);
    for (const way of waysOf(choice)) {
      if (first === undefined || !sameWay(way, first)) yield* this.#saying(way, isPause);
    }
  }

  #saying(way: Way, isPause: boolean): readonly Attempt[] {
    if (!isPause || way.via !== "profile") return [{ way }];
    return this.#pauses().map((pause) => ({ way, pause }));
  }

  /**
   * Ways for what lies below all targets. They are relative where the charger allows, since that needs no clock: after a power cut
   * many clocks begin in 1970.
   */
  fallbacks(): readonly ProfileWay[] {
    const choice = { ...this.#choice([]), kinds: ["Relative", "Absolute"] as const, stackLevel: 0, vendor: [] };
    return startingWith(waysOf(choice), this.memory.worked("fallback")).filter((way) => way.via === "profile");
  }

  accepted(place: WayPlace, { way, pause }: Attempt): void {
    const used = this.#used.get(place);
    // Mostly it is the way of the last time, which is remembered for this model already.
    const isNews = used === undefined || !sameWay(used, way) || this.#rememberedFor !== this.memory.model;
    if (isNews) {
      this.#used.set(place, way);
      this.#rememberedFor = this.memory.model;
      this.memory.remember(place, way);
    }
    if (pause !== undefined) this.memory.pause = pause;
  }

  refused(place: WayPlace, { way, pause }: Attempt): void {
    // Refused may be the 0, and not the way.
    if (pause !== undefined) return;
    this.memory.forget(place, way);
    const used = this.#used.get(place);
    if (used !== undefined && sameWay(used, way)) this.#used.delete(place);
  }

  /**
   * With the fallback on the same level there may be but one profile: it says both, one after the other. The charger would
   * replace the other (1.6) or refuse the second (2.x).
   */
  sharesFallback(way: ProfileWay): boolean {
    if (this.#fallbackKW === undefined || way.stackLevel !== 0) return false;
    const fallback = this.memory.worked("fallback");
    return way.purpose === (fallback?.via === "profile" ? fallback.purpose : "TxDefaultProfile");
  }

  /** True where a target without a transaction lies in the fallback's own profile. */
  commandIsFallback(): boolean {
    const idle = this.#used.get("idle") ?? startingWith(waysOf(this.#choice([])), this.memory.worked("idle"))[0];
    return idle?.via === "profile" && this.sharesFallback(idle);
  }

  get #fallbackKW(): number | undefined {
    return fallbackImportKW(this.#station, this.#device);
  }

  #choice(before: readonly ProfilePurpose[]): WayChoice {
    const { stackLevel, vendor, connector } = this.#device;
    const { maxStackLevel, maxProfiles, connectors } = this.#station.traits;
    // With room for one profile only, it has to say the target and the fallback, one after the other.
    const single = maxProfiles === 1 && this.#fallbackKW !== undefined;
    const servesAll = this.#station.cap.mayServe(connector, connectors);
    const purposes: readonly ProfilePurpose[] = servesAll ? ["TxDefaultProfile", "MaxProfile"] : ["TxDefaultProfile"];
    return {
      purposes: [...(single ? [] : before), ...purposes],
      units: this.#units(),
      kinds: this.#kinds(),
      stackLevel: single ? 0 : stackLevel === "auto" ? (maxStackLevel ?? 0) : stackLevel,
      vendor: vendorWaysOf(this.#device).filter((via) => servesAll || namesConnector(this.#device, via)),
      vendorWhen: vendor?.when ?? ("last" as const),
    };
  }

  /** A charger without a clock gets what needs none first. */
  #kinds(): readonly ProfileKind[] {
    const isRelative = this.#device.profileKind === "Relative" || !this.#station.chargerClock.isSteady;
    return isRelative ? ["Relative", "Absolute"] : ["Absolute", "Relative"];
  }

  /** More than one where neither the config nor the charger says which it takes. */
  #units(): readonly RateUnit[] {
    if (this.#device.current === "DC") return ["W"];
    if (this.#device.unit !== "auto") return [this.#device.unit];
    const { rateUnits } = this.#station.traits;
    if (rateUnits === undefined) return ["A", "W"];
    return rateUnits.includes("A") ? ["A"] : ["W"];
  }

  /** A limit of 0 is refused by some chargers, which pause below the least current as well. */
  #pauses(): readonly Pause[] {
    const { pause, current } = this.#device;
    if (pause === "zero" || current === "DC") return ["zero"];
    if (pause === "below-min") return ["below-min"];
    return this.memory.pause === "below-min" ? ["below-min", "zero"] : ["zero", "below-min"];
  }
}
