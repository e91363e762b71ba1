import { canonicalHex } from "../../simulators/der/values.ts";
import { eventStatus, STATUS } from "../../simulators/utility/event-status.ts";
import type { Control } from "../../simulators/utility/program-book.ts";
import type { Utility } from "../../simulators/utility/utility.ts";
import { ratingOf } from "./der-contents.ts";

/** How long after it said "started" a site may still be on its way, s. */
const SETTLE_S = 60;
/** What a meter's steps and rounding explain, kW. */
const TOLERANCE_KW = 0.15;
/** How many samples in a row must be over a limit; one alone may be a change of the sun. */
const PATIENCE = 3;

/**
 * Looks at the power that really flows at the connection point while a control holds that the client has said to have
 * started. The published procedures leave that to a person who watches.
 */
export class Obedience {
  readonly #utility: Utility;
  readonly #powerKW: () => number;
  readonly #over = new Map<Control, number>();
  /** What flowed when a control began, kW magnitude: from there its ramp goes down. */
  readonly #startsKW = new Map<Control, number>();
  /** Samples with a limit in force that would have been broken without it, or not. */
  samples = 0;
  /** The first limit that was not kept. */
  fault: string | undefined;

  /** @param powerKW at the connection point, export positive */
  constructor(utility: Utility, powerKW: () => number) {
    this.#utility = utility;
    this.#powerKW = powerKW;
  }

  sample(): void {
    const nowS = this.#utility.nowS();
    const powerKW = this.#powerKW();
    for (const { control } of this.#utility.book.standing(nowS)) {
      if (eventStatus(control, nowS).status !== STATUS.active) continue;
      const startedAtS = this.#startedAtS(control);
      if (startedAtS === undefined) continue;
      if (!this.#startsKW.has(control)) this.#startsKW.set(control, Math.abs(powerKW));
      const sinceS = nowS - startedAtS - SETTLE_S;
      if (sinceS < 0) continue;
      const broken = brokenLimit(control, powerKW, (limitKW) => this.#allowedKW(control, limitKW, sinceS));
      this.samples++;
      const count = broken === undefined ? 0 : (this.#over.get(control) ?? 0) + 1;
      this.#over.set(control, count);
      if (count >= PATIENCE) this.fault ??= `${control.tag ?? `control ${control.id}`}: ${broken}`;
    }
  }

  #startedAtS({ mRID }: Control): number | undefined {
    const subject = canonicalHex(mRID);
    return this.#utility.devices.responses.find((one) => one.subject === subject && one.status === 2)?.atS;
  }

  /** What is left of the way down that the control's own ramp allows, else the default's. */
  #allowedKW(control: Control, limitKW: number, sinceS: number): number {
    const fromKW = this.#startsKW.get(control) ?? 0;
    const { rampS } = control.values;
    const gradient = this.#utility.book.programs.find((program) => program.default?.setGradW)?.default?.setGradW ?? 0;
    const wholeKW = (ratingOf(this.#utility.devices.devices[0], "setMaxW") ?? 0) / 1000;
    const perS = rampS === undefined ? (gradient / 10_000) * wholeKW : (fromKW - limitKW) / rampS;
    return perS > 0 ? Math.max(limitKW, fromKW - perS * sinceS) : limitKW;
  }
}

function brokenLimit({ values }: Control, powerKW: number, allowed: (limitKW: number) => number): string | undefined {
  const { opModExpLimW, opModImpLimW, opModGenLimW, opModLoadLimW, opModEnergize, opModConnect } = values;
  // To disconnect has no ramp.
  const isCut = opModEnergize === false || opModConnect === false;
  const mostOutKW = isCut ? 0 : allowed(Math.min(...[opModExpLimW, opModGenLimW].map(kW)));
  const mostInKW = allowed(Math.min(...[opModImpLimW, opModLoadLimW].map(kW)));
  if (powerKW > mostOutKW + TOLERANCE_KW) return `${powerKW.toFixed(2)} kW flow out, ${mostOutKW} kW are allowed`;
  if (-powerKW > mostInKW + TOLERANCE_KW) return `${(-powerKW).toFixed(2)} kW flow in, ${mostInKW} kW are allowed`;
  return undefined;
}

function kW(watts: number | undefined): number {
  return watts === undefined ? Number.POSITIVE_INFINITY : watts / 1000;
}
