import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { IntervalBody } from "./meter/log-record.ts";
import type { Report } from "./model/adapter.ts";
import type { Era } from "./model/resource.ts";
import { JournalOcpiStore } from "./ocpi/journal-ocpi-store.ts";
import type { OcpiConfig, OcpiPeerConfig } from "./ocpi/ocpi-config.ts";
import type { OcpiTariff } from "./ocpi/ocpi-objects.ts";
import { OcpiServer } from "./ocpi/ocpi-server.ts";
import type { OcpiStore } from "./ocpi/ocpi-store.ts";
import { type OcpiOverview, receivedOverview } from "./ocpi/received-overview.ts";
import type { SiteMeter } from "./site-meter.ts";
import { SiteOffer } from "./site-offer.ts";
import type { OcpiTariffName } from "./site-tariffs.ts";

export interface SiteOcpiOptions {
  readonly config: OcpiConfig;
  /** Folder of the config file. */
  readonly folder: string;
  /** The gateway's data folder. */
  readonly data: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Where the energy of sessions comes from; absent: none is charged. */
  readonly meter?: Pick<SiteMeter, "cut" | "flush"> | undefined;
}

/** The site's OCPI door with its journal: what we offer, and what of what others tell us is used. */
export class SiteOcpi implements AsyncDisposable {
  readonly versionsUrl: string;
  readonly #server: OcpiServer;
  readonly #store: OcpiStore;
  readonly #offer: SiteOffer | undefined;
  readonly #versions: OcpiConfig["versions"];

  private constructor(server: OcpiServer, store: OcpiStore, { versions }: OcpiConfig, offer: SiteOffer | undefined) {
    this.#server = server;
    this.#store = store;
    this.#versions = versions;
    this.#offer = offer;
    this.versionsUrl = server.versionsUrl;
  }

  /** @throws Error naming a file that can't be read, or the address that can't be opened */
  static async start(options: SiteOcpiOptions, signal: AbortSignal): Promise<SiteOcpi> {
    const { folder, data, clock, log, random, meter } = options;
    const config = withPaths(options.config, folder);
    const store = await JournalOcpiStore.open(resolve(data, "ocpi.jsonl"));
    try {
      const server = new OcpiServer({
        config,
        store,
        clock,
        log,
        random,
        newId: randomUUID,
        changed: ({ key, peer, object }) =>
          log.info(object ? "OCPI object received" : "OCPI object deleted", { ...key, peer }),
      });
      await server.start(signal);
      const { location } = config;
      const offer =
        location && (await SiteOffer.open({ config, offer: location, server, store, data, clock, log, meter }, signal));
      return new SiteOcpi(server, store, config, offer);
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A tariff as it came last from its operator, or as we offer it ourselves. */
  tariff(name: OcpiTariffName): OcpiTariff | undefined {
    for (const side of ["theirs", "ours"] as const) {
      for (const version of this.#versions.toReversed()) {
        const found = this.#store.get({ ...name, side, version, module: "tariffs" });
        if (found !== undefined) return found as unknown as OcpiTariff;
      }
    }
    return undefined;
  }

  /** What a device has told. */
  report(era: Era, report: Report): void {
    this.#offer?.report(era, report);
  }

  /** An interval was written to the signed log. */
  interval(body: IntervalBody): void {
    this.#offer?.interval(body);
  }

  overview(): OcpiOverview {
    return receivedOverview(this.#store);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#offer?.[Symbol.asyncDispose]();
    await this.#store[Symbol.asyncDispose]();
  }
}

/** Files in a config are relative to it. */
function withPaths(config: OcpiConfig, folder: string): OcpiConfig {
  const at = (file: string) => resolve(folder, file);
  const { tls } = config;
  return {
    ...config,
    ...(tls && { tls: { certFile: at(tls.certFile), keyFile: at(tls.keyFile) } }),
    peers: config.peers.map(
      (peer): OcpiPeerConfig => ({
        ...peer,
        ...(peer.tokenFile !== undefined && { tokenFile: at(peer.tokenFile) }),
        ...(peer.registrationTokenFile !== undefined && { registrationTokenFile: at(peer.registrationTokenFile) }),
        ...(peer.ourTokenFile !== undefined && { ourTokenFile: at(peer.ourTokenFile) }),
      }),
    ),
  };
}
