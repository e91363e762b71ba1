import type { Clock } from "../../src/clock.ts";
import type { MeteredDevice } from "../../src/model/utility.ts";
import type { XmlElement } from "../ieee2030-5/xml/xml-element.ts";
import { type OutElement, writeXml } from "../ieee2030-5/xml/xml-write.ts";
import { type CsipAus, type DerState, derCapability, derSettings, derStatus } from "./der-documents.ts";
import { ratingsOf } from "./der-ratings.ts";
import { linkOf } from "./polled-resources.ts";
import type { ServerClock } from "./server-clock.ts";
import type { UtilityConnection } from "./utility-connection.ts";
import { UtilityFault } from "./utility-fault.ts";

/** What did not change is said again after this, elapsed ms: a server may have lost it. */
const AGAIN_MS = 3_600_000;
/** What the server did not take is tried again after this, elapsed ms. */
const RETRY_MS = 60_000;

const DOCUMENTS: readonly (readonly [link: string, make: (state: DerState) => OutElement])[] = [
  ["DERCapabilityLink", derCapability],
  ["DERSettingsLink", derSettings],
  ["DERStatusLink", derStatus],
];

export interface DerReporterOptions {
  readonly connection: UtilityConnection;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly csipAus: CsipAus;
  readonly devices: () => readonly MeteredDevice[];
}

/** Tells the server what the DER behind an EndDevice can do, is set to, and does: when it changes, and now and then. */
export class DerReporter {
  readonly #options: DerReporterOptions;
  /** What was told where, and when it is to be told again, elapsed ms. */
  readonly #told = new Map<string, { readonly what: string | undefined; readonly againAtMs: number }>();

  constructor(options: DerReporterOptions) {
    this.#options = options;
  }

  /** @param der the DER with its links @throws UtilityFault, the first, after all has been tried */
  async report(der: XmlElement, signal: AbortSignal): Promise<void> {
    const { connection, clock, serverClock, csipAus } = this.#options;
    const devices = this.#options.devices().filter(({ capability }) => capability !== undefined);
    // A site whose devices have not connected yet has nothing to say of what they can do.
    if (devices.length === 0) return;
    const state = { devices, csipAus, ratings: ratingsOf(devices), nowS: Math.floor(serverClock.now() / 1000) };
    let fault: UtilityFault | undefined;
    for (const [link, make] of DOCUMENTS) {
      const href = linkOf(der, link);
      if (href === undefined) continue;
      const what = writeXml(make({ ...state, nowS: 0 }));
      const before = this.#told.get(href);
      const isSaid = before !== undefined && (before.what === what || before.what === undefined);
      if (isSaid && clock.elapsedMs() < before.againAtMs) continue;
      try {
        await connection.put(href, writeXml(make(state)), signal);
        this.#told.set(href, { what, againAtMs: clock.elapsedMs() + AGAIN_MS });
      } catch (error) {
        if (!(error instanceof UtilityFault)) throw error;
        this.#told.set(href, { what: undefined, againAtMs: clock.elapsedMs() + RETRY_MS });
        fault ??= error;
      }
    }
    if (fault !== undefined) throw fault;
  }
}
