import type { Log } from "../../src/log.ts";
import type { AdapterMemory } from "../kind.ts";
import type { Lfdi } from "./identity.ts";

export interface RegistrationOptions {
  readonly mode: "out-of-band" | "in-band";
  readonly memory: AdapterMemory;
  readonly lfdi: Lfdi;
  readonly log: Log;
}

/** Whether a configured device is on the list of devices; in band it puts itself there, and that outlives a restart. */
export class Registration {
  readonly isInBand: boolean;
  readonly #options: RegistrationOptions;
  readonly #key: string;
  #isDone: boolean;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#key = `registered.${options.lfdi}`;
    this.isInBand = options.mode === "in-band";
    this.#isDone = !this.isInBand || options.memory.get(this.#key) === true;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  add(): void {
    this.#isDone = true;
    this.#options.log.info("2030.5 device registered itself", { lfdi: this.#options.lfdi });
    // Where the disk does not take it the device registers anew after a restart.
    this.#options.memory.set(this.#key, true).catch(() => {});
  }

  /** Only with registration in band; otherwise it is the config that says so. */
  remove(): void {
    if (!this.isInBand) return;
    this.#isDone = false;
    this.#options.log.info("2030.5 device took itself off the list", { lfdi: this.#options.lfdi });
    this.#options.memory.forget(this.#key).catch(() => {});
  }
}
