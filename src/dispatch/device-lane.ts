import { backoffMs, type Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Acceptance, Adapter, Report } from "../model/adapter.ts";
import { type Clamped, clampByLimits, type Limit } from "../model/limit.ts";
import type { Availability, Reading } from "../model/reading.ts";
import type { Capability } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Judgement, Verdict } from "../model/verdict.ts";
import { callsForCorrection, explained } from "./correction.ts";
import { DeviceCommands, textOf } from "./device-commands.ts";
import { DevicePlan } from "./device-plan.ts";
import { DeviceState, type DeviceStateSnapshot } from "./device-state.ts";
import { type Holding, judgementOf, lastFinding } from "./holding.ts";
import { keptSetpoint } from "./kept-setpoint.ts";
import { Ramp } from "./ramp.ts";
import { activeAt, MAX_SCHEDULED, splitEnded, superseded } from "./schedule.ts";
import { upcoming } from "./upcoming.ts";
import type { Finding } from "./verification.ts";

/** Powers that differ by less are the same, kW. */
const NOTHING_KW = 1e-6;
/** Room that a limit must give back before it is worth a new command, kW: a neighbour's meter always moves a little. */
const LOOSENED_KW = 0.2;
/** How long an increase waits for the first reading of a device that has just connected: this many, but not for ever. */
const AWAITED_SAMPLES = 2;
const AWAITED_MS = 30_000;
const RECONNECT_BASE_MS = 1_000;
const RECONNECT_CAP_MS = 15_000;
/** Verdicts of a device that goes its own way. */
const DISOBEDIENT: readonly Verdict[] = ["ignored", "reverted", "refused", "unreachable"];

export interface DeviceLaneOptions {
  readonly adapter: Adapter;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** How fast the device's power may grow, > 0; absent: at once. */
  readonly rampRateKWPerMin?: number | undefined;
  /** False while nothing may be commanded: the wall clock was never set. */
  readonly mayCommand: () => boolean;
  /** Bounds that hold for this device now; asked at each decision. */
  readonly limits: () => readonly Limit[];
  /** What of these a utility has set: they hold also where no setpoint does. */
  readonly utilityLimits?: () => readonly Limit[];
  /** Bounds for what is planned, beside what other devices have planned; absent: as `limits`. */
  readonly plannedLimits?: () => readonly Limit[];
  /** A verdict is known, or is known better. */
  readonly onJudgement: (judgement: Judgement) => void;
  /** What the device told, after the lane has taken note of it. */
  readonly onReport: (report: Report) => void;
  /** The target changed, so that other devices' limits may have changed. */
  readonly onTarget: () => void;
  /**
   * What to hold where less is ordered than the device can run at (`Capability.minRunKW`): that least power, or nothing.
   * Absent: as ordered.
   */
  readonly runnableKW?: (powerKW: number, minRunKW: number) => number;
}

/** What a person sees of a device. Powers in kW, export positive; absent is not zero. */
export interface DeviceSnapshot extends DeviceStateSnapshot {
  readonly era: string;
  readonly protocol: string;
  readonly setpoint?: Setpoint;
  readonly targetKW?: number;
  readonly boundBy?: Limit;
  /** Bounds that a utility has set, its share of the site's included; absent where there are none. */
  readonly utilityLimits?: readonly Limit[];
  readonly acceptance?: Acceptance;
  readonly judgement?: Judgement;
  readonly lastError?: string;
}

/** One device: which setpoint holds when, how much of it, and the verdict by its meter. Nothing here waits for another. */
export class DeviceLane {
  readonly adapter: Adapter;
  readonly #options: DeviceLaneOptions;
  readonly #state: DeviceState;
  readonly #ramp: Ramp | undefined;
  readonly #commands: DeviceCommands;
  readonly #plan: DevicePlan | undefined;
  #setpoints: Setpoint[] = [];
  #holding: Holding | undefined;
  /** What holds the device within a utility's bounds while there is no other setpoint. */
  #kept: Setpoint | undefined;
  #judgement: Judgement | undefined;
  /** Elapsed ms at which the device connected. */
  #connectedAtMs = 0;

  constructor(options: DeviceLaneOptions) {
    this.adapter = options.adapter;
    this.#options = options;
    this.#state = new DeviceState(options.clock);
    this.#ramp = options.rampRateKWPerMin === undefined ? undefined : new Ramp(options.rampRateKWPerMin);
    // A device with a ramp goes up in steps that depend on its meter, which nobody knows ahead.
    const isPlanned = options.adapter.plan !== undefined && this.#ramp === undefined;
    this.#plan = isPlanned ? new DevicePlan(options.adapter) : undefined;
    this.#commands = new DeviceCommands({
      adapter: options.adapter,
      clock: options.clock,
      log: options.log,
      random: options.random,
      state: this.#state,
      ramp: this.#ramp,
      isCurrent: (holding) => holding === this.#holding,
      onFinding: (holding, finding) => this.#judge(holding, finding, false),
      onRefused: (holding, reason) => this.#judge(holding, { verdict: "refused", reason, samples: 0 }, true),
    });
  }

  get era(): string {
    return this.adapter.era;
  }

  get capability(): Capability | undefined {
    return this.#state.capability;
  }

  get availability(): Availability | undefined {
    return this.#state.availability;
  }

  /** Live power, kW; absent if none was measured lately. */
  get measuredKW(): number | undefined {
    return this.#state.measuredKW;
  }

  /** Power the device is told to hold, kW; absent without a setpoint. */
  get targetKW(): number | undefined {
    return this.#holding?.targetKW;
  }

  /** False once the device has its own default again; true also while it could not be released yet. */
  get isUnderCommand(): boolean {
    return this.#commands.isUnderCommand;
  }

  /** Power that the device is to hold if nothing bounds it, kW, and whether somebody ordered it; absent without a setpoint. */
  get wanted(): { readonly powerKW: number; readonly isOrdered: boolean } | undefined {
    const setpoint = this.#holding?.setpoint;
    return setpoint && { powerKW: setpoint.powerKW, isOrdered: setpoint.source.kind !== "utility" };
  }

  /** False for a device that can't be reached, or that does not do what it is told as far as its meter shows. */
  get follows(): boolean {
    const { linkUp } = this.#state;
    const verdict = this.#holding === undefined ? undefined : this.#judgement?.verdict;
    return linkUp && (verdict === undefined || !DISOBEDIENT.includes(verdict));
  }

  /** Powers that the device was told ahead for later, kW. */
  get plannedKW(): readonly number[] {
    return this.#plan?.powersKW ?? [];
  }

  snapshot(): DeviceSnapshot {
    const holding = this.#holding;
    const utilityLimits = this.#options.utilityLimits?.() ?? [];
    return {
      era: this.era,
      protocol: this.adapter.protocol,
      ...this.#state.snapshot(),
      ...(utilityLimits.length > 0 && { utilityLimits }),
      ...(holding && { setpoint: holding.setpoint, targetKW: holding.targetKW }),
      ...(holding?.boundBy && { boundBy: holding.boundBy }),
      ...(holding?.acceptance && { acceptance: holding.acceptance }),
      ...(this.#judgement && { judgement: this.#judgement }),
      ...(holding?.lastError !== undefined && { lastError: holding.lastError }),
    };
  }

  /** Connects, reads what the device tells, and reconnects for ever, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#commands.start(signal);
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const capability = await this.adapter.start(signal);
        this.#state.take({ kind: "link", up: true, detail: "connected" });
        attempt = 0;
        this.#connectedAtMs = this.#options.clock.elapsedMs();
        this.#take({ kind: "capability", capability });
        this.evaluate();
        for await (const report of this.adapter.reports(signal)) this.#take(report);
      } catch (error) {
        if (signal.aborted) break;
        this.#state.take({ kind: "link", up: false, detail: textOf(error) });
        this.#options.log.warn("device does not start", { era: this.era, reason: textOf(error), attempt });
      }
      await this.#options.clock
        .sleep(backoffMs(attempt, RECONNECT_BASE_MS, RECONNECT_CAP_MS, this.#options.random), signal)
        .catch(() => {});
    }
    await this.#commands.idle();
  }

  /** Adds setpoints that were committed; an id that is already known changes nothing. */
  submit(setpoints: readonly Setpoint[]): void {
    const known = new Set(this.#setpoints.map((setpoint) => setpoint.id));
    this.#setpoints.push(...setpoints.filter((setpoint) => !known.has(setpoint.id)));
    const gone = new Set(superseded(this.#setpoints, this.#options.clock.now()));
    for (const old of gone) {
      if (old !== this.#holding?.setpoint) this.#finish(old, "superseded", "a newer setpoint covers all of its time");
    }
    this.#setpoints = this.#setpoints.filter((setpoint) => !gone.has(setpoint) || setpoint === this.#holding?.setpoint);
    while (this.#setpoints.length > MAX_SCHEDULED) {
      const dropped = this.#setpoints.pop();
      if (dropped) this.#finish(dropped, "refused", `more than ${MAX_SCHEDULED} setpoints are scheduled`);
    }
    this.evaluate();
  }

  /** Takes setpoints back (a cancelled order); the device goes to what is left, or to its own default. */
  withdraw(matches: (setpoint: Setpoint) => boolean, reason: string): number {
    const withdrawn = this.#setpoints.filter(matches);
    this.#setpoints = this.#setpoints.filter((setpoint) => !withdrawn.includes(setpoint));
    for (const setpoint of withdrawn) {
      if (setpoint !== this.#holding?.setpoint) this.#finish(setpoint, "superseded", reason);
    }
    this.evaluate();
    return withdrawn.length;
  }

  /** Compares what should hold now with what holds, and acts on the difference. Cheap; called at every tick. */
  evaluate(): void {
    if (!this.#options.mayCommand()) return;
    const nowMs = this.#options.clock.now();
    const { ended, open } = splitEnded(this.#setpoints, nowMs);
    const active = activeAt(open, nowMs) ?? this.#keep(nowMs);
    const held = this.#holding;
    const replaced = held !== undefined && held.setpoint !== active ? held : undefined;
    // What a newer setpoint has replaced does not come back when the newer one ends, as with a superseded 2030.5 event.
    this.#setpoints = open.filter((setpoint) => setpoint !== replaced?.setpoint);
    if (replaced !== undefined) this.#holding = undefined;

    // The command first: the last word on what it replaces can wait.
    if (active === undefined) {
      if (replaced !== undefined) this.#commands.release();
      else this.#commands.retryRelease();
    } else if (this.#holding?.setpoint === active) this.#reconsider(this.#holding);
    else this.#begin(active);

    this.#planAhead(nowMs);

    if (replaced !== undefined) this.#close(replaced, active === undefined);
    for (const setpoint of ended) {
      if (setpoint !== held?.setpoint) this.#finish(setpoint, "expired", "its time passed before it could hold");
    }
  }

  /** The daemon stops; the device comes to a safe end. */
  async shutDown(): Promise<void> {
    this.#setpoints = [];
    this.#holding = undefined;
    await this.#commands.shutDown();
  }

  /** The device is taken out of the site: it gets no more orders, and goes back to its own default if it can be reached. */
  async retire(reason: string): Promise<void> {
    this.withdraw(() => true, reason);
    await this.#commands.finish();
  }

  #keep(nowMs: number): Setpoint | undefined {
    const { capability, measuredKW } = this.#state;
    const limits = this.#options.utilityLimits?.() ?? [];
    this.#kept = capability && keptSetpoint({ era: this.era, capability, measuredKW, limits, nowMs }, this.#kept);
    return this.#kept;
  }

  /** Tells the device what is to come, where it can hold it. */
  #planAhead(nowMs: number): void {
    if (this.#plan === undefined || this.capability === undefined) return;
    const { limits, plannedLimits = limits } = this.#options;
    const bounds = () => [...nameplate(this.capability), ...plannedLimits(), ...this.#state.limits];
    const clamp = (powerKW: number) => clampByLimits(this.#runnable(powerKW), bounds());
    this.#plan.follow(this.#holding, upcoming(this.#setpoints, nowMs), clamp);
  }

  #begin(setpoint: Setpoint): void {
    const { powerKW, boundBy } = this.#clamp(setpoint.powerKW);
    this.#holding = { setpoint, targetKW: powerKW, boundBy, attempts: 0, retryAtMs: 0 };
    this.#judgement = undefined;
    this.#options.onTarget();
    if (this.#canCommand(this.#holding)) this.#commands.apply(this.#holding);
  }

  /** Follows limits that changed, and tries again what did not get through. */
  #reconsider(holding: Holding): void {
    if (holding.refusal !== undefined || this.capability === undefined) return;
    const clamped = this.#clamp(holding.setpoint.powerKW);
    const hasChanged = isWorthACommand(holding, clamped);
    if (hasChanged) {
      holding.targetKW = clamped.powerKW;
      holding.boundBy = clamped.boundBy;
      this.#options.onTarget();
    }
    if (!this.#canCommand(holding)) return;
    if (hasChanged) this.#commands.apply(holding);
    else this.#commands.retry(holding);
  }

  /** An increase waits for the meter: what is more than now can't be told while nobody knows what is now. */
  #canCommand(holding: Holding): boolean {
    const { capability, measuredKW } = this.#state;
    if (capability === undefined) return false;
    if (holding.boundBy?.source !== "ramp" || this.#ramp?.isTold || measuredKW !== undefined) return true;
    const waitMs = Math.min(AWAITED_MS, AWAITED_SAMPLES * capability.sampleMs);
    return this.#options.clock.elapsedMs() - this.#connectedAtMs >= waitMs;
  }

  #clamp(powerKW: number): Clamped {
    const { capability, measuredKW } = this.#state;
    const minRunKW = capability?.minRunKW ?? 0;
    const wantedKW = this.#runnable(powerKW);
    const limits = [...nameplate(capability), ...this.#options.limits(), ...this.#state.limits];
    const ramp = this.#ramp?.limit(measuredKW, minRunKW, this.#options.clock.elapsedMs());
    return clampByLimits(wantedKW, ramp ? [...limits, ramp] : limits);
  }

  #runnable(powerKW: number): number {
    const minRunKW = this.capability?.minRunKW ?? 0;
    const isTooLittle = powerKW !== 0 && Math.abs(powerKW) < minRunKW;
    return isTooLittle ? (this.#options.runnableKW?.(powerKW, minRunKW) ?? powerKW) : powerKW;
  }

  #take(report: Report): void {
    this.#state.take(
      report.kind === "capability" ? { ...report, capability: this.#ramped(report.capability) } : report,
    );
    if (report.kind === "reading") this.#verify(report.reading);
    else if (report.kind === "limits") this.evaluate();
    else if (report.kind === "applied" && report.setpointId === this.#holding?.setpoint.id) {
      this.#commands.noteApplied(this.#holding, report.acceptance);
    }
    this.#options.onReport(report);
  }

  /** What the bids count on is what the commands keep. */
  #ramped(capability: Capability): Capability {
    if (this.#ramp === undefined) return capability;
    const own = capability.rampRateKWPerMin ?? Number.POSITIVE_INFINITY;
    return { ...capability, rampRateKWPerMin: Math.min(own, this.#ramp.rateKWPerMin) };
  }

  #verify(reading: Reading): void {
    const holding = this.#holding;
    // A value that was measured while the link was down judges nothing.
    if (reading.replayed || reading.powerKW === undefined || holding?.verification === undefined) return;
    const finding = holding.verification.add({
      atMs: this.#options.clock.elapsedMs(),
      powerKW: reading.powerKW,
      ...(reading.offeredKW === undefined ? {} : { offeredKW: reading.offeredKW }),
    });
    if (finding === undefined) return;
    if (!callsForCorrection(finding, holding.correction, this.availability)) this.#judge(holding, finding, false);
    else {
      holding.correction = { finding };
      this.#commands.correct(holding);
    }
  }

  /** The setpoint no longer holds: its last word is spoken. */
  #close(holding: Holding, hasEnded: boolean): void {
    const nowMs = this.#options.clock.elapsedMs();
    const cause = hasEnded ? "expired" : "superseded";
    const finding = lastFinding(holding, cause, this.capability !== undefined, nowMs);
    if (finding !== undefined) this.#judge(holding, finding, true);
  }

  #judge(holding: Holding, finding: Finding, final: boolean): void {
    const { setpoint, acceptance } = holding;
    const told = { atMs: this.#options.clock.now(), final, acceptance };
    const judgement = judgementOf(setpoint, explained(finding, holding.correction), told);
    // What is shown is the verdict on what holds now; a late word on what it replaced does not push it aside.
    if (this.#holding === undefined || this.#holding === holding) this.#judgement = judgement;
    // Nobody ordered it, so nobody waits for its verdict.
    if (setpoint.source.kind !== "utility") this.#options.onJudgement(judgement);
  }

  /** A verdict for a setpoint that never got to the device. */
  #finish(setpoint: Setpoint, verdict: Judgement["verdict"], reason: string): void {
    const finding: Finding = { verdict, reason, samples: 0 };
    this.#options.onJudgement(judgementOf(setpoint, finding, { atMs: this.#options.clock.now(), final: true }));
  }
}

/** Whether the device must be told anew because the limits around its setpoint changed. */
function isWorthACommand(holding: Holding, clamped: Clamped): boolean {
  const { powerKW } = clamped;
  const { targetKW, boundBy, acceptance, acceptedTargetKW } = holding;
  const roomKW = Math.abs(powerKW) - Math.abs(targetKW);
  if (roomKW < -NOTHING_KW) {
    // A device that rounded down may be within the tighter limit already.
    const toldKW = acceptance !== undefined && acceptedTargetKW === targetKW ? acceptance.appliedKW : targetKW;
    return Math.abs(powerKW) < Math.abs(toldKW) - NOTHING_KW;
  }
  // A power that is ordered is no bound that moves a little: each change of it counts, and so does its other direction.
  if (Math.sign(powerKW) * Math.sign(targetKW) < 0 || isOrdered(clamped.boundBy)) {
    return Math.abs(powerKW - targetKW) > NOTHING_KW;
  }
  // A ramp gives way in steps of its own, of which none is too small.
  return roomKW > (boundBy?.source === "ramp" ? NOTHING_KW : LOOSENED_KW);
}

/** True for a limit that leaves one power and no other. */
function isOrdered(limit: Limit | undefined): boolean {
  return limit?.minPowerKW !== undefined && limit.minPowerKW === limit.maxPowerKW;
}

function nameplate(capability: Capability | undefined): Limit[] {
  return capability === undefined
    ? []
    : [{ source: "nameplate", minPowerKW: capability.minPowerKW, maxPowerKW: capability.maxPowerKW }];
}
