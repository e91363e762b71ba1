import { backoffMs, type Clock, withDeadline, withDeadlineOf } from "../clock.ts";
import type { Log } from "../log.ts";
import { type Acceptance, type Adapter, DeviceError, type Target } from "../model/adapter.ts";
import { askDevice, type Correction } from "./correction.ts";
import type { DeviceState } from "./device-state.ts";
import { type Holding, verificationOf } from "./holding.ts";
import { Lane } from "./lane.ts";
import type { Ramp } from "./ramp.ts";
import type { Finding } from "./verification.ts";

/** The last resort: adapters have their own deadlines, the longest being three polls of a slow 2030.5 device. */
const COMMAND_DEADLINE_MS = 600_000;
/** A stopping daemon waits this long for a device that can't end its command by itself. */
const STOP_DEADLINE_MS = 2_000;
const RETRY_BASE_MS = 1_000;
const RETRY_CAP_MS = 15_000;

export interface DeviceCommandsOptions {
  readonly adapter: Adapter;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly state: DeviceState;
  readonly ramp: Ramp | undefined;
  /** Whether this is still what the device is to hold. */
  readonly isCurrent: (holding: Holding) => boolean;
  /** What the meter had shown before a correction stands, since the correction did not get through. */
  readonly onFinding: (holding: Holding, finding: Finding) => void;
  /** The device said no, for good. */
  readonly onRefused: (holding: Holding, reason: string) => void;
}

type Job = { readonly kind: "apply" | "correct"; readonly holding: Holding } | { readonly kind: "release" };

const OVERTAKEN = new Error("a newer order came");

/** The commands to one device: one runs, at most one waits, the newest wins; and what is tried again when. */
export class DeviceCommands {
  readonly #options: DeviceCommandsOptions;
  readonly #lane: Lane<Job>;
  #signal: AbortSignal = AbortSignal.abort();
  /** Ends the command that runs, when a newer one makes it pointless or the daemon stops; absent while none runs. */
  #running: AbortController | undefined;
  #underCommand = false;
  #releaseRetryAtMs: number | undefined;

  constructor(options: DeviceCommandsOptions) {
    this.#options = options;
    this.#lane = new Lane((job) => this.#work(job));
  }

  /** False once the device has its own default again; true also while it could not be released yet. */
  get isUnderCommand(): boolean {
    return this.#underCommand;
  }

  /** Commands leave until `signal` aborts. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#running?.abort(signal.reason), { once: true });
  }

  /** Tells the device its target. What still runs for an older order is broken off, so that it never holds this one up. */
  apply(holding: Holding): void {
    this.#submit({ kind: "apply", holding });
  }

  /** Says once more what the device accepted and does not do; it waits its turn, since it is no newer order. */
  correct(holding: Holding): void {
    this.#lane.submit({ kind: "correct", holding });
  }

  /** The device was told by its adapter in another way, so what it is judged by is another amount. */
  noteApplied(holding: Holding, acceptance: Acceptance): void {
    this.#accepted(holding, acceptance, this.#options.state.measuredKW, false);
  }

  /** Gives the device back to its own default, if it was under command. */
  release(): void {
    this.#submit({ kind: "release" });
  }

  /** Tries again what was not accepted yet and whose time has come. */
  retry(holding: Holding): void {
    const isDue = holding.acceptance === undefined && this.#options.clock.elapsedMs() >= holding.retryAtMs;
    if (isDue) this.#lane.submit({ kind: "apply", holding });
  }

  /** Tries again to release a device that could not be reached for it. */
  retryRelease(): void {
    const isDue = this.#releaseRetryAtMs !== undefined && this.#options.clock.elapsedMs() >= this.#releaseRetryAtMs;
    if (isDue) this.release();
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return this.#lane.idle();
  }

  /**
   * The daemon stops. A device that ends its command by itself keeps it until then, and after a restart within the window
   * it goes on; a device that can't is released now, or nothing would ever end it.
   */
  async shutDown(): Promise<void> {
    const failsafe = this.#options.state.capability?.failsafe;
    this.#running?.abort(new Error("the daemon stops"));
    if (failsafe !== "device" && failsafe !== "vendor") this.#lane.submit({ kind: "release" });
    await this.finish();
  }

  /** Waits for what runs and what waits, but not for ever. */
  async finish(): Promise<void> {
    await withDeadline(this.#options.clock, STOP_DEADLINE_MS, this.#signal, () => this.#lane.idle()).catch(() => {});
  }

  #submit(job: Job): void {
    this.#running?.abort(OVERTAKEN);
    this.#lane.submit(job);
  }

  async #work(job: Job): Promise<void> {
    if (this.#signal.aborted) return;
    if (job.kind === "release") await this.#release();
    else if (!this.#options.isCurrent(job.holding)) return;
    else if (job.kind === "correct") await this.#correct(job.holding);
    else await this.#apply(job.holding);
  }

  /** Says once more, and in another way where there is one, what the device accepted and does not do. */
  async #correct(holding: Holding): Promise<void> {
    const { correction } = holding;
    if (correction === undefined) return;
    const { adapter, clock, log, isCurrent } = this.#options;
    try {
      const evidence = await this.#command((signal) => askDevice(adapter, clock, signal));
      if (evidence !== undefined) correction.evidence = evidence;
    } catch {
      // A newer order of the same setpoint came: it is judged anew.
      delete holding.correction;
      return;
    }
    if (!isCurrent(holding)) return;
    log.info("setpoint is sent again: the device does not follow", {
      era: adapter.era,
      setpoint: holding.setpoint.id,
      found: correction.finding.reason,
      device: correction.evidence?.text,
    });
    await this.#apply(holding, correction);
  }

  async #apply(holding: Holding, correction?: Correction): Promise<void> {
    const { adapter, clock, log, state, ramp } = this.#options;
    if (holding.acceptedTargetKW === holding.targetKW && correction === undefined) return;
    // Set before the call: until it returns, a tick must not queue the same command again.
    holding.retryAtMs = Number.POSITIVE_INFINITY;
    const target: Target = {
      setpointId: holding.setpoint.id,
      powerKW: holding.targetKW,
      untilMs: holding.setpoint.validUntilMs,
      ...(correction && { correction: true }),
    };
    const startKW = state.measuredKW;
    try {
      this.#underCommand = true;
      const acceptance = await this.#command((signal) => adapter.apply(target, signal));
      ramp?.told(target.powerKW, clock.elapsedMs());
      holding.acceptedTargetKW = target.powerKW;
      if (correction) correction.command = acceptance.command;
      this.#accepted(holding, acceptance, startKW, correction !== undefined);
      log.info("setpoint applied", {
        era: adapter.era,
        setpoint: holding.setpoint.id,
        orderedKW: holding.setpoint.powerKW,
        appliedKW: acceptance.appliedKW,
        command: acceptance.command,
      });
    } catch (error) {
      if (this.#signal.aborted || !this.#options.isCurrent(holding)) return;
      if (correction === undefined || holding.acceptedTargetKW !== target.powerKW) this.#noteFailure(holding, error);
      else if (error === OVERTAKEN) delete holding.correction;
      else {
        // What was accepted before still stands, and so does what the meter showed of it.
        correction.failure = textOf(error);
        this.#options.onFinding(holding, correction.finding);
      }
    }
  }

  #accepted(holding: Holding, acceptance: Acceptance, startKW: number | undefined, again: boolean): void {
    const { clock, state } = this.#options;
    holding.acceptance = acceptance;
    delete holding.lastError;
    const at = { acceptedAtMs: clock.elapsedMs(), startKW, again };
    holding.verification = verificationOf(holding, acceptance, state.capability, at);
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
    const { adapter, clock, log, random, onRefused } = this.#options;
    holding.attempts += 1;
    holding.lastError = textOf(error);
    const isRefusal = error instanceof DeviceError && error.fault === "refused";
    log.warn(isRefusal ? "device refused the setpoint" : "setpoint could not be applied", {
      era: adapter.era,
      setpoint: holding.setpoint.id,
      fault: error instanceof DeviceError ? error.fault : "unreachable",
      reason: holding.lastError,
      attempt: holding.attempts,
    });
    if (isRefusal) {
      holding.refusal = holding.lastError;
      onRefused(holding, holding.lastError);
      return;
    }
    holding.retryAtMs = clock.elapsedMs() + backoffMs(holding.attempts, RETRY_BASE_MS, RETRY_CAP_MS, random);
  }

  async #release(): Promise<void> {
    this.#releaseRetryAtMs = undefined;
    if (!this.#underCommand) return;
    const { adapter, clock, log, ramp } = this.#options;
    // Also where it can't be reached: its command ends by itself, and then nobody here knows what it does.
    ramp?.forget();
    try {
      await this.#command((signal) => adapter.release(signal));
      this.#underCommand = false;
      log.info("released to its own default", { era: adapter.era });
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#releaseRetryAtMs = clock.elapsedMs() + RETRY_CAP_MS;
      log.warn("could not be released yet; the command ends by itself where the device can do that", {
        era: adapter.era,
        reason: textOf(error),
      });
    }
  }
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
