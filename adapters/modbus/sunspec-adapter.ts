import type { Clock } from "../../src/clock.ts";
import {
  type Acceptance,
  type Adapter,
  DeviceError,
  type Evidence,
  type Report,
  type Target,
} from "../../src/model/adapter.ts";
import type { Capability, Era } from "../../src/model/resource.ts";
import { DeviceLoop } from "../device-loop.ts";
import type { AdapterContext, DeviceRole } from "../kind.ts";
import type { WriteBudget } from "../wear/write-budget.ts";
import { baselineMemory } from "./baseline/baseline-memory.ts";
import type { ModbusSettings } from "./device-settings.ts";
import { deviceErrorFrom } from "./link/device-error.ts";
import type { ModbusLink } from "./link/modbus-link.ts";
import { DeviceControl } from "./sunspec/device-control.ts";
import { DeviceReports } from "./sunspec/device-reports.ts";
import { keptBaseline } from "./sunspec/kept-baseline.ts";
import type { ModelValues } from "./sunspec/model-values.ts";
import type { PointsSource } from "./sunspec/points-command.ts";
import { knownQuirks, type QuirksOf } from "./sunspec/quirks.ts";
import type { Registers } from "./sunspec/registers.ts";
import { SunSpecDevice } from "./sunspec/sunspec-device.ts";
import { TargetKeeper } from "./sunspec/target-keeper.ts";

const FACTS_MS = 60_000;

/** What a SunSpec device shares with others of its site. */
export interface SunSpecSurroundings {
  readonly link: ModbusLink;
  /** Of its unit. */
  readonly budget: WriteBudget;
  readonly quirksOf?: QuirksOf;
}

/** One SunSpec inverter, battery or meter behind a Modbus link: a loop that watches the link, keeps the target and measures. */
export class SunSpecAdapter implements Adapter, PointsSource {
  readonly era: Era;
  readonly protocol = "sunspec";
  readonly #pollMs: number;
  readonly #clock: Clock;
  readonly #registers: Registers;
  readonly #device: SunSpecDevice;
  readonly #control: DeviceControl;
  readonly #keeper: TargetKeeper;
  readonly #reports: DeviceReports;
  readonly #loop: DeviceLoop;
  #generation = 0;
  #nextPollMs = 0;
  #nextFactsMs = 0;

  constructor(role: DeviceRole, config: ModbusSettings, surroundings: SunSpecSurroundings, context: AdapterContext) {
    const { clock, random } = context;
    const log = context.log.child({ era: role.era, adapter: "modbus" });
    this.era = role.era;
    this.#pollMs = config.pollMs;
    this.#clock = clock;
    this.#registers = registersOf(surroundings.link, config);
    this.#device = new SunSpecDevice(this.#registers, {
      kind: role.kind,
      control: role.kind === "load" ? "none" : config.control,
      minPercent: config.minPercent,
      ratingKW: config.ratingKW,
      rampS: config.rampS,
      instruments: {
        meter: config.meter ?? (role.kind === "load" ? { number: 1, positiveIs: "import" } : undefined),
        hasStorage: role.kind === "battery",
        batteryInputs: role.kind === "battery" ? config.batteryInputs : undefined,
      },
      quirksOf: surroundings.quirksOf ?? knownQuirks,
    });
    this.#control = new DeviceControl({
      device: this.#device,
      clock,
      log,
      budget: surroundings.budget,
      memory: baselineMemory(context.memory, `sunspec/${role.era}`, keptBaseline),
      maxWritesPerDay: config.maxWritesPerDay,
      revertS: config.revertS,
      hasVendorFallback: config.vendorFallback,
    });
    this.#keeper = new TargetKeeper({ role, control: this.#control, revertS: config.revertS, clock, log, random });
    const times = { settleMs: config.settleS * 1000, sampleMs: config.pollMs };
    this.#reports = new DeviceReports({ role, control: this.#control, ...times, clock, log });
    this.#loop = new DeviceLoop({
      era: role.era,
      pollMs: config.pollMs,
      clock,
      random,
      nextMs: () => this.#nextPollMs,
      round: (signal) => this.#round(signal),
      onFailure: (error) => this.#reports.linkIsDown(error),
      faultFrom: deviceErrorFrom,
    });
  }

  async start(signal: AbortSignal): Promise<Capability> {
    if (this.#loop.hasBegun && this.#reports.capability !== undefined) return this.#reports.capability;
    return await this.#loop.asked(signal, "start", async (inner) => {
      this.#generation = await this.#registers.open(inner);
      const capability = this.#reports.begin(await this.#device.discover(inner));
      this.#nextPollMs = this.#clock.elapsedMs();
      this.#nextFactsMs = this.#clock.elapsedMs() + FACTS_MS;
      this.#keeper.started();
      this.#loop.begin();
      return capability;
    });
  }

  apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    return this.#loop.asked(signal, `hold ${target.powerKW} kW`, async (inner) => {
      const { facts } = this.#device;
      if (facts === undefined || !this.#loop.hasBegun)
        throw new DeviceError("unreachable", this.era, "not started yet");
      return await this.#keeper.apply(target, facts, inner);
    });
  }

  release(signal: AbortSignal): Promise<void> {
    return this.#loop.asked(signal, "release", (inner) => this.#keeper.release(inner));
  }

  probe(signal: AbortSignal): Promise<Evidence> {
    return this.#loop.asked(signal, "ask what is in force", (inner) => this.#control.probe(inner));
  }

  points(model: number | undefined, signal: AbortSignal): Promise<readonly ModelValues[]> {
    return this.#loop.alive(signal, (inner) => this.#device.models(model, inner));
  }

  reports(signal: AbortSignal): AsyncIterable<Report> {
    return this.#reports.read(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loop.close();
  }

  async #round(signal: AbortSignal): Promise<void> {
    await this.#watchLink(signal);
    await this.#keeper.tick(signal);
    await this.#measure(signal);
  }

  /** A new connection may lead to a device that restarted: look whether it is still the same, and order again. */
  async #watchLink(signal: AbortSignal): Promise<void> {
    const generation = await this.#registers.open(signal);
    if (generation === this.#generation) return;
    await this.#device.recheck(signal);
    this.#generation = generation;
    this.#keeper.reassert();
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.elapsedMs();
    if (nowMs < this.#nextPollMs) return;
    // A round that took longer than its period is not caught up.
    this.#nextPollMs = Math.max(this.#nextPollMs + this.#pollMs, nowMs + this.#pollMs / 2);
    if (nowMs >= this.#nextFactsMs) {
      this.#nextFactsMs = nowMs + FACTS_MS;
      await this.#device.refreshFacts(signal);
      await this.#control.look(signal);
    }
    const sample = await this.#device.sample(signal);
    const { facts } = this.#device;
    if (facts !== undefined) this.#reports.sampled(sample, facts);
  }
}

function registersOf(link: ModbusLink, config: ModbusSettings): Registers {
  const manners = { unit: config.unit, timeoutMs: config.timeoutMs, gapMs: config.gapMs };
  return {
    open: (signal) => link.open(manners, signal),
    read: (address, count, signal) => link.read(manners, address, count, signal),
    write: (address, values, manner, signal) => link.write(manners, address, values, manner, signal),
  };
}
