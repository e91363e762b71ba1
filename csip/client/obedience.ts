import { canonicalHex } from "../../simulators/der/values.ts";
import { eventStatus, STATUS } from "../../simulators/utility/event-status.ts";
import type { Control } from "../../simulators/utility/program-book.ts";
import type { Utility } from "../../simulators/utility/utility.ts";

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
      if (eventStatus(control, nowS).status !== STATUS.active || !this.#isStarted(control, nowS)) continue;
      const broken = brokenLimit(control, powerKW);
      this.samples++;
      const count = broken === undefined ? 0 : (this.#over.get(control) ?? 0) + 1;
      this.#over.set(control, count);
      if (count >= PATIENCE) this.fault ??= `${control.tag ?? `control ${control.id}`}: ${broken}`;
    }
  }

  #isStarted({ mRID }: Control, nowS: number): boolean {
    const subject = canonicalHex(mRID);
    return this.#utility.devices.responses.some(
      (one) => one.subject === subject && one.status === 2 && one.atS + SETTLE_S <= nowS,
    );
  }
}

function brokenLimit({ values }: Control, powerKW: number): string | undefined {
  const { opModExpLimW, opModImpLimW, opModGenLimW, opModLoadLimW, opModEnergize, opModConnect } = values;
  const isCut = opModEnergize === false || opModConnect === false;
  const mostOutKW = Math.min(...[opModExpLimW, opModGenLimW, isCut ? 0 : undefined].map(kW));
  const mostInKW = Math.min(...[opModImpLimW, opModLoadLimW].map(kW));
  if (powerKW > mostOutKW + TOLERANCE_KW) return `${powerKW.toFixed(2)} kW flow out, ${mostOutKW} kW are allowed`;
  if (-powerKW > mostInKW + TOLERANCE_KW) return `${(-powerKW).toFixed(2)} kW flow in, ${mostInKW} kW are allowed`;
  return undefined;
}

function kW(watts: number | undefined): number {
  return watts === undefined ? Number.POSITIVE_INFINITY : watts / 1000;
}
