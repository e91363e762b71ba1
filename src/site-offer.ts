import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { IntervalBody } from "./meter/log-record.ts";
import { recentIntervals } from "./meter/recent-intervals.ts";
import type { Report } from "./model/adapter.ts";
import type { Era } from "./model/resource.ts";
import { ChargingSessions, type MeteredInterval, type OpenSession } from "./ocpi/charging-sessions.ts";
import type { OcpiConfig } from "./ocpi/ocpi-config.ts";
import type { OcpiServer } from "./ocpi/ocpi-server.ts";
import type { OcpiStore } from "./ocpi/ocpi-store.ts";
import { msFromOcpiTime } from "./ocpi/ocpi-time.ts";
import { isSameParty, type OcpiModule, type OcpiParty, type OcpiVersion } from "./ocpi/ocpi-version.ts";
import type { OfferConfig } from "./ocpi/offer-config.ts";
import { type EvseState, siteLocation, siteTariff } from "./ocpi/offered-site.ts";
import { PeerPush } from "./ocpi/peer-push.ts";
import type { SiteMeter } from "./site-meter.ts";

/** Sessions and CDRs of ours that are kept for peers to read, of each in each version; the oldest go first. */
const MAX_KEPT = 1_000;
/** How long after the plug a charger may still send the readings of its transaction's end. */
const LAST_WORD_MS = 5_000;
/** What an OCPP connector without a car says of itself. */
const NO_CAR = "no car";

export interface SiteOfferOptions {
  readonly config: OcpiConfig;
  readonly offer: OfferConfig;
  readonly server: OcpiServer;
  readonly store: OcpiStore;
  /** The gateway's data folder. */
  readonly data: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the energy of sessions comes from; absent: none is charged. */
  readonly meter?: Pick<SiteMeter, "cut" | "flush"> | undefined;
}

/** What the site offers to OCPI peers: itself, its tariff, and a session and a CDR of each charge; to read and told. */
export class SiteOffer implements AsyncDisposable {
  readonly #options: SiteOfferOptions;
  readonly #stop = new AbortController();
  readonly #sessions: ChargingSessions;
  readonly #states = new Map<Era, EvseState>();
  readonly #pushes: readonly { readonly peer: OcpiConfig["peers"][number]; readonly push: PeerPush }[];
  /** One change of the store after the other, in the order in which they came. */
  #working: Promise<void> = Promise.resolve();
  #settling: Promise<void> = Promise.resolve();

  private constructor(options: SiteOfferOptions, before: readonly OpenSession[]) {
    this.#options = options;
    const { config, offer, server, clock, log, meter } = options;
    this.#pushes = config.peers
      .filter((peer) => peer.versionsUrl !== undefined || peer.registrationToken !== undefined)
      .map((peer) => {
        const client = () => server.client(peer.name);
        return { peer, push: new PeerPush({ peer: peer.name, client, clock, log }, this.#stop.signal) };
      });
    this.#sessions = new ChargingSessions(
      {
        us: config,
        offer,
        versions: config.versions,
        newId: randomUUID,
        cut: (era, atMs) => meter?.cut(era, atMs) ?? atMs,
        session: (version, session) => this.#offer("sessions", version, session, ownerOf(session.cdr_token)),
        cdr: (version, cdr) => this.#offer("cdrs", version, cdr, ownerOf(cdr.cdr_token)),
        uncharged: (era, session, reason) => log.warn("a charge has no CDR", { era, session, reason }),
      },
      before,
    );
  }

  /** Puts location and tariff up, and takes up the sessions of the time before a restart. */
  static async open(options: SiteOfferOptions, signal: AbortSignal): Promise<SiteOffer> {
    const site = new SiteOffer(options, await openSessions(options));
    signal.addEventListener("abort", () => site.#stop.abort(signal.reason), { once: true });
    const { config, offer, clock } = options;
    for (const version of config.versions)
      site.#offer("tariffs", version, siteTariff(config, offer, version, clock.now()));
    site.#offerLocation();
    await site.#working;
    return site;
  }

  /** A charger's plug and link decide its sessions and how its EVSE stands. */
  report(era: Era, report: Report): void {
    if (!this.#options.offer.evses.some((evse) => evse.era === era)) return;
    if (report.kind === "link" && !report.up) this.#stand(era, "UNKNOWN");
    if (report.kind !== "availability") return;
    const canCharge = report.availability.minPowerKW < 0;
    this.#stand(era, canCharge ? "CHARGING" : report.availability.reason === NO_CAR ? "AVAILABLE" : "UNKNOWN");
    this.#guarded(() => {
      if (!this.#sessions.plug(era, canCharge, this.#options.clock.now())) return;
      this.#settling = Promise.all([this.#settling, this.#settle(era)]).then(() => {});
    });
  }

  /** An interval was written to the signed log. */
  interval(body: IntervalBody): void {
    this.#guarded(() => this.#sessions.interval(meteredInterval(body), this.#options.clock.now()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the gateway stops"));
    await this.#settling;
    await this.#working;
    await Promise.all(this.#pushes.map(({ push }) => push.idle()));
  }

  /** A charger without a car tells no more readings, so its last interval is not ended by a next one. */
  async #settle(era: Era): Promise<void> {
    const { clock, log, meter } = this.#options;
    try {
      await clock.sleep(LAST_WORD_MS, this.#stop.signal);
      await meter?.flush(era);
      this.#guarded(() => this.#sessions.settle(era, clock.now()));
    } catch (error) {
      if (!this.#stop.signal.aborted) log.error("a charge could not be ended", { era, reason: String(error) });
    }
  }

  #stand(era: Era, state: EvseState): void {
    if (this.#states.get(era) === state) return;
    this.#states.set(era, state);
    this.#offerLocation();
  }

  #offerLocation(): void {
    const { config, offer, clock } = this.#options;
    const location = siteLocation(config, offer, (era) => this.#states.get(era) ?? "UNKNOWN", clock.now());
    for (const version of config.versions) this.#offer("locations", version, location);
  }

  /** To read for all peers, and told to those who take it. @param owner whose it is; absent: everybody's */
  #offer(module: OcpiModule, version: OcpiVersion, object: { readonly id: string }, owner?: OcpiParty): void {
    const { server, log } = this.#options;
    this.#working = this.#working.then(async () => {
      try {
        await server.publish(version, module, object);
        if (owner !== undefined) await this.#forgetOldest(module, version);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.error("an OCPI object could not be offered", { module, id: object.id, reason });
        return;
      }
      for (const { peer, push } of this.#pushes) {
        const isFor = owner === undefined || peer.parties.some((party) => isSameParty(party, owner));
        if (isFor && peer.version === version && peer.modules.includes(module)) push.tell(module, object.id, object);
      }
    });
  }

  async #forgetOldest(module: OcpiModule, version: OcpiVersion): Promise<void> {
    const { server, store } = this.#options;
    const { total, objects } = store.list({ side: "ours", version, module, offset: 0, limit: 1 });
    const [oldest] = objects;
    if (total > MAX_KEPT && oldest !== undefined) await server.withdraw(version, module, String(oldest["id"]));
  }

  /** A charge that can't be reckoned must not hold up what the device does. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.log.error("a charging session failed", {
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

/** Sessions that were going on when the gateway stopped, with what the log has of them. */
async function openSessions({ config, offer, store, data }: SiteOfferOptions): Promise<readonly OpenSession[]> {
  const [version] = config.versions;
  if (version === undefined) return [];
  const { objects } = store.list({ side: "ours", version, module: "sessions", offset: 0, limit: MAX_KEPT });
  const open = objects.flatMap((session) => {
    const evse = offer.evses.find(({ uid }) => uid === session["evse_uid"]);
    const startMs = msFromOcpiTime(String(session["start_date_time"]));
    if (session["status"] !== "ACTIVE" || evse === undefined || startMs === undefined) return [];
    return [{ id: String(session["id"]), era: evse.era, startMs, intervals: [] as MeteredInterval[] }];
  });
  if (open.length === 0) return [];
  const sinceMs = Math.min(...open.map(({ startMs }) => startMs));
  for await (const body of recentIntervals(resolve(data, "meter"), sinceMs)) {
    const session = open.find(({ era, startMs }) => era === body.era && Date.parse(body.start) >= startMs);
    session?.intervals.push(meteredInterval(body));
  }
  return open;
}

function ownerOf(token: { readonly country_code: string; readonly party_id: string }): OcpiParty {
  return { countryCode: token.country_code, partyId: token.party_id };
}

/** An interval of the log as a session counts it. */
function meteredInterval(body: IntervalBody): MeteredInterval {
  const { era, start, end, quality, importWh, exportWh, pricePerKWh, currency } = body;
  return {
    era,
    startMs: Date.parse(start),
    endMs: Date.parse(end),
    isGap: quality === "GAP",
    ...(importWh !== undefined && { importWh }),
    ...(exportWh !== undefined && { exportWh }),
    ...(pricePerKWh !== undefined && currency !== undefined && { pricePerKWh: Number(pricePerKWh), currency }),
  };
}
