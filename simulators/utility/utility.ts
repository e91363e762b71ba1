import type { Clock } from "../../src/clock.ts";
import { DeviceBook, type EndDevice } from "./device-book.ts";
import { MirrorBook } from "./mirror-book.ts";
import { type Control, type DefaultControl, type NewControl, type Program, ProgramBook } from "./program-book.ts";
import { SubscriptionBook } from "./subscription-book.ts";

/** How often clients are told to ask and to post, seconds. */
export interface Rates {
  readonly dcapS: number;
  readonly edevListS: number;
  readonly edevPostS: number;
  readonly fsaListS: number;
  readonly derListS: number;
  readonly derpListS: number;
  readonly mupPostS: number;
}

/** PIN of a device for which nobody chose one: five digits and their check digit. */
export const DEFAULT_PIN = 111_115;

/** What changed, for those who subscribed. */
export type Change =
  | { readonly kind: "edev" | "fsa" }
  | { readonly kind: "derp"; readonly fsaId: number }
  | { readonly kind: "derc" | "dderc"; readonly program: Program };

export interface UtilityOptions {
  readonly clock: Clock;
  readonly rates?: Partial<Rates>;
  /** May a device register itself by a POST to the EndDeviceList? */
  readonly inBandRegistration: boolean;
}

/** What a utility knows and wants, apart from the wire. The methods are the hands of its operator. */
export class Utility {
  readonly devices = new DeviceBook();
  readonly mirrors = new MirrorBook();
  readonly book = new ProgramBook();
  readonly subscriptions = new SubscriptionBook();
  readonly inBandRegistration: boolean;
  rates: Rates;
  /** When set, every request is answered with 500. */
  isOut = false;
  hasRegistrationLinks = true;
  /** Editions of CSIP-AUS that it names, each with its DeviceCapabilities; while there are none it names nothing. */
  readonly editions = new Map<string, readonly string[]>();
  /** Further addresses of resources, by path. */
  readonly otherPaths = new Map<string, string>();
  readonly #clock: Clock;
  readonly #watchers = new Set<(change: Change) => void>();

  constructor({ clock, rates, inBandRegistration }: UtilityOptions) {
    this.#clock = clock;
    this.inBandRegistration = inBandRegistration;
    const pollS = 60;
    this.rates = {
      dcapS: pollS,
      edevListS: pollS,
      edevPostS: pollS,
      fsaListS: pollS,
      derListS: pollS,
      derpListS: pollS,
      mupPostS: pollS,
      ...rates,
    };
  }

  nowS(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  /** @returns how to stop watching */
  onChange(watcher: (change: Change) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  setRates(rates: Partial<Rates>): void {
    this.rates = { ...this.rates, ...rates };
    if (rates.edevListS !== undefined || rates.edevPostS !== undefined) this.#tell({ kind: "edev" });
    if (rates.fsaListS !== undefined) this.#tell({ kind: "fsa" });
    if (rates.derpListS !== undefined) {
      for (const fsaId of this.book.assignments()) this.#tell({ kind: "derp", fsaId });
    }
  }

  /** Registers a device out of band. */
  registerDevice(device: { lfdi: string; owner?: string; pin?: number; deviceCategory?: string }): EndDevice {
    const { lfdi, owner = lfdi, pin = DEFAULT_PIN, deviceCategory } = device;
    const registered = this.devices.register({ lfdi, owner, pin, deviceCategory, atS: this.nowS() });
    if (registered === undefined) throw new RangeError("too many devices");
    this.#tell({ kind: "edev" });
    return registered;
  }

  addProgram(options: { primacy: number; fsaId?: number | undefined; tag?: string | undefined }): Program {
    const known = this.book.assignments().length;
    const program = this.book.addProgram(options);
    if (this.book.assignments().length > known) this.#tell({ kind: "fsa" });
    this.#tell({ kind: "derp", fsaId: program.fsaId });
    return program;
  }

  removeAssignment(fsaId: number): void {
    this.book.removeAssignment(fsaId);
    this.#tell({ kind: "fsa" });
  }

  addControl(program: Program, order: NewControl): Control {
    const control = this.book.addControl(program, order, this.nowS());
    // A weaker program's control may have been contested or ended by it.
    for (const one of this.book.programs)
      if (one.primacy >= program.primacy) this.#tell({ kind: "derc", program: one });
    return control;
  }

  setDefault(program: Program, values: DefaultControl | undefined): void {
    const isOther = (program.default === undefined) !== (values === undefined);
    program.default = values;
    if (isOther) this.#tell({ kind: "derp", fsaId: program.fsaId });
    this.#tell({ kind: "dderc", program });
  }

  cancelControl(control: Control): void {
    this.book.cancel(control, this.nowS());
    const program = this.book.programs.find(({ controls }) => controls.includes(control));
    if (program !== undefined) this.#tell({ kind: "derc", program });
  }

  cancelAll(): void {
    for (const { control } of this.book.standing(this.nowS())) this.cancelControl(control);
  }

  #tell(change: Change): void {
    for (const watcher of this.#watchers) watcher(change);
  }
}
