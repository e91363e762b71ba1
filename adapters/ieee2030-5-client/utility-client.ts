import { type Clock, repeatEvery, withDeadline } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { MeteredDevice, UtilityDemand, UtilityPort } from "../../src/model/utility.ts";
import { Bell } from "../ieee2030-5/controls/bell.ts";
import { canonicalLfdi, type Lfdi, sfdiFromLfdi } from "../ieee2030-5/identity.ts";
import type { TlsFiles } from "../ieee2030-5/server/tls-files.ts";
import { BadDocument, childrenOf, integerOf, type XmlElement } from "../ieee2030-5/xml/xml-element.ts";
import { element, writeXml } from "../ieee2030-5/xml/xml-write.ts";
import type { AdapterMemory } from "../kind.ts";
import type { Shared } from "./config.ts";
import { ControlRamp } from "./control-ramp.ts";
import { connectionPoint } from "./der-documents.ts";
import { type DerReport, DerReporter } from "./der-reporter.ts";
import { deviceCategory } from "./device-category.ts";
import { demandOf, type EndDevice, findEndDevice } from "./end-device.ts";
import { EventSchedule, RESPONSE } from "./event-schedule.ts";
import { eventMemory } from "./kept-events.ts";
import { MirrorMetering } from "./mirror-metering.ts";
import { linkOf, type PolledResource, PolledResources } from "./polled-resources.ts";
import { readPrograms } from "./program-reader.ts";
import { ResponseOutbox } from "./response-outbox.ts";
import { loadDefaults, saveDefaults } from "./saved-defaults.ts";
import { ServerClock } from "./server-clock.ts";
import { Subscriptions } from "./subscriptions.ts";
import { UtilityConnection } from "./utility-connection.ts";
import { UtilityFault } from "./utility-fault.ts";
import { capabilityFor, isDiscovery } from "./version-discovery.ts";

/** Longest time without a look at what holds now, ms. */
const LOOK_MS = 1_000;
const SAMPLE_MS = 1_000;
const MOST_WAIT_MS = 60_000;
/** How often it is looked whether a document of a DER has changed, ms. */
const REPORT_MS = 10_000;
/** After the server showed another PIN: it is somebody else's registration until a person has looked. */
const CEASE_MS = 3_600_000;
const FAREWELL_MS = 2_000;
const DISCOVERY_MS = 86_400_000;

export interface UtilityClientOptions {
  readonly shared: Shared;
  readonly tls: TlsFiles;
  readonly ownLfdi: Lfdi;
  readonly port: UtilityPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly memory: AdapterMemory;
  /** Where the server reaches us; nothing while nobody listens. */
  readonly notificationURI: () => string | undefined;
}

/** The registration at the server is of another PIN than ours. */
class WrongPin extends Error {
  override readonly name = "WrongPin";
}

/** The site as a client of a utility's 2030.5 server: it finds its controls, keeps them, and tells what it does. */
export class UtilityClient {
  readonly #options: UtilityClientOptions;
  readonly #connection: UtilityConnection;
  readonly #resources: PolledResources;
  readonly #serverClock: ServerClock;
  readonly #outbox: ResponseOutbox;
  readonly #endDevices: readonly EndDevice[];
  readonly #polls = new Bell();
  readonly #events = new Bell();
  readonly #told = new Set<string>();
  #mirrorList: string | undefined;
  #demands = "";
  #details = "";
  #start: { readonly href: string; readonly againAtMs: number } | undefined;
  #outcome: { succeeded: boolean; fault?: string } = { succeeded: false };
  #waitingFor: string | undefined;

  constructor(options: UtilityClientOptions) {
    const { shared, tls, clock, log, random, memory } = options;
    this.#options = options;
    this.#connection = new UtilityConnection({ url: shared.url, tls, serverLfdi: shared.serverLfdi, clock });
    this.#serverClock = new ServerClock(clock);
    this.#outbox = new ResponseOutbox({ connection: this.#connection, clock, log, random, memory });
    this.#resources = new PolledResources({
      connection: this.#connection,
      clock,
      random,
      rates: shared,
      onOutcome: (href, fault) => this.#noteOutcome(href, fault),
    });
    this.#endDevices = [
      this.#endDevice({ lfdi: options.ownLfdi }),
      ...shared.devices.map(({ era, lfdi }) => this.#endDevice({ era, lfdi: canonicalLfdi(lfdi) })),
    ];
  }

  /** Obeys the server until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { memory, clock } = this.#options;
    for (const one of this.#endDevices) {
      const saved = loadDefaults(memory, one.lfdi);
      if (saved === undefined) continue;
      one.schedule.setDefaults(saved);
      one.hasDefaults = true;
    }
    this.#tellLink(false, "not reached yet");
    await Promise.all([
      this.#runEvents(signal),
      this.#runPolls(signal),
      this.#outbox.run(signal),
      repeatEvery(clock, SAMPLE_MS, signal, () => this.#sample()),
      this.#runReports(signal),
    ]);
  }

  /** Takes back what the server would keep sending, then closes. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    await withDeadline(clock, FAREWELL_MS, new AbortController().signal, async (signal) => {
      for (const { subscriptions } of this.#endDevices) await subscriptions.end(signal);
    }).catch(() => {});
    this.#connection.close();
  }

  /** The server says that a resource has changed: it is read at once. */
  notified(subscribedResource: string, status: number): void {
    if (status !== 0) for (const { subscriptions } of this.#endDevices) subscriptions.ended(subscribedResource);
    if (this.#resources.hasten(subscribedResource)) this.#polls.ring();
    else this.#options.log.info("a notification is about something that is not polled", { subscribedResource });
  }

  #endDevice(identity: { readonly era?: string; readonly lfdi: Lfdi }): EndDevice {
    const { shared, port, clock, log, random, memory, notificationURI } = this.#options;
    const { era, lfdi } = identity;
    const devices = (): readonly MeteredDevice[] =>
      era === undefined ? port.devices() : port.devices().filter((device) => device.era === era);
    const common = { connection: this.#connection, clock, serverClock: this.#serverClock, devices };
    const metering = (role: "site" | "der") =>
      new MirrorMetering({ ...common, identity: { lfdi, role, pen: shared.pen }, postRateS: shared.postRateS });
    const schedule = new EventSchedule({
      random,
      memory: eventMemory(memory, lfdi, clock.now(), (error) => {
        log.warn("an event of the utility may be answered twice after a restart", { reason: String(error) });
      }),
      unsupportedStatus: shared.revision === "2023" ? RESPONSE.notSupported : RESPONSE.notApplicable,
      onAnswer: ({ event, status }) => {
        const createdAtS = Math.floor(this.#serverClock.now() / 1000);
        this.#outbox.add({ replyTo: event.replyTo ?? "", lfdi, subject: event.mRID, status, createdAtS });
      },
    });
    return {
      ...identity,
      schedule,
      ramp: new ControlRamp(clock),
      devices,
      reporter: new DerReporter({ ...common, csipAus: shared.csipAus }),
      metering: era === undefined ? [metering("site"), metering("der")] : [metering("der")],
      subscriptions: new Subscriptions(this.#connection, clock, log, notificationURI),
      held: new Map(),
      ders: [],
      hasDefaults: false,
    };
  }

  async #runEvents(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nowMs = this.#serverClock.now();
      this.#oblige(nowMs);
      const changes = this.#endDevices.flatMap(({ schedule }) => schedule.nextChangeMs(nowMs) ?? []);
      const waitMs = Math.min(LOOK_MS, ...changes.map((time) => Math.max(1, time - nowMs)));
      await this.#events.wait(this.#options.clock, waitMs, signal).catch(() => {});
    }
  }

  #oblige(nowMs: number): void {
    const { shared, port } = this.#options;
    const demands: UtilityDemand[] = this.#endDevices.flatMap((one) => demandOf(one, nowMs) ?? []);
    const [site] = this.#endDevices;
    if (site?.hasDefaults === false && shared.untilFirstContact !== undefined) {
      const given = Object.entries(shared.untilFirstContact).filter(([, bound]) => bound !== undefined);
      demands.push({ ...Object.fromEntries(given), detail: "until the utility's server has told its default" });
    }
    const text = JSON.stringify(demands);
    if (text === this.#demands) return;
    this.#demands = text;
    const details = demands.map(({ era, detail }) => `${era ?? "site"}: ${detail}`);
    // The steps of a ramp are all the same demand.
    if (details.join() !== this.#details) this.#options.log.info("utility demands", { demands: details });
    this.#details = details.join();
    port.oblige(demands);
  }

  async #runPolls(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        this.#outcome = { succeeded: false };
        await this.#round(signal);
        this.#tellOutcome();
        this.#events.ring();
        await this.#polls.wait(clock, Math.min(Math.max(1, this.#resources.dueInMs), MOST_WAIT_MS), signal);
      } catch (error) {
        if (signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        if (error instanceof WrongPin) {
          log.error("the utility's registration is not ours; nothing more is asked of it", { reason });
          this.#tellLink(false, reason);
          this.#mirrorList = undefined;
          for (const one of this.#endDevices) one.ders = [];
          await clock.sleep(CEASE_MS, signal).catch(() => {});
        } else {
          log.error("a round at the utility's server failed", { reason });
          await clock.sleep(LOOK_MS, signal).catch(() => {});
        }
      }
    }
  }

  /** From the DeviceCapability down, by links alone; what is not due comes from what was read before. */
  async #round(signal: AbortSignal): Promise<void> {
    const resources = this.#resources;
    resources.beginRound();
    const start = await this.#startOf(signal);
    const dcap = start === undefined ? undefined : await resources.read(start, signal);
    if (dcap === undefined) return;
    await this.#readable("Time", this.#readTime(dcap, signal));
    this.#mirrorList = linkOf(dcap.document, "MirrorUsagePointListLink");
    // Nothing in it is needed; servers look at who comes back.
    if (this.#mirrorList !== undefined) await resources.readList(this.#mirrorList, signal, dcap.pollRateS);
    const href = linkOf(dcap.document, "EndDeviceListLink");
    const list = href === undefined ? undefined : await resources.readList(href, signal, dcap.pollRateS);
    if (href !== undefined && list !== undefined) {
      for (const one of this.#endDevices) await this.#readable("EndDevice", this.#visit(one, href, list, signal));
    }
    resources.endRound();
  }

  /** Where the DeviceCapability is: as configured, or as the server says of our edition, asked for again once a day. */
  async #startOf(signal: AbortSignal): Promise<string | undefined> {
    const { shared, clock } = this.#options;
    if (!isDiscovery(shared.url)) return shared.url;
    if (this.#start !== undefined && clock.elapsedMs() < this.#start.againAtMs) return this.#start.href;
    try {
      const href = capabilityFor(shared.csipAus, await this.#connection.getJson(shared.url, signal));
      this.#start = { href, againAtMs: clock.elapsedMs() + DISCOVERY_MS };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UtilityFault)) throw error;
      this.#noteOutcome(shared.url, error);
    }
    return this.#start?.href;
  }

  /** A document whose XML is sound and whose content is not stops only what hangs on it. */
  async #readable(what: string, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof BadDocument)) throw error;
      this.#noteOutcome(what, error);
    }
  }

  async #readTime(dcap: PolledResource, signal: AbortSignal): Promise<void> {
    const href = linkOf(dcap.document, "TimeLink");
    const time = href === undefined ? undefined : await this.#resources.read(href, signal, dcap.pollRateS);
    const currentTime = time?.isFresh ? integerOf(time.document, "currentTime", 0, Number.MAX_SAFE_INTEGER) : undefined;
    if (time !== undefined && currentTime !== undefined) this.#serverClock.said(currentTime, time.askedAtMs);
  }

  async #visit(one: EndDevice, href: string, list: PolledResource, signal: AbortSignal): Promise<void> {
    const { registration } = this.#options.shared;
    let found = findEndDevice(list.document, one.lfdi);
    if (found === undefined && registration === "in-band" && list.isFresh) {
      found = await this.#register(one, href, signal);
    }
    if (found === undefined) {
      this.#waitingFor = `waits to be registered as LFDI ${one.lfdi}, SFDI ${sfdiFromLfdi(one.lfdi)}`;
      return;
    }
    this.#waitingFor = undefined;
    const postRateS = integerOf(found, "postRate", 0, Number.MAX_SAFE_INTEGER);
    if (postRateS !== undefined && postRateS > 0) one.postRateS = postRateS;
    if (one.era === undefined) await this.#checkPin(found, list.pollRateS, signal);
    await this.#tellConnectionPoint(one, found, signal);
    const programs = await readPrograms(
      found,
      one.schedule,
      {
        resources: this.#resources,
        inheritedS: list.pollRateS,
        nowMs: () => this.#serverClock.now(),
        log: this.#options.log,
      },
      signal,
    );
    if (programs.isWhole && programs.defaults.length > 0) {
      one.hasDefaults = true;
      await saveDefaults(this.#options.memory, one.lfdi, programs.defaults);
    }
    this.#events.ring();
    await this.#readDers(one, found, list.pollRateS, signal);
    const subscriptions = linkOf(found, "SubscriptionListLink");
    if (subscriptions !== undefined) {
      await one.subscriptions.keep(subscriptions, [list.document, ...programs.resources], signal);
    }
  }

  /** @returns the EndDevice as the server has it now */
  async #register(one: EndDevice, list: string, signal: AbortSignal): Promise<XmlElement | undefined> {
    const { log } = this.#options;
    const document = element("EndDevice", [
      element("deviceCategory", deviceCategory(one.devices(), one.era === undefined)),
      element("lFDI", one.lfdi),
      element("sFDI", sfdiFromLfdi(one.lfdi)),
      element("changedTime", Math.floor(this.#serverClock.now() / 1000)),
    ]);
    try {
      const made = await this.#connection.post(list, writeXml(document), signal);
      log.info("registered at the utility's server", { lfdi: one.lfdi, href: made });
    } catch (error) {
      if (!(error instanceof UtilityFault)) throw error;
      this.#noteOutcome(list, error);
      return undefined;
    }
    this.#resources.hasten(list);
    const again = await this.#resources.readList(list, signal);
    return again && findEndDevice(again.document, one.lfdi);
  }

  async #checkPin(endDevice: XmlElement, inheritedS: number | undefined, signal: AbortSignal): Promise<void> {
    const { pin } = this.#options.shared;
    const href = linkOf(endDevice, "RegistrationLink");
    if (href === undefined) return;
    const registration = await this.#resources.read(href, signal, inheritedS);
    const shown = registration && integerOf(registration.document, "pIN", 0, 999_999);
    if (pin !== undefined && shown !== undefined && shown !== pin) {
      throw new WrongPin("the PIN of its Registration is not the one of the config");
    }
  }

  async #tellConnectionPoint(one: EndDevice, endDevice: XmlElement, signal: AbortSignal): Promise<void> {
    const { connectionPointId } = this.#options.shared;
    const href = linkOf(endDevice, "ConnectionPointLink");
    if (one.era !== undefined || href === undefined || connectionPointId === undefined || this.#told.has(href)) return;
    try {
      await this.#connection.put(href, writeXml(connectionPoint(connectionPointId)), signal);
      this.#told.add(href);
    } catch (error) {
      if (!(error instanceof UtilityFault)) throw error;
      this.#noteOutcome(href, error);
    }
  }

  async #readDers(
    one: EndDevice,
    endDevice: XmlElement,
    inheritedS: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const href = linkOf(endDevice, "DERListLink");
    const list = href === undefined ? undefined : await this.#resources.readList(href, signal, inheritedS);
    // All that is behind one EndDevice is told as one DER: the first.
    one.ders = list === undefined ? [] : childrenOf(list.document, "DER").slice(0, 1);
  }

  #sample(): void {
    for (const { metering } of this.#endDevices) for (const mirror of metering) mirror.sample();
  }

  async #runReports(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let reportAtMs = 0;
    await repeatEvery(clock, SAMPLE_MS, signal, async () => {
      const mirrorList = this.#mirrorList;
      const isDue = clock.elapsedMs() >= reportAtMs;
      for (const one of this.#endDevices) {
        for (const der of isDue ? one.ders : []) {
          await this.#guarded("DER", one.reporter.report(der, reportOf(one), signal), signal);
        }
        if (mirrorList === undefined || one.ders.length + one.schedule.defaults.length === 0) continue;
        for (const mirror of one.metering) {
          await this.#guarded("metering", this.#post(mirror, mirrorList, one.postRateS, signal), signal);
        }
      }
      if (isDue) reportAtMs = clock.elapsedMs() + REPORT_MS;
    });
  }

  async #post(mirror: MirrorMetering, list: string, postRateS: number | undefined, signal: AbortSignal): Promise<void> {
    if (await mirror.post(list, postRateS, signal)) this.#resources.hasten(list);
  }

  async #guarded(what: string, work: Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UtilityFault || error instanceof BadDocument)) throw error;
      this.#options.log.warn(`the utility did not take our ${what}`, { reason: error.message });
    }
  }

  #noteOutcome(href: string, fault: UtilityFault | BadDocument | undefined): void {
    if (fault === undefined) this.#outcome.succeeded = true;
    else {
      this.#outcome.fault = fault.message;
      this.#options.log.info("the utility's server did not answer as it should", { href, reason: fault.message });
    }
  }

  /** A round in which nothing was due tells nothing. */
  #tellOutcome(): void {
    const { succeeded, fault } = this.#outcome;
    if (!succeeded && fault === undefined) return;
    if (!succeeded) this.#tellLink(false, `${fault}; what it said before goes on, and its default after that`);
    else if (fault !== undefined) this.#tellLink(true, fault);
    else this.#tellLink(true, this.#waitingFor ?? `registered as LFDI ${this.#options.ownLfdi}`);
  }

  #tellLink(linkUp: boolean, linkDetail: string): void {
    this.#options.port.link({ server: this.#options.shared.url, linkUp, linkDetail });
  }
}

function reportOf({ held, schedule: { gradient }, postRateS }: EndDevice): DerReport {
  return { held, gradient, postRateS };
}
