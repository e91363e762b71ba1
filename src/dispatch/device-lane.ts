import { backoffMs, type Clock, withDeadline, withDeadlineOf } from "../clock.ts";
import type { Log } from "../log.ts";
import { type Acceptance, type Adapter, DeviceError, type Report, type Target } from "../model/adapter.ts";
import { clampByLimits, type Limit } from "../model/limit.ts";
import type { Availability, Reading } from "../model/reading.ts";
import type { Capability } from "../model/resource.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Judgement } from "../model/verdict.ts";
import { DeviceState, type DeviceStateSnapshot } from "./device-state.ts";
import { type Holding, judgementOf, lastFinding, verificationOf } from "./holding.ts";
import { Lane } from "./lane.ts";
import { activeAt, MAX_SCHEDULED, splitEnded, superseded } from "./schedule.ts";
import type { Finding } from "./verification.ts";

/** The last resort: adapters have their own deadlines, the longest being three polls of a slow 2030.5 device. */
const COMMAND_DEADLINE_MS = 600_000;
/** A stopping daemon waits this long for a device that can't end its command by itself. */
const STOP_DEADLINE_MS = 2_000;
/** Changes of a limit that are worth a new command while a setpoint holds, kW. */
const TIGHTENED_KW = 0.02;
const LOOSENED_KW = 0.2;
const RETRY_BASE_MS = 1_000;
const RETRY_CAP_MS = 15_000;

export interface DeviceLaneOptions {
  readonly adapter: Adapter;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** False while nothing may be commanded: the wall clock was never set. */
  readonly mayCommand: () => boolean;
  /** Bounds that hold for this device now; asked at each decision. */
  readonly limits: () => readonly Limit[];
  /** A verdict is known, or is known better. */
  readonly onJudgement: (judgement: Judgement) => void;
  /** What the device told, after the lane has taken note of it. */
  readonly onReport: (report: Report) => void;
  /** The target changed, so that other devices' limits may have changed. */
  readonly onTarget: () => void;
}

/** What a person sees of a device. Powers in kW, export positive; absent is not zero. */
export interface DeviceSnapshot extends DeviceStateSnapshot {
  readonly era: string;
  readonly protocol: string;
  readonly setpoint?: Setpoint;
  readonly targetKW?: number;
  readonly boundBy?: Limit;
  readonly acceptance?: Acceptance;
  readonly judgement?: Judgement;
  readonly lastError?: string;
}

type Job = { readonly kind: "apply"; readonly holding: Holding } | { readonly kind: "release" };

/**
 * One device: which setpoint holds when, one command at a time, and the verdict by its meter.
 * Nothing here waits for another device.
 */
export class DeviceLane {
  readonly adapter: Adapter;
  readonly #options: DeviceLaneOptions;
  readonly #lane: Lane<Job>;
  readonly #state: DeviceState;
  #signal: AbortSignal = AbortSignal.abort();
  /** Ends the command that runs, when a newer one makes it pointless or the daemon stops; absent while none runs. */
  #running: AbortController | undefined;
  #setpoints: Setpoint[] = [];
  #holding: Holding | undefined;
  #underCommand = false;
  #releaseRetryAtMs: number | undefined;
  #judgement: Judgement | undefined;

  constructor(options: DeviceLaneOptions) {
    this.adapter = options.adapter;
    this.#options = options;
    this.#state = new DeviceState(options.clock);
    this.#lane = new Lane((job) => this.#work(job));
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

  snapshot(): DeviceSnapshot {
    const holding = this.#holding;
    return {
      era: this.era,
      protocol: this.adapter.protocol,
      ...this.#state.snapshot(),
      ...(holding && { setpoint: holding.setpoint, targetKW: holding.targetKW }),
      ...(holding?.boundBy && { boundBy: holding.boundBy }),
      ...(holding?.acceptance && { acceptance: holding.acceptance }),
      ...(this.#judgement && { judgement: this.#judgement }),
      ...(holding?.lastError !== undefined && { lastError: holding.lastError }),
    };
  }

  /** Connects, reads what the device tells, and reconnects for ever, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#running?.abort(signal.reason), { once: true });
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const capability = await this.adapter.start(signal);
        this.#state.take({ kind: "link", up: true, detail: "connected" });
        attempt = 0;
        this.#take({ kind: "capability", capability });
        this.evaluate();
        for await (const report of this.adapter.reports(signal)) this.#take(report);
      } catch (error) {
        if (signal.aborted) break;
        this.#state.take({ kind: "link", up: false, detail: textOf(error) });
        this.#options.log.warn("device does not start", { era: this.era, reason: textOf(error), attempt });
      }
      await this.#options.clock
        .sleep(backoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS, this.#options.random), signal)
        .catch(() => {});
    }
    await this.#lane.idle();
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
    const active = activeAt(open, nowMs);
    const held = this.#holding;
    const replaced = held !== undefined && held.setpoint !== active ? held : undefined;
    // What a newer setpoint has replaced does not come back when the newer one ends, as with a superseded 2030.5 event.
    this.#setpoints = open.filter((setpoint) => setpoint !== replaced?.setpoint);
    if (replaced !== undefined) this.#holding = undefined;

    // The command first: the last word on what it replaces can wait.
    if (active === undefined) {
      if (replaced !== undefined || this.#releaseIsDue()) this.#submit({ kind: "release" });
    } else if (this.#holding?.setpoint === active) this.#reconsider(this.#holding);
    else this.#begin(active);

    if (replaced !== undefined) this.#close(replaced, active === undefined);
    for (const setpoint of ended) {
      if (setpoint !== held?.setpoint) this.#finish(setpoint, "expired", "its time passed before it could hold");
    }
  }

  /**
   * The daemon stops. A device that ends its command by itself keeps it until then, and after a restart within the window
   * it goes on; a device that can't is released now, or nothing would ever end it.
   */
  async shutDown(): Promise<void> {
    this.#setpoints = [];
    this.#holding = undefined;
    const endsByItself = this.capability?.failsafe === "device" || this.capability?.failsafe === "vendor";
    this.#running?.abort(new Error("the daemon stops"));
    if (!endsByItself) this.#lane.submit({ kind: "release" });
    await withDeadline(this.#options.clock, STOP_DEADLINE_MS, this.#signal, () => this.#lane.idle()).catch(() => {});
  }

  /** The device is taken out of the site: it gets no more orders, and goes back to its own default if it can be reached. */
  async retire(reason: string): Promise<void> {
    this.withdraw(() => true, reason);
    await withDeadline(this.#options.clock, STOP_DEADLINE_MS, this.#signal, () => this.#lane.idle()).catch(() => {});
  }

  /** The newest order counts: what still runs for an older one is broken off, so that a slow device never holds it up. */
  #submit(job: Job): void {
    this.#running?.abort(new Error("a newer order came"));
    this.#lane.submit(job);
  }

  #begin(setpoint: Setpoint): void {
    const clamped = this.#clamp(setpoint.powerKW);
    this.#holding = {
      setpoint,
      targetKW: clamped.powerKW,
      boundBy: clamped.boundBy,
      attempts: 0,
      retryAtMs: 0,
    };
    this.#judgement = undefined;
    this.#options.onTarget();
    if (this.capability !== undefined) this.#submit({ kind: "apply", holding: this.#holding });
  }

  /** Retries a command that did not get through, and follows limits that changed. */
  #reconsider(holding: Holding): void {
    if (this.capability === undefined || holding.refusal !== undefined) return;
    const clamped = this.#clamp(holding.setpoint.powerKW);
    // A neighbour's meter always moves a little; a limit that tightens counts sooner than one that gives way.
    const roomKW = Math.abs(clamped.powerKW) - Math.abs(holding.targetKW);
    if (roomKW < -TIGHTENED_KW || roomKW > LOOSENED_KW) {
      holding.targetKW = clamped.powerKW;
      holding.boundBy = clamped.boundBy;
      this.#options.onTarget();
      this.#submit({ kind: "apply", holding });
      return;
    }
    const isDue = holding.acceptance === undefined && this.#options.clock.elapsedMs() >= holding.retryAtMs;
    if (isDue) this.#lane.submit({ kind: "apply", holding });
  }

  #clamp(powerKW: number): { powerKW: number; boundBy: Limit | undefined } {
    const clamped = clampByLimits(powerKW, [
      ...nameplate(this.capability),
      ...this.#options.limits(),
      ...this.#state.limits,
    ]);
    return { powerKW: clamped.powerKW, boundBy: clamped.boundBy };
  }

  async #work(job: Job): Promise<void> {
    if (this.#signal.aborted) return;
    if (job.kind === "release") await this.#release();
    else if (job.holding === this.#holding) await this.#apply(job.holding);
  }

  async #apply(holding: Holding): Promise<void> {
    const { log } = this.#options;
    if (holding.acceptedTargetKW === holding.targetKW) return;
    // Set before the call: until it returns, a tick must not queue the same command again.
    holding.retryAtMs = Number.POSITIVE_INFINITY;
    const target: Target = {
      setpointId: holding.setpoint.id,
      powerKW: holding.targetKW,
      untilMs: holding.setpoint.validUntilMs,
    };
    const startKW = this.measuredKW;
    try {
      this.#underCommand = true;
      const acceptance = await this.#command((signal) => this.adapter.apply(target, signal));
      holding.acceptance = acceptance;
      holding.acceptedTargetKW = target.powerKW;
      delete holding.lastError;
      holding.verification = verificationOf(holding, acceptance, this.capability, {
        acceptedAtMs: this.#options.clock.elapsedMs(),
        startKW,
      });
      log.info("setpoint applied", {
        era: this.era,
        setpoint: holding.setpoint.id,
        orderedKW: holding.setpoint.powerKW,
        appliedKW: acceptance.appliedKW,
        command: acceptance.command,
      });
    } catch (error) {
      if (this.#signal.aborted || holding !== this.#holding) return;
      this.#noteFailure(holding, error);
    }
  }

  /** Runs one command; it ends early when the daemon stops or a newer order comes. */
  async #command<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const running = new AbortController();
    this.#running = running;
    try {
      return await withDeadlineOf(this.#options.clock, COMMAND_DEADLINE_MS, running, work);
    } finally {
      if (this.#running === running) this.#running = undefined;
    }
  }

  #noteFailure(holding: Holding, error: unknown): void {
    holding.attempts += 1;
    holding.lastError = textOf(error);
    const isRefusal = error instanceof DeviceError && error.fault === "refused";
    this.#options.log.warn(isRefusal ? "device refused the setpoint" : "setpoint could not be applied", {
      era: this.era,
      setpoint: holding.setpoint.id,
      fault: error instanceof DeviceError ? error.fault : "unreachable",
      reason: holding.lastError,
      attempt: holding.attempts,
    });
    if (isRefusal) {
      holding.refusal = holding.lastError;
      this.#judge(holding, { verdict: "refused", reason: holding.lastError, samples: 0 }, true);
      return;
    }
    const waitMs = backoffMs(holding.attempts, RETRY_BASE_MS, RETRY_CAP_MS, this.#options.random);
    holding.retryAtMs = this.#options.clock.elapsedMs() + waitMs;
  }

  async #release(): Promise<void> {
    this.#releaseRetryAtMs = undefined;
    if (!this.#underCommand) return;
    const { clock, log } = this.#options;
    try {
      await this.#command((signal) => this.adapter.release(signal));
      this.#underCommand = false;
      log.info("released to its own default", { era: this.era });
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#releaseRetryAtMs = clock.elapsedMs() + RETRY_CAP_MS;
      log.warn("could not be released yet; the command ends by itself where the device can do that", {
        era: this.era,
        reason: textOf(error),
      });
    }
  }

  #releaseIsDue(): boolean {
    return this.#releaseRetryAtMs !== undefined && this.#options.clock.elapsedMs() >= this.#releaseRetryAtMs;
  }

  #take(report: Report): void {
    this.#state.take(report);
    if (report.kind === "reading") this.#verify(report.reading);
    else if (report.kind === "limits") this.evaluate();
    this.#options.onReport(report);
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
    if (finding !== undefined) this.#judge(holding, finding, false);
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
    const judgement = judgementOf(setpoint, finding, { atMs: this.#options.clock.now(), final, acceptance });
    // What is shown is the verdict on what holds now; a late word on what it replaced does not push it aside.
    if (this.#holding === undefined || this.#holding === holding) this.#judgement = judgement;
    this.#options.onJudgement(judgement);
  }

  /** A verdict for a setpoint that never got to the device. */
  #finish(setpoint: Setpoint, verdict: Judgement["verdict"], reason: string): void {
    const finding: Finding = { verdict, reason, samples: 0 };
    this.#options.onJudgement(judgementOf(setpoint, finding, { atMs: this.#options.clock.now(), final: true }));
  }
}

function nameplate(capability: Capability | undefined): Limit[] {
  return capability === undefined
    ? []
    : [{ source: "nameplate", minPowerKW: capability.minPowerKW, maxPowerKW: capability.maxPowerKW }];
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
