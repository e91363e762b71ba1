import type { Verdict } from "../model/verdict.ts";

/** Samples in a row that decide: one may be noise, three are not. */
const DECISIVE_SAMPLES = 3;
/** Share of the way from the old power to the order that counts as having moved. */
const MOVED_SHARE = 0.2;
const MIN_TOLERANCE_KW = 0.2;
const TOLERANCE_SHARE = 0.05;
/** Samples kept for a trial: enough for the evidence, bounded for a long window. */
const MAX_SAMPLES = 32;

/** A command that a device accepted, under test by its meter. Powers in kW, export positive; times elapsed ms. */
export interface Trial {
  readonly orderedKW: number;
  /** What the device accepted, after limits and its own steps. */
  readonly appliedKW: number;
  /** Last measured power before the command; absent if there was none. */
  readonly startKW?: number;
  readonly control: "setpoint" | "limit";
  readonly acceptedAtMs: number;
  readonly settleMs: number;
  readonly sampleMs: number;
  /** True if the device followed an earlier command for the same power: then doing something else is going back. */
  readonly followedBefore?: boolean;
  /** Why `appliedKW` is not `orderedKW`, for a person. */
  readonly shortfallReason?: string;
}

export interface Sample {
  readonly atMs: number;
  readonly powerKW: number;
  /** What the device says it offers, where it says so. */
  readonly offeredKW?: number;
}

export interface Finding {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly measuredKW?: number;
  readonly samples: number;
  /** True if the device does something else than it accepted, so that saying it once more may help. */
  readonly deviates?: true;
}

/** How far a measured power may be from the order and still count as the order, kW. */
export function toleranceKW(appliedKW: number): number {
  return Math.max(MIN_TOLERANCE_KW, TOLERANCE_SHARE * Math.abs(appliedKW));
}

/**
 * Judges one command by the meter, sample by sample. Accepted is not effective: until three samples agree there is no
 * finding, and what they show decides.
 */
export class Verification {
  readonly trial: Trial;
  #samples: Sample[] = [];
  #wasEffective = false;
  #finding: Finding | undefined;

  constructor(trial: Trial) {
    this.trial = trial;
    this.#wasEffective = trial.followedBefore ?? false;
  }

  /** True once three samples in a row showed the order. */
  get wasEffective(): boolean {
    return this.#wasEffective;
  }

  /** What the meter says so far; absent while it can't tell. */
  get finding(): Finding | undefined {
    return this.#finding;
  }

  /** Takes in a live sample; returns the finding if this sample changed its verdict. */
  add(sample: Sample): Finding | undefined {
    if (sample.atMs < this.trial.acceptedAtMs) return undefined;
    this.#samples.push(sample);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    const before = this.#finding?.verdict;
    this.#finding = this.#judge() ?? this.#finding;
    return this.#finding?.verdict === before ? undefined : this.#finding;
  }

  /** The finding when nothing more will come. `cause` says why the window closed. */
  close(nowMs: number, cause: "superseded" | "expired"): Finding {
    if (this.#finding !== undefined) return this.#finding;
    const waitedMs = nowMs - this.trial.acceptedAtMs;
    const enoughMs = this.trial.settleMs + DECISIVE_SAMPLES * this.trial.sampleMs;
    if (this.#samples.length === 0 && waitedMs >= enoughMs) {
      return {
        verdict: "unverifiable",
        reason: `accepted, but no power reading came within ${Math.round(waitedMs / 1000)} s`,
        samples: 0,
      };
    }
    const reason =
      cause === "superseded"
        ? `a newer setpoint came ${seconds(waitedMs)} after this one was accepted, before the meter could tell`
        : `it ended ${seconds(waitedMs)} after it was accepted, before the meter could tell`;
    return { verdict: cause, reason, samples: this.#samples.length };
  }

  #judge(): Finding | undefined {
    const last = this.#samples.slice(-DECISIVE_SAMPLES);
    if (last.length < DECISIVE_SAMPLES) return undefined;
    const { trial } = this;
    const measuredKW = last.reduce((sum, sample) => sum + sample.powerKW, 0) / last.length;
    const tolerance = toleranceKW(trial.appliedKW);
    const hits = last.filter((sample) => Math.abs(sample.powerKW - trial.appliedKW) <= tolerance).length;
    const evidence = { measuredKW, samples: this.#samples.length };

    if (hits === DECISIVE_SAMPLES) {
      this.#wasEffective = true;
      if (Math.abs(trial.appliedKW - trial.orderedKW) > toleranceKW(trial.orderedKW)) {
        return {
          verdict: "partial",
          reason: `${kW(measuredKW)} of ${kW(trial.orderedKW)}: ${trial.shortfallReason ?? "the device's own steps"}`,
          ...evidence,
        };
      }
      return { verdict: "effective", reason: `measured ${kW(measuredKW)}`, ...evidence };
    }
    if (hits > 0) return undefined;
    // Before the device had its time to react, only a hit says anything.
    if (last.some((sample) => sample.atMs < trial.acceptedAtMs + trial.settleMs)) return undefined;

    if (this.#doesLessThanAllowed(measuredKW, tolerance)) return this.#judgeLess(last, measuredKW, evidence);
    return { ...this.#judgeElsewhere(measuredKW), ...evidence, deviates: true };
  }

  /** The device does neither what it accepted nor less than that. */
  #judgeElsewhere(measuredKW: number): Pick<Finding, "verdict" | "reason"> {
    const { trial } = this;
    if (this.#wasEffective) {
      return { verdict: "reverted", reason: `followed, then went to ${kW(measuredKW)} by itself` };
    }
    return this.#movedShare(measuredKW) >= MOVED_SHARE
      ? { verdict: "partial", reason: `moved to ${kW(measuredKW)}, ordered ${kW(trial.appliedKW)}` }
      : { verdict: "ignored", reason: `accepted ${kW(trial.appliedKW)}, measured ${kW(measuredKW)}` };
  }

  /** A limit is kept when the device does less in the same direction: a full car, a low sun. */
  #doesLessThanAllowed(measuredKW: number, tolerance: number): boolean {
    const { appliedKW, control } = this.trial;
    if (control !== "limit") return false;
    return appliedKW < 0
      ? measuredKW > appliedKW && measuredKW <= tolerance
      : measuredKW < appliedKW && measuredKW >= -tolerance;
  }

  #judgeLess(last: readonly Sample[], measuredKW: number, evidence: { measuredKW: number; samples: number }): Finding {
    const { trial } = this;
    const offered = steadyOffer(last, trial.appliedKW);
    // It did not move and does not even say that it offers more: nothing shows that the command arrived.
    const stuck = trial.startKW !== undefined && Math.abs(measuredKW - trial.startKW) <= toleranceKW(trial.startKW);
    if (offered !== undefined) {
      const offers = `accepted ${kW(trial.appliedKW)}, offers ${kW(offered)}, measured ${kW(measuredKW)}`;
      return { verdict: stuck ? "ignored" : "partial", reason: offers, ...evidence, deviates: true };
    }
    return {
      verdict: "partial",
      reason: `${kW(measuredKW)} of ${kW(trial.orderedKW)}: the limit is kept, the device takes or gives less`,
      ...evidence,
    };
  }

  /** Share of the distance to the order that is gone: 1 = at the order, 0 or less = no nearer, or start unknown. */
  #movedShare(measuredKW: number): number {
    const { startKW, appliedKW } = this.trial;
    if (startKW === undefined || startKW === appliedKW) return 0;
    // By distance and not by direction: who shoots past a limit has not followed it in part.
    return 1 - Math.abs(measuredKW - appliedKW) / Math.abs(startKW - appliedKW);
  }
}

/** What the device says that it offers, where all samples agree that this is not what it accepted. */
function steadyOffer(last: readonly Sample[], appliedKW: number): number | undefined {
  const differs = ({ offeredKW }: Sample) =>
    offeredKW !== undefined && Math.abs(offeredKW - appliedKW) > toleranceKW(appliedKW);
  return last.every(differs) ? last.at(-1)?.offeredKW : undefined;
}

function kW(powerKW: number): string {
  // -0.001 must not be shown as "-0.00".
  const rounded = Math.round(powerKW * 100) / 100;
  return `${(rounded === 0 ? 0 : rounded).toFixed(2)} kW`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
