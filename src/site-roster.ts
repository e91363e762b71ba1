import { type NewDevice, OperationError, type SiteRoster } from "../adapters/kind.ts";
import type { AcceptedDevices, WrittenDevice } from "./config/accepted-devices.ts";
import { ConfigError } from "./config/load.ts";
import type { Config, DeviceConfig } from "./config/schema.ts";

export interface SiteRosterOptions {
  readonly accepted: AcceptedDevices;
  /** The devices of the site as they are now; changed here, and read by all who hold the config. */
  readonly devices: DeviceConfig[];
  readonly groups: Config["groups"];
  /** @throws Error where its protocol cannot take it */
  open(device: DeviceConfig): void;
  close(era: string, reason: string): Promise<void>;
}

/** Takes devices in and out of the site while it runs, one change at a time. */
export class DeviceRoster {
  readonly #options: SiteRosterOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SiteRosterOptions) {
    this.#options = options;
  }

  /** The roster as one protocol sees it. */
  of(kind: string): SiteRoster {
    const { accepted } = this.#options;
    return {
      has: (era) => this.#has(era),
      add: (devices) => this.#inTurn(() => this.#add(kind, devices)),
      remove: (eras) => this.#inTurn(() => this.#remove(kind, eras)),
      added: () =>
        accepted.devices.flatMap((device) => {
          const part = device[kind];
          if (part === undefined) return [];
          const { era, name } = device;
          return [{ era, kind: device.kind, part: part as NewDevice["part"], ...(name !== undefined && { name }) }];
        }),
    };
  }

  async #add(kind: string, added: readonly NewDevice[]): Promise<void> {
    const { accepted, devices } = this.#options;
    const eras = added.map((device) => device.era);
    const taken = eras.find((era, index) => this.#has(era) || eras.indexOf(era) !== index);
    if (taken !== undefined) throw new OperationError("invalid", `the ERA "${taken}" is taken already`);
    const written = added.map(
      ({ era, name, part, kind: resource }): WrittenDevice => ({
        era,
        ...(name !== undefined && { name }),
        kind: resource,
        [kind]: part,
      }),
    );
    const checked = this.#checked(written);
    const opened: string[] = [];
    try {
      for (const device of checked) {
        this.#options.open(device);
        opened.push(device.era);
        devices.push(device);
      }
      await accepted.add(written);
    } catch (error) {
      // All of it or nothing: a device that is not kept would be gone after the next restart.
      for (const era of opened) await this.#close(era, "it could not be accepted");
      throw new OperationError("invalid", `it could not be accepted: ${(error as Error).message}`);
    }
  }

  async #remove(kind: string, eras: readonly string[]): Promise<void> {
    const { accepted } = this.#options;
    const known = new Set(accepted.devices.filter((device) => device[kind] !== undefined).map((device) => device.era));
    const foreign = eras.find((era) => !known.has(era));
    if (foreign !== undefined) throw new OperationError("not-found", `"${foreign}" was not accepted here`);
    // Off the disk first: a restart in between must not bring it back.
    await accepted.remove(eras);
    for (const era of eras) await this.#close(era, "it was taken out of the site");
  }

  async #close(era: string, reason: string): Promise<void> {
    const { devices } = this.#options;
    const place = devices.findIndex((device) => device.era === era);
    if (place >= 0) devices.splice(place, 1);
    await this.#options.close(era, reason);
  }

  #has(era: string): boolean {
    const { devices, groups } = this.#options;
    return devices.some((device) => device.era === era) || groups.some((group) => group.era === era);
  }

  #checked(written: readonly WrittenDevice[]): readonly DeviceConfig[] {
    try {
      return this.#options.accepted.checked(written);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const [first] = error.faults;
      throw new OperationError("invalid", `${first?.path}: ${first?.fault}`);
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
