import type { FailsafeClass } from "../../../src/model/resource.ts";
import type { SunSpecQuirks } from "./quirks.ts";

/** What ends a command if we are gone, and how that is known. */
export interface Failsafe {
  readonly failsafe: FailsafeClass;
  /** For a person. */
  readonly failsafeReason: string;
}

/** What is known of a device's ways to end a command. */
export interface FailsafeFacts {
  readonly isControlled: boolean;
  /** The reversion timer's point, where the device implements it. */
  readonly timer: string | undefined;
  /** What was seen to be wrong with the timer. */
  readonly timerFault: string | undefined;
  /** The timer was seen to count down. */
  readonly timerProven: boolean;
  readonly quirk: SunSpecQuirks["failsafe"];
  /** The technician says that the device's own fallback is set up. */
  readonly hasVendorFallback: boolean;
}

/** The class of a device: what was seen of it counts more than what it states, and a quirk more than a bare register. */
export function failsafeOf(facts: FailsafeFacts): Failsafe {
  const { timer, timerFault, timerProven, quirk } = facts;
  if (!facts.isControlled) return { failsafe: "none", failsafeReason: "nothing is commanded" };
  const reliesOnTimer = quirk === undefined || quirk === "device";
  if (timer !== undefined && timerFault === undefined && (reliesOnTimer || timerProven)) {
    const how = timerProven ? "seen counting down" : "implemented, armed with each command";
    return { failsafe: "device", failsafeReason: `reversion timer ${timer}: ${how}` };
  }
  const without = timerFault ?? (timer === undefined ? "no reversion timer" : `${timer} is known not to work`);
  if (facts.hasVendorFallback || quirk === "vendor") {
    const who = facts.hasVendorFallback ? "as the config says" : "as is known of this model";
    return { failsafe: "vendor", failsafeReason: `${without}; the device's own fallback is set up, ${who}` };
  }
  if (quirk === "none") return { failsafe: "none", failsafeReason: `${without}, and nothing else` };
  return { failsafe: "gateway-only", failsafeReason: `${without}; only a running gateway restores the baseline` };
}
