import { setMaxListeners } from "node:events";
import { resolve } from "node:path";
import { z } from "zod";
import { type AdapterKind, OperationError } from "../adapters/kind.ts";
import { type ApiRoutes, LocalApi } from "./api/local-api.ts";
import { Metrics } from "./api/metrics.ts";
import type { StatusReport } from "./api/status-report.ts";
import { BidKeeper } from "./bid-keeper.ts";
import { type Clock, repeatEvery } from "./clock.ts";
import { AcceptedDevices } from "./config/accepted-devices.ts";
import type { Config, DeviceConfig } from "./config/schema.ts";
import { runDeviceTest } from "./device-test-run.ts";
import { type DispatchedDevice, Dispatcher } from "./dispatch/dispatcher.ts";
import { judgementOf } from "./dispatch/holding.ts";
import type { Finding } from "./dispatch/verification.ts";
import type { Log } from "./log.ts";
import { MarketLink } from "./market-link.ts";
import type { Adapter, Report } from "./model/adapter.ts";
import type { Setpoint } from "./model/setpoint.ts";
import type { Judgement } from "./model/verdict.ts";
import { createSiteDevices, type SiteDevices } from "./site-devices.ts";
import { SiteMeter } from "./site-meter.ts";
import type { SiteOcpi } from "./site-ocpi.ts";
import { DeviceRoster } from "./site-roster.ts";
import { statusReport } from "./status.ts";
import { AdapterMemories } from "./store/adapter-memories.ts";
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
  #ocpi: SiteOcpi | undefined;
  #devices: SiteDevices | undefined;
  #dispatcher: Dispatcher | undefined;
  #link: MarketLink | undefined;
  #bids: BidKeeper | undefined;
  #api: LocalApi | undefined;
  #outboxSize = 0;

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
    this.#meter = await SiteMeter.open({ data, intervalMs: config.market?.interval, clock, log });

    const memories = await AdapterMemories.open(store, clock);
    const roster = this.#createRoster(accepted);
    const context = { clock, log, random };
    const devices = createSiteDevices(config, folder, this.#options.adapters, context, memories, (kind) =>
      roster.of(kind),
    );
    this.#devices = devices;

    const dispatcher = this.#createDispatcher(devices);
    this.#dispatcher = dispatcher;

    if (config.market !== undefined) this.#createMarket(config.market, store, dispatcher);
    await this.#resume(store, dispatcher);

    await devices.start(signal);
    const running = dispatcher.run(signal);
    // The market comes last in and is first out: no setpoint arrives before there is somebody to follow it.
    await this.#link?.start(signal);
    if (config.ocpi !== undefined) {
      const ocpi = { config: config.ocpi, folder, data, clock, log: log.child({ part: "ocpi" }), random };
      // Few sites have it, and it is large.
      const { SiteOcpi } = await import("./site-ocpi.ts");
      this.#ocpi = await SiteOcpi.start(ocpi, signal);
    }
    await this.#openApi(data);
    this.#running.push(
      running,
      recorder.run(clock, RECORD_MS, signal),
      repeatEvery(clock, PRUNE_MS, signal, () => this.#guarded("prune", store.prune(clock.now()))),
      repeatEvery(clock, OUTBOX_LOOK_MS, signal, () => this.#guarded("outbox size", this.#lookAtOutbox(store))),
    );
    if (this.#bids) this.#running.push(this.#bids.run(signal));
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
      strangers: this.#devices?.strangers() ?? [],
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

  /** Closes in order: market, devices, store. Devices end their commands by themselves, or are released here. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ready = false;
    await this.#guarded("api", this.#api?.[Symbol.asyncDispose]());
    await this.#guarded("market", this.#link?.[Symbol.asyncDispose]());
    await this.#guarded("ocpi", this.#ocpi?.[Symbol.asyncDispose]());
    await this.#guarded("devices", this.#dispatcher?.shutDown());
    this.#stop.abort(new Error("the gateway stops"));
    await Promise.allSettled(this.#running);
    await this.#guarded("devices", this.#devices?.[Symbol.asyncDispose]());
    await this.#guarded("meter", this.#meter?.[Symbol.asyncDispose]());
    await this.#guarded("store", this.#store?.[Symbol.asyncDispose]());
    this.#options.log.info("stopped");
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
    const configs = new Map(config.devices.map((device) => [device.era, device]));
    const { maxImportKW, maxExportKW, reserveKW } = config.site;
    return new Dispatcher({
      clock,
      log,
      random,
      devices: devices.adapters.map((adapter) => dispatched(adapter, configs.get(adapter.era))),
      groups: new Map(config.groups.map((group) => [group.era, group.members])),
      connection: {
        ...(maxImportKW !== undefined && { maxImportKW }),
        ...(maxExportKW !== undefined && { maxExportKW }),
        ...(reserveKW !== undefined && { reserveKW }),
      },
      // After what is on its way to a device: to store and to tell a verdict is in no hurry.
      onJudgement: (judgement) => void setImmediate(() => this.#onJudgement(judgement)),
      onReport: (era, report) => this.#onReport(era, report),
    });
  }

  #createMarket(market: NonNullable<Config["market"]>, store: SqliteStore, dispatcher: Dispatcher): void {
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
      capability: (era) => dispatcher.capability(era) ?? this.#bandOfKind(era),
      onSetpoints: (setpoints) => this.#onSetpoints(setpoints),
      onRelease: (release) => {
        const ids = new Set(dispatcher.partsOf(release.setpointIds, release.eras));
        dispatcher.withdraw((setpoint) => ids.has(setpoint.id), release.reason);
        this.#meter?.withdraw([...ids]);
      },
    });
    this.#link = link;
    this.#bids = new BidKeeper({
      market,
      participant: link.participant,
      clock,
      log,
      devices: config.devices.flatMap((device) => {
        const lane = dispatcher.lane(device.era);
        return lane === undefined ? [] : [{ config: device, lane }];
      }),
    });
  }

  /** What the kind alone says before the device has connected: a charger does not generate, panels do not consume. */
  #bandOfKind(era: string): { minPowerKW: number; maxPowerKW: number } | undefined {
    const kind = this.#config.devices.find((device) => device.era === era)?.kind;
    if (kind === "charger" || kind === "load") return { minPowerKW: Number.NEGATIVE_INFINITY, maxPowerKW: 0 };
    return kind === "solar" ? { minPowerKW: 0, maxPowerKW: Number.POSITIVE_INFINITY } : undefined;
  }

  /** Takes up what held before a restart. What ended meanwhile is not replayed, only told. */
  async #resume(store: SqliteStore, dispatcher: Dispatcher): Promise<void> {
    const { clock, log } = this.#options;
    const nowMs = clock.now();
    const open: Setpoint[] = [];
    const ended: Judgement[] = [];
    for (const { setpoint, judgement } of await store.openSetpoints(nowMs)) {
      if (judgement?.final) continue;
      const isOver = setpoint.validUntilMs <= nowMs;
      const transactionId = setpoint.source.transactionId;
      const contract = transactionId === undefined ? undefined : await store.findContract(transactionId);
      if (!isOver && contract?.state !== "ENDED") {
        open.push(setpoint);
        continue;
      }
      const finding: Finding = isOver
        ? { verdict: "expired", reason: "it ended while the gateway was down", samples: 0 }
        : { verdict: "superseded", reason: "its order was cancelled", samples: 0 };
      // What the meter had shown by then stays the verdict, with its evidence.
      const told = { atMs: nowMs, final: true };
      ended.push(judgement ? { ...judgement, ...told } : judgementOf(setpoint, finding, told));
    }
    if (ended.length > 0) await store.commit({ judgements: ended });
    if (open.length === 0) return;
    log.info("setpoints taken up again after a restart", { setpoints: open.length });
    for (const setpoint of open) this.#tally.addSetpoint(setpoint);
    this.#meter?.setpoints(dispatcher.submit(open));
  }

  async #openApi(data: string): Promise<void> {
    const { config, folder, log } = this.#options;
    this.#api = new LocalApi({
      host: config.api.host,
      port: config.api.port,
      socket: config.api.socket === undefined ? resolve(data, "setpointd.sock") : resolve(folder, config.api.socket),
      log,
      routes: this.#routes(),
    });
    await this.#api.start();
  }

  async #lookAtOutbox(store: SqliteStore): Promise<void> {
    this.#outboxSize = await store.outboxSize();
  }

  #routes(): ApiRoutes {
    return {
      "GET /health": () => {
        const status = !this.#ready ? "starting" : this.#store?.healthy ? "ok" : "the store has failed";
        return { status: status === "ok" ? 200 : 503, json: { status } };
      },
      "GET /status": () => ({ status: 200, json: this.status() }),
      "GET /metrics": async () => {
        this.#observe();
        return { status: 200, text: await this.#metrics.text(), contentType: this.#metrics.contentType };
      },
      "GET /setpoints": async ({ query }) => {
        const limit = Math.min(Math.max(Number(query.get("limit") ?? 100) || 100, 1), 1000);
        return {
          status: 200,
          json: { schemaVersion: 1, setpoints: (await this.#store?.recentSetpoints(limit)) ?? [] },
        };
      },
      "POST /adapters/*": async ({ path, body, signal }) => {
        const [, , kind = "", name = ""] = path.split("/");
        const operation = this.#devices?.operation(kind, name);
        if (operation === undefined) {
          return { status: 404, json: { error: `no device of this site needs "${kind}", or it cannot "${name}"` } };
        }
        try {
          return { status: 200, json: await operation(body, signal) };
        } catch (error) {
          if (!(error instanceof OperationError)) throw error;
          return { status: error.reason === "not-found" ? 404 : 400, json: { error: error.message } };
        }
      },
      "POST /device-test": async ({ body, signal }) => {
        const request = DeviceTestBody.safeParse(body);
        if (!request.success) return { status: 400, json: { error: z.prettifyError(request.error) } };
        const { era, powerKW, holdMs } = request.data;
        const lane = this.#dispatcher?.lane(era);
        if (lane === undefined) return { status: 404, json: { error: `there is no device "${era}"` } };
        const test = { holdMs, ...(powerKW !== undefined && { powerKW }) };
        const submit = async (setpoint: Setpoint) => {
          await this.#store?.commit({ setpoints: [setpoint] });
          this.#onSetpoints([setpoint]);
        };
        return { status: 200, json: await runDeviceTest(lane, test, this.#options.clock, submit, signal) };
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
      if (setpoint.objective) this.#bids?.setObjective(setpoint.era, setpoint.objective);
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
  const { minPowerKW, maxPowerKW } = device?.limit ?? {};
  return {
    adapter,
    limit: {
      source: "operator",
      ...(minPowerKW !== undefined && { minPowerKW }),
      ...(maxPowerKW !== undefined && { maxPowerKW }),
    },
  };
}

const DeviceTestBody = z.strictObject({
  era: z.string(),
  powerKW: z.number().optional(),
  holdMs: z.number().min(1000).max(600_000),
});
