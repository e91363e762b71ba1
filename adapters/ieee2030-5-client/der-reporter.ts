import type { Clock } from "../../src/clock.ts";
import type { MeteredDevice } from "../../src/model/utility.ts";
import type { XmlElement } from "../ieee2030-5/xml/xml-element.ts";
import { type OutElement, writeXml } from "../ieee2030-5/xml/xml-write.ts";
import { derAvailability } from "./der-availability.ts";
import { type CsipAus, type DerState, derCapability, derSettings } from "./der-documents.ts";
import { ratingsOf } from "./der-ratings.ts";
import { derStatus, responseMode } from "./der-status.ts";
import type { HeldControls } from "./event-schedule.ts";
import { linkOf } from "./polled-resources.ts";
import type { ServerClock } from "./server-clock.ts";
import type { UtilityConnection } from "./utility-connection.ts";
import { UtilityFault } from "./utility-fault.ts";

/** What did not change is said again after this, elapsed ms: a server may have lost it. */
const AGAIN_MS = 900_000;
/** What the server did not take is tried again after this, elapsed ms. */
const RETRY_MS = 60_000;
/** How often a status is told where the server's postRate says nothing, s. */
const DEFAULT_POST_S = 300;

interface Told {
  readonly link: string;
  /** Nothing where nothing is known to tell. */
  readonly make: (state: DerState) => OutElement | undefined;
  /** What has it told again beside its own content. */
  readonly with?: (state: DerState) => unknown;
  /** It is told anew at the server's postRate, as a status is to be; `only` then and not at each change. */
  readonly isRegular?: true | "only";
}

const DOCUMENTS: readonly Told[] = [
  { link: "DERCapabilityLink", make: derCapability },
  // CSIP-AUS wants the settings too with each mode of demand response.
  { link: "DERSettingsLink", make: derSettings, with: responseMode },
  { link: "DERStatusLink", make: derStatus, isRegular: true },
  // It changes with each cloud.
  { link: "DERAvailabilityLink", make: derAvailability, isRegular: "only" },
];

export interface DerReporterOptions {
  readonly connection: UtilityConnection;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly csipAus: CsipAus;
  readonly devices: () => readonly MeteredDevice[];
}

/** What is told beside what the devices do. */
export interface DerReport {
  /** Controls that hold now. */
  readonly held: HeldControls;
  /** setGradW that the server has set; absent while it has set none. */
  readonly gradient: number | undefined;
  /** Of the EndDevice, where it says one. */
  readonly postRateS: number | undefined;
}

/** Tells the server what the DER behind an EndDevice can do, is set to, and does: when it changes, and now and then. */
export class DerReporter {
  readonly #options: DerReporterOptions;
  /** What was told where, and when it is to be told again, elapsed ms. */
  readonly #told = new Map<string, { readonly what: string | undefined; readonly againAtMs: number }>();

  constructor(options: DerReporterOptions) {
    this.#options = options;
  }

  /**
   * @param der the DER with its links
   * @throws UtilityFault, the first, after all has been tried
   */
  async report(der: XmlElement, { held, gradient, postRateS }: DerReport, signal: AbortSignal): Promise<void> {
    const { connection, clock, serverClock, csipAus } = this.#options;
    const devices = this.#options.devices().filter(({ capability }) => capability !== undefined);
    // A site whose devices have not connected yet has nothing to say of what they can do.
    if (devices.length === 0) return;
    const nowS = Math.floor(serverClock.now() / 1000);
    const state: DerState = { devices, csipAus, held, gradient, ratings: ratingsOf(devices), nowS };
    const statusMs = Math.min((postRateS ?? DEFAULT_POST_S) * 1000, AGAIN_MS);
    let fault: UtilityFault | undefined;
    for (const { link, make, with: occasion, isRegular } of DOCUMENTS) {
      const href = linkOf(der, link);
      if (href === undefined) continue;
      const againMs = isRegular === undefined ? AGAIN_MS : statusMs;
      const document = make({ ...state, nowS: 0 });
      if (document === undefined) continue;
      const what = isRegular === "only" ? "" : `${writeXml(document)} ${occasion?.(state) ?? ""}`;
      const before = this.#told.get(href);
      const isSaid = before !== undefined && (before.what === what || before.what === undefined);
      if (isSaid && clock.elapsedMs() < before.againAtMs) continue;
      try {
        await connection.put(href, writeXml(make(state) ?? document), signal);
        this.#told.set(href, { what, againAtMs: clock.elapsedMs() + againMs });
      } catch (error) {
        if (!(error instanceof UtilityFault)) throw error;
        this.#told.set(href, { what: undefined, againAtMs: clock.elapsedMs() + RETRY_MS });
        fault ??= error;
      }
    }
    if (fault !== undefined) throw fault;
  }
}
