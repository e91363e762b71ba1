import { setMaxListeners } from "node:events";
import { resolve } from "node:path";
import type { AdapterKind } from "../adapters/kind.ts";
import { type GatewayView, gatewayRoutes } from "./api/gateway-routes.ts";
import { LocalApi } from "./api/local-api.ts";
import { Metrics } from "./api/metrics.ts";
import type { StatusReport } from "./api/status-report.ts";
import { BidKeeper } from "./bid-keeper.ts";
import { BidOutlooks } from "./bid-outlook.ts";
import { snapToRunnable } from "./bidding/semi-continuous.ts";
import { type Clock, repeatEvery } from "./clock.ts";
import { AcceptedDevices } from "./config/accepted-devices.ts";
import type { Config, DeviceConfig, MarketConfig } from "./config/schema.ts";
import { runDeviceRamp } from "./device-ramp-run.ts";
import { runDeviceTest } from "./device-test-run.ts";
import { type DispatchedDevice, Dispatcher } from "./dispatch/dispatcher.ts";
import type { Log } from "./log.ts";
import { MarketLink } from "./market-link.ts";
import { recentIntervals } from "./meter/recent-intervals.ts";
import type { Adapter, Report } from "./model/adapter.ts";
import type { BidCurve } from "./model/bid-curve.ts";
import type { Setpoint } from "./model/setpoint.ts";
import type { UtilityLink, UtilityPort } from "./model/utility.ts";
import type { Judgement } from "./model/verdict.ts";
import { setpointsToResume } from "./resume-setpoints.ts";
import { SessionKeeper } from "./session-keeper.ts";
import { createSiteDevices, type SiteDevices } from "./site-devices.ts";
import { SiteFlexibility } from "./site-flexibility.ts";
import { bandOfKind, meteredDevices, operatorLimit, siteConnection } from "./site-limits.ts";
import { SiteMeter } from "./site-meter.ts";
import type { SiteOcpi } from "./site-ocpi.ts";
import { DeviceRoster } from "./site-roster.ts";
import type { OcpiTariffName } from "./site-tariffs.ts";
import { statusReport } from "./status.ts";
import { AdapterMemories } from "./store/adapter-memories.ts";
import type { ObjectiveRecord } from "./store/control-store.ts";
import { SqliteStore } from "./store/sqlite-store.ts";
import { Tally } from "./tally.ts";
import { Recorder } from "./telemetry/recorder.ts";

const RECORD_MS = 2_000;
const PRUNE_MS = 600_000;
const OUTBOX_LOOK_MS = 1_000;

export interface GatewayOptions {
  readonly config: Config;
  /** Folder of the config file; paths in it are relative to this. */
  readonly folder: string;
  // biome-ignore lint/suspicious/noExplicitAny: each kind's own schema has checked its part of the config
  readonly adapters: readonly AdapterKind<any, any>[];
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1); only for jitter. */
  readonly random: () => number;
}

/** The daemon: one site, its devices and its market. `start` opens everything in order, disposal closes it in reverse. */
export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions;
  /** As it is now: devices may be accepted and forgotten while the daemon runs. */
  readonly #config: Config & { readonly devices: DeviceConfig[] };
  readonly #stop = new AbortController();
  readonly #metrics = new Metrics();
  readonly #tally = new Tally();
  readonly #market = { received: 0, acked: 0, nacked: 0, onConfirm: 0, sent: 0, lastMessageMs: 0 };
  readonly #running: Promise<void>[] = [];
  readonly #startedAtMs: number;
  #ready = false;
  #store: SqliteStore | undefined;
  #recorder: Recorder | undefined;
  #meter: SiteMeter | undefined;
  #meterFault: string | undefined;
  #ocpi: SiteOcpi | undefined;
  #devices: SiteDevices | undefined;
  #dispatcher: Dispatcher | undefined;
  #link: MarketLink | undefined;
  #bids: BidKeeper | undefined;
  #outlooks: BidOutlooks | undefined;
  #flexibility: SiteFlexibility | undefined;
  #sessions: SessionKeeper | undefined;
  #api: LocalApi | undefined;
  #outboxSize = 0;
  #utilityLink: UtilityLink | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#config = { ...options.config, devices: [...options.config.devices] };
    // Every device and every part listens for the stop; Node takes more than ten for a leak.
    setMaxListeners(0, this.#stop.signal);
    this.#startedAtMs = options.clock.now();
  }

  /** @throws Error naming what could not be opened; what was open by then is closed at disposal */
  async start(): Promise<void> {
    const { folder, clock, log, random } = this.#options;
    const config = this.#config;
    const { signal } = this.#stop;
    const data = resolve(folder, config.data);
    const accepted = new AcceptedDevices(data, this.#options.adapters);
    config.devices.push(...accepted.beside(config));

    const store = await SqliteStore.open(data);
    this.#store = store;
    const recorder = new Recorder(store, log);
    this.#recorder = recorder;
    this.#meter = await this.#openMeter(data);

    const memories = await AdapterMemories.open(store, clock);
    const roster = this.#createRoster(accepted);
    const context = {
      clock,
      log,
      random,
      utility: this.#utilityPort(),
      ...(config.market !== undefined && { marketIntervalMs: config.market.interval }),
    };
    const devices = await createSiteDevices(config, folder, this.#options.adapters, context, memories, (kind) =>
      roster.of(kind),
    );
    this.#devices = devices;

    const dispatcher = this.#createDispatcher(devices);
    this.#dispatcher = dispatcher;

    if (config.market !== undefined) {
      this.#flexibility = await this.#createFlexibility(config.market, data, dispatcher);
      this.#createMarket(config.market, store, dispatcher, await store.objectives());
    }
    await this.#resume(store, dispatcher);

    // Before the devices: whoever is plugged in is told of at once.
    if (config.ocpi !== undefined) this.#ocpi = await this.#startOcpi(config.ocpi, data);
    await devices.start(signal);
    const running = dispatcher.run(signal);
    // The market comes last in and is first out: no setpoint arrives before there is somebody to follow it.
    await this.#link?.start(signal);
    await this.#openApi(data, store);
    this.#running.push(
      running,
      recorder.run(clock, RECORD_MS, signal),
      repeatEvery(clock, PRUNE_MS, signal, () => this.#guarded("prune", store.prune(clock.now()))),
      repeatEvery(clock, OUTBOX_LOOK_MS, signal, () => this.#guarded("outbox size", this.#lookAtOutbox(store))),
    );
    if (this.#bids) this.#running.push(this.#bids.run(signal));
    if (this.#outlooks) this.#running.push(this.#outlooks.run(signal));
    this.#ready = true;
    log.info("ready", { site: config.site.name, devices: config.devices.length, ...this.addresses() });
  }

  /** Where the listeners are: `api`, `webhook`, and one for each protocol that devices dial in to. */
  addresses(): Readonly<Record<string, string>> {
    return {
      ...(this.#api && { api: this.#api.address }),
      ...(this.#ocpi && { ocpi: this.#ocpi.versionsUrl }),
      ...this.#link?.addresses(),
      ...this.#devices?.addresses(),
    };
  }

  status(): StatusReport {
    const { version, clock } = this.#options;
    const config = this.#config;
    const { lastMessageMs, ...counts } = this.#market;
    const mqtt = this.#link?.mqttState;
    return statusReport({
      config,
      version,
      startedAtMs: this.#startedAtMs,
      nowMs: clock.now(),
      ready: this.#ready,
      addresses: this.addresses(),
      snapshots: this.#dispatcher?.snapshot() ?? [],
      tally: (era) => this.#tally.device(era),
      readings: (era) => this.#recorder?.tally(era).readings ?? 0,
      bidCurves: (era) => this.#bids?.curvesSent(era) ?? 0,
      objective: (era) => this.#bids?.objectiveStatus(era),
      strangers: this.#devices?.strangers() ?? [],
      ...(this.#meterFault !== undefined && { meterFault: this.#meterFault }),
      ...(this.#utilityLink && { utility: { ...this.#utilityLink, demands: this.#dispatcher?.demands ?? [] } }),
      ...(config.market && {
        market: {
          ...counts,
          outbox: this.#outboxSize,
          ...(lastMessageMs > 0 && { lastMessageMs }),
          ...(mqtt !== undefined && { mqtt }),
        },
      }),
    });
  }

  /** What a resource has bid last; nothing before its first bid. */
  bidCurve(era: string): BidCurve | undefined {
    return this.#bids?.curve(era);
  }

  /** Closes in order: market, devices, store. Devices end their commands by themselves, or are released here. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ready = false;
    await this.#guarded("api", this.#api?.[Symbol.asyncDispose]());
    await this.#guarded("market", this.#link?.[Symbol.asyncDispose]());
    await this.#guarded("sessions", this.#sessions?.close());
    const ocpi = this.#ocpi;
    // What the meter still tells is in its log, and is read from there after the next start.
    this.#ocpi = undefined;
    await this.#guarded("ocpi", ocpi?.[Symbol.asyncDispose]());
    await this.#guarded("devices", this.#dispatcher?.shutDown());
    this.#stop.abort(new Error("the gateway stops"));
    await Promise.allSettled(this.#running);
    await this.#guarded("devices", this.#devices?.[Symbol.asyncDispose]());
    await this.#guarded("meter", this.#meter?.[Symbol.asyncDispose]());
    await this.#guarded("store", this.#store?.[Symbol.asyncDispose]());
    this.#options.log.info("stopped");
  }

  /** Devices have to be controlled also where somebody changed the interval log; a person is told, and it is left as it is. */
  async #openMeter(data: string): Promise<SiteMeter | undefined> {
    const { config, clock, log } = this.#options;
    try {
      return await SiteMeter.open({
        data,
        intervalMs: config.market?.interval,
        onIntervals: (bodies) => {
          for (const body of bodies) {
            this.#flexibility?.interval(body);
            this.#ocpi?.interval(body);
          }
        },
        clock,
        log,
      });
    } catch (error) {
      this.#meterFault = error instanceof Error ? error.message : String(error);
      log.error("no metered intervals are recorded", { reason: this.#meterFault });
      return undefined;
    }
  }

  /** What a client of a utility's server sees of the site, and where its demands go. */
  #utilityPort(): UtilityPort {
    const config = this.#config;
    return {
      oblige: (demands) => this.#dispatcher?.oblige(demands),
      link: (link) => {
        if (link.linkUp !== this.#utilityLink?.linkUp) this.#options.log.info("utility server", { ...link });
        this.#utilityLink = link;
      },
      devices: () => meteredDevices(config.devices, this.#dispatcher?.snapshot() ?? []),
    };
  }

  #createRoster(accepted: AcceptedDevices): DeviceRoster {
    const config = this.#config;
    return new DeviceRoster({
      accepted,
      devices: config.devices,
      groups: config.groups,
      open: (device) => {
        const [dispatcher, devices] = [this.#dispatcher, this.#devices];
        if (dispatcher === undefined || devices === undefined) throw new Error("the gateway is not running");
        const lane = dispatcher.add(dispatched(devices.add(device), device));
        this.#bids?.add({ config: device, lane });
      },
      close: async (era, reason) => {
        this.#bids?.remove(era);
        await this.#dispatcher?.remove(era, reason);
        await this.#devices?.remove(era);
      },
    });
  }

  #createDispatcher(devices: SiteDevices): Dispatcher {
    const { clock, log, random } = this.#options;
    const config = this.#config;
    const settings = new Map(config.devices.map((device) => [device.era, device]));
    return new Dispatcher({
      clock,
      log,
      random,
      devices: devices.adapters.map((adapter) => dispatched(adapter, settings.get(adapter.era))),
      groups: new Map(config.groups.map((group) => [group.era, group.members])),
      curve: (era) => this.bidCurve(era),
      connection: siteConnection(config.site),
      // After what is on its way to a device: to store and to tell a verdict is in no hurry.
      onJudgement: (judgement) => void setImmediate(() => this.#onJudgement(judgement)),
      onReport: (era, report) => this.#onReport(era, report),
      runnableKW: (era, powerKW, minRunKW) => snapToRunnable(powerKW, minRunKW, this.#bids?.mustRun(era) ?? false),
    });
  }

  /** Baselines from what the meter log has of the days before; nothing where the site keeps none. */
  async #createFlexibility(
    { baseline, interval: intervalMs, dialect }: MarketConfig,
    data: string,
    dispatcher: Dispatcher,
  ): Promise<SiteFlexibility | undefined> {
    const { config, clock, log } = this.#options;
    if (baseline === undefined) return undefined;
    const flexibility = new SiteFlexibility({
      baseline,
      intervalMs,
      groups: new Map(config.groups.map((group) => [group.era, group.members])),
      capability: (era) => dispatcher.capability(era),
      clock,
      log,
      onReport: (report) => {
        // The other dialects have no words for it.
        if (dialect === "deg") this.#bids?.tellReduction(report);
      },
    });
    const sinceMs = clock.now() - (baseline.lookBackDays + 1) * 86_400_000;
    for await (const body of recentIntervals(resolve(data, "meter"), sinceMs)) flexibility.interval(body);
    return flexibility;
  }

  #createMarket(
    market: NonNullable<Config["market"]>,
    store: SqliteStore,
    dispatcher: Dispatcher,
    goals: readonly ObjectiveRecord[],
  ): void {
    const { folder, clock, log, random } = this.#options;
    const config = this.#config;
    const link = new MarketLink({
      market,
      config,
      folder,
      store,
      clock,
      random,
      log: log.child({ part: "market" }),
      counters: {
        received: (action, outcome) => this.#countReceived(action, outcome),
        sent: (action, outcome) => {
          this.#market.sent += outcome === "acked" ? 1 : 0;
          this.#metrics.sent(action, outcome);
        },
      },
      capability: (era) =>
        dispatcher.capability(era) ?? bandOfKind(config.devices.find((device) => device.era === era)?.kind),
      onSetpoints: (setpoints) => {
        this.#onSetpoints(setpoints);
        this.#flexibility?.taken(setpoints);
      },
      ...(this.#flexibility && { reductionToSetpoint: this.#flexibility.toSetpoint }),
      onRelease: (release) => {
        this.#flexibility?.withdraw(release.setpointIds);
        const ids = new Set(dispatcher.partsOf(release.setpointIds, release.eras));
        dispatcher.withdraw((setpoint) => ids.has(setpoint.id), release.reason);
        this.#meter?.withdraw([...ids]);
        if (!release.isPartial) this.#sessions?.released(release.eras);
      },
      onSession: (order) => this.#sessions?.take(order),
    });
    this.#link = link;
    const { participant } = link;
    this.#sessions = new SessionKeeper({
      sessionsOf: (era) => this.#devices?.adapter(era)?.sessions,
      participant,
      clock,
      log,
    });
    const ocpiTariff = (name: OcpiTariffName) => this.#ocpi?.tariff(name);
    const outlooks = new BidOutlooks({ config, market, folder, clock, log, ocpiTariff });
    this.#outlooks = outlooks;
    this.#bids = new BidKeeper({
      market,
      participant: link.participant,
      clock,
      log,
      outlook: (era) => outlooks.of(era),
      connection: () => dispatcher.connection,
      utilityLimits: (era) => dispatcher.utilityLimits(era),
      goals,
      saveGoal: (record) => void this.#guarded("objective", store.commit({ objectives: [record] })),
      devices: config.devices.flatMap((device) => {
        const lane = dispatcher.lane(device.era);
        return lane === undefined ? [] : [{ config: device, lane }];
      }),
    });
  }

  async #startOcpi(config: NonNullable<Config["ocpi"]>, data: string): Promise<SiteOcpi> {
    const { folder, clock, log, random } = this.#options;
    const ocpi = { config, folder, data, clock, log: log.child({ part: "ocpi" }), random, meter: this.#meter };
    // Few sites have it, and it is large.
    const { SiteOcpi } = await import("./site-ocpi.ts");
    return SiteOcpi.start(ocpi, this.#stop.signal);
  }

  /** Takes up what held before a restart. What ended meanwhile is not replayed, only told. */
  async #resume(store: SqliteStore, dispatcher: Dispatcher): Promise<void> {
    const { clock, log } = this.#options;
    const open = await setpointsToResume(store, clock.now());
    if (open.length === 0) return;
    log.info("setpoints taken up again after a restart", { setpoints: open.length });
    for (const setpoint of open) this.#tally.addSetpoint(setpoint);
    const parts = dispatcher.submit(open);
    this.#meter?.setpoints(parts);
  }

  async #openApi(data: string, store: SqliteStore): Promise<void> {
    const { config, folder, log } = this.#options;
    this.#api = new LocalApi({
      host: config.api.host,
      port: config.api.port,
      socket: config.api.socket === undefined ? resolve(data, "setpointd.sock") : resolve(folder, config.api.socket),
      log,
      routes: gatewayRoutes(this.#view(store)),
    });
    await this.#api.start();
  }

  async #lookAtOutbox(store: SqliteStore): Promise<void> {
    this.#outboxSize = await store.outboxSize();
  }

  #view(store: SqliteStore): GatewayView {
    const submitAsOperator = async (setpoint: Setpoint) => {
      await store.commit({ setpoints: [setpoint] });
      this.#onSetpoints([setpoint]);
    };
    return {
      health: () => {
        if (!this.#ready) return "starting";
        return store.healthy ? "ok" : "the store has failed";
      },
      status: () => this.status(),
      metrics: async () => {
        this.#observe();
        return { text: await this.#metrics.text(), contentType: this.#metrics.contentType };
      },
      recentSetpoints: (limit) => store.recentSetpoints(limit),
      adapterOperation: (kind, name) => this.#devices?.operation(kind, name),
      reductions: () => this.#flexibility?.reports() ?? [],
      orders: () => this.#link?.orders,
      ocpi: () => this.#ocpi?.overview(),
      testDevice: async (era, test, signal) => {
        const lane = this.#dispatcher?.lane(era);
        if (lane === undefined) return undefined;
        return await runDeviceTest(lane, test, this.#options.clock, submitAsOperator, signal);
      },
      rampDevice: async (era, ramp, signal) => {
        const lane = this.#dispatcher?.lane(era);
        if (lane === undefined) return undefined;
        return await runDeviceRamp(lane, ramp, this.#options.clock, submitAsOperator, signal);
      },
    };
  }

  #observe(): void {
    this.#metrics.observe({
      devices: this.#dispatcher?.snapshot() ?? [],
      nowMs: this.#options.clock.now(),
      strangers: this.#devices?.strangers().length ?? 0,
      outbox: this.#outboxSize,
      lostReadings: this.#recorder?.dropped ?? 0,
      figures: this.#devices?.figures() ?? [],
    });
  }

  #onSetpoints(setpoints: readonly Setpoint[]): void {
    for (const setpoint of setpoints) {
      this.#tally.addSetpoint(setpoint);
      if (setpoint.objective)
        this.#bids?.setObjective(setpoint.era, setpoint.objective, setpoint.clearingPrice?.currency);
    }
    const parts = this.#dispatcher?.submit(setpoints) ?? [];
    this.#meter?.setpoints(parts);
  }

  #onJudgement(judgement: Judgement): void {
    const { log } = this.#options;
    const fields = { ...judgement };
    if (judgement.final) {
      this.#metrics.verdict(judgement.era, judgement.verdict);
      log.info("verdict", fields);
    } else log.debug("verdict so far", fields);
    this.#tally.addJudgement(judgement);
    void this.#guarded("verdict", this.#store?.commit({ judgements: [judgement] }));
    this.#bids?.tellVerdict(judgement);
  }

  #onReport(era: string, report: Report): void {
    if (report.kind === "link") {
      this.#options.log.info(report.up ? "device connected" : "device lost", { era, detail: report.detail });
    }
    this.#ocpi?.report(era, report);
    if (report.kind === "objective") this.#bids?.setOwnObjective(era, report.objective);
    if (report.kind !== "reading") return;
    this.#metrics.reading(era);
    this.#recorder?.add(report.reading);
    this.#meter?.reading(report.reading);
    this.#bids?.addReading(report.reading);
  }

  #countReceived(action: string, outcome: string): void {
    const isTaken = outcome === "acked" || outcome === "repeated" || outcome === "outdated";
    this.#market.received += 1;
    this.#market.lastMessageMs = this.#options.clock.now();
    if (isTaken) this.#market.acked += 1;
    else this.#market.nacked += 1;
    if (action === "on_confirm") this.#market.onConfirm += 1;
    this.#metrics.message(action, outcome);
  }

  /** Something beside the main path: if it fails it is logged, and nothing else stops. */
  async #guarded(what: string, work: PromiseLike<unknown> | undefined): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#options.log.error(`${what} failed`, { reason: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** A device with the bounds that its operator has set. */
function dispatched(adapter: Adapter, device: DeviceConfig | undefined): DispatchedDevice {
  const { limit, rampRateKWPerMin } = device ?? {};
  return { adapter, rampRateKWPerMin, limit: operatorLimit({ limit }), ...(device && { kind: device.kind }) };
}
