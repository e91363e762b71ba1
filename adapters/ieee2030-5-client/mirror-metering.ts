import type { Clock } from "../../src/clock.ts";
import type { MeteredDevice } from "../../src/model/utility.ts";
import { integerOf } from "../ieee2030-5/xml/xml-element.ts";
import { writeXml } from "../ieee2030-5/xml/xml-write.ts";
import { MIRRORED, type Mirrored, type MirrorIdentity, mirrorReading, mirrorUsagePoint } from "./mirror-documents.ts";
import type { ServerClock } from "./server-clock.ts";
import { SiteAverage } from "./site-average.ts";
import type { UtilityConnection } from "./utility-connection.ts";
import { UtilityFault } from "./utility-fault.ts";

const DEFAULT_POST_S = 300;
const MOST_POST_S = 86_400;

export interface MirrorMeteringOptions {
  readonly connection: UtilityConnection;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly identity: MirrorIdentity;
  readonly devices: () => readonly MeteredDevice[];
  /** From the config; goes before the server's. */
  readonly postRateS: number | undefined;
}

/** One MirrorUsagePoint: made at the server once it is known what there is to post, then fed at its postRate. */
export class MirrorMetering {
  readonly #options: MirrorMeteringOptions;
  readonly #average = new SiteAverage();
  #made: { readonly href: string; readonly postRateS: number; readonly names: ReadonlySet<string> } | undefined;
  /** Beginning of the interval that runs, elapsed ms. */
  #sinceMs: number;

  constructor(options: MirrorMeteringOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.elapsedMs();
  }

  /** Takes note of what is measured now. */
  sample(): void {
    this.#average.sample(this.#options.devices());
  }

  /**
   * Posts what is due.
   * @param saidS postRate of the EndDevice, where it says one
   * @returns true where the server has one MirrorUsagePoint more
   * @throws UtilityFault
   */
  async post(mirrorList: string, saidS: number | undefined, signal: AbortSignal): Promise<boolean> {
    const { clock, serverClock, connection, identity } = this.#options;
    const intervalS = this.#made?.postRateS ?? this.#rateS(saidS);
    const sinceMs = clock.elapsedMs() - this.#sinceMs;
    if (sinceMs < intervalS * 1000) return false;
    this.#sinceMs = clock.elapsedMs();
    const values = this.#average.take();
    if (values.size === 0) return false;
    const mirrored = [...values.keys()].map((name) => MIRRORED[name]);
    const isWhole = mirrored.every(({ name }) => this.#made?.names.has(name));
    const isNew = this.#made === undefined || !isWhole;
    if (isNew) await this.#make(mirrorList, mirrored, intervalS, signal);
    const { href } = this.#made ?? {};
    if (href === undefined) return isNew;
    const durationS = Math.max(1, Math.round(sinceMs / 1000));
    const interval = { durationS, startS: Math.floor(serverClock.now() / 1000) - durationS };
    try {
      for (const [name, value] of values) {
        await connection.post(href, writeXml(mirrorReading(identity, MIRRORED[name], value, interval)), signal);
      }
    } catch (error) {
      // The server has forgotten it; the next time it is made anew.
      if (error instanceof UtilityFault && error.status === 404) this.#made = undefined;
      throw error;
    }
    return isNew;
  }

  async #make(
    mirrorList: string,
    mirrored: readonly Mirrored[],
    intervalS: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { connection, identity, postRateS } = this.#options;
    const href = await connection.post(mirrorList, writeXml(mirrorUsagePoint(identity, mirrored, intervalS)), signal);
    if (href === undefined) throw new UtilityFault("a MirrorUsagePoint was taken, but no Location says where it is");
    const names = new Set([...mirrored.map(({ name }) => name), ...(this.#made?.names ?? [])]);
    this.#made = { href, postRateS: intervalS, names };
    if (postRateS !== undefined) return;
    // To read it is optional for a server; what it answers goes before our wish.
    const document = await connection.get(href, signal).catch(() => undefined);
    const said = document && integerOf(document, "postRate", 0, MOST_POST_S);
    // 0 is no rate.
    if (said) this.#made = { href, postRateS: said, names };
  }

  #rateS(saidS: number | undefined): number {
    return this.#options.postRateS ?? saidS ?? DEFAULT_POST_S;
  }
}
