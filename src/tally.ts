import type { Era } from "./model/resource.ts";
import type { Setpoint } from "./model/setpoint.ts";
import { type Judgement, VERDICTS, type Verdict } from "./model/verdict.ts";

/** Setpoints whose verdict is still open that are remembered; the oldest are forgotten beyond this. */
const MAX_OPEN = 10_000;

/** Counts of one device since the start. */
export interface DeviceTally {
  readonly setpoints: number;
  /** Each setpoint counts once, under its latest verdict. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
}

/** Counts setpoints and their verdicts; a verdict that changes moves from one count to the other. */
export class Tally {
  readonly #devices = new Map<Era, { setpoints: number; verdicts: Record<Verdict, number> }>();
  readonly #open = new Map<string, Verdict>();

  addSetpoint(setpoint: Setpoint): void {
    this.#of(setpoint.era).setpoints += 1;
  }

  addJudgement(judgement: Judgement): void {
    const { verdicts } = this.#of(judgement.era);
    const before = this.#open.get(judgement.setpointId);
    if (before !== undefined) verdicts[before] -= 1;
    verdicts[judgement.verdict] += 1;
    if (judgement.final) this.#open.delete(judgement.setpointId);
    else {
      this.#open.set(judgement.setpointId, judgement.verdict);
      const [oldest] = this.#open.keys();
      if (this.#open.size > MAX_OPEN && oldest !== undefined) this.#open.delete(oldest);
    }
  }

  device(era: Era): DeviceTally {
    return this.#of(era);
  }

  #of(era: Era): { setpoints: number; verdicts: Record<Verdict, number> } {
    let device = this.#devices.get(era);
    if (device === undefined) {
      const verdicts = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
      device = { setpoints: 0, verdicts };
      this.#devices.set(era, device);
    }
    return device;
  }
}
