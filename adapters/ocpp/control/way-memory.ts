import type { ModelMemory } from "../setup/model-memory.ts";
import { sameWay, type Way, waySchema } from "./way.ts";

/** `session`: a transaction runs. `idle`: none does. `fallback`: what lies below all targets. */
export type WayPlace = "session" | "idle" | "fallback";

/** How a power of 0 is said: as 0, or as a power at which no car charges. */
export type Pause = "zero" | "below-min";

/** Which way worked with this model of charger. */
export class WayMemory {
  readonly #memory: ModelMemory;

  constructor(memory: ModelMemory) {
    this.#memory = memory;
  }

  /** What the charger says it is; absent as long as it said nothing. */
  get model(): string | undefined {
    return this.#memory.model;
  }

  worked(place: WayPlace): Way | undefined {
    const read = waySchema.safeParse(this.#memory.get(`way-${place}`));
    return read.success ? read.data : undefined;
  }

  remember(place: WayPlace, way: Way): void {
    const known = this.worked(place);
    if (known === undefined || !sameWay(known, way)) this.#memory.set(`way-${place}`, way);
  }

  /** The charger refused it, or accepted it and did not follow. */
  forget(place: WayPlace, way: Way): void {
    const known = this.worked(place);
    if (known !== undefined && sameWay(known, way)) this.#memory.forget(`way-${place}`);
  }

  get pause(): Pause | undefined {
    const said = this.#memory.get("pause");
    return said === "zero" || said === "below-min" ? said : undefined;
  }

  set pause(pause: Pause) {
    if (this.pause !== pause) this.#memory.set("pause", pause);
  }
}
