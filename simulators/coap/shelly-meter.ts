import type { Clock } from "../../src/clock.ts";
import { EnergyMeter } from "../world/energy-meter.ts";
import { CONTENT_FORMAT, type SimDevice, type SimResource } from "./resource.ts";

export interface ShellyMeterOptions {
  /** Channels: 1 has the numbers of an EM's first clamp, 3 are the phases of a 3EM. */
  readonly channels: 1 | 3;
  /** Power of the house behind it, kW, export positive. */
  readonly powerKW: () => number;
}

/** A first-generation Shelly meter with CoIoT: `/cit/s` has rows of channel, number and value. It measures, and no more. */
export class ShellyMeter implements SimDevice {
  readonly resources: ReadonlyMap<string, SimResource>;
  readonly #options: ShellyMeterOptions;
  readonly #meter: EnergyMeter;

  constructor(clock: Clock, options: ShellyMeterOptions) {
    this.#options = options;
    this.#meter = new EnergyMeter(clock, 3.25);
    this.resources = new Map<string, SimResource>([
      ["/cit/s", { format: CONTENT_FORMAT.json, read: () => Buffer.from(JSON.stringify({ G: this.#rows() })) }],
      ["/cit/d", { format: CONTENT_FORMAT.json, read: () => Buffer.from(JSON.stringify(this.#description())) }],
    ]);
  }

  powerKW(): number {
    return this.#options.powerKW();
  }

  underControl(): boolean {
    return false;
  }

  restart(): void {}

  /** Consumption is positive, as the clamp is meant to be mounted. */
  #rows(): number[][] {
    const powerKW = this.powerKW();
    this.#meter.advance(powerKW);
    const { channels } = this.#options;
    const share = (value: number) => Number((value / channels).toFixed(2));
    const rows = [[0, 9103, 4]];
    for (let channel = 1; channel <= channels; channel++) {
      const base = 4000 + channel * 100;
      rows.push(
        [0, base + 5, share(-1000 * powerKW)],
        [0, base + 6, share(this.#meter.importKWh * 1000)],
        [0, base + 7, share(this.#meter.exportKWh * 1000)],
        [0, base + 8, 230 + channel],
      );
      if (channels === 3) rows.push([0, base + 9, share(Math.abs((1000 * powerKW) / 230))]);
    }
    return rows;
  }

  #description() {
    const blocks = Array.from({ length: this.#options.channels }, (_, index) => ({
      I: index + 2,
      D: `emeter_${index}`,
    }));
    const sensors = this.#rows().map(([, number]) => ({ I: number, D: "value", L: 1 }));
    return { blk: blocks, sen: sensors };
  }
}
