import type { WriteBudget } from "../../wear/write-budget.ts";
import { registersOf, type WriteStep } from "./register-writer.ts";
import type { Facts } from "./sunspec-device.ts";
import { SunSpecError } from "./sunspec-error.ts";

const DAY_S = 86_400;

/** Asks a unit's budget before each command, by what is known of the device's memory. */
export class WriteAllowance {
  readonly #budget: WriteBudget;
  readonly #maxPerDay: number | undefined;
  readonly #armingPerDay: number;
  #refusal: string | undefined;

  /**
   * @param maxPerDay writes of one register in one day, from the config
   * @param revertS reversion time that is armed anew all day, seconds
   */
  constructor(budget: WriteBudget, maxPerDay: number | undefined, revertS: number) {
    this.#budget = budget;
    this.#maxPerDay = maxPerDay;
    // Arming the timer all day, three times over: what goes beyond that is no refresh any more.
    this.#armingPerDay = Math.ceil((3 * DAY_S) / (revertS / 3));
  }

  /** What a technician should know of it. */
  notices(): readonly string[] {
    return [...(this.#refusal === undefined ? [] : [this.#refusal]), ...this.#budget.usage().warnings];
  }

  /** @throws SunSpecError `refused` if a register has been written as often as its day allows */
  spend(steps: readonly WriteStep[], facts: Facts, purpose: "order" | "release"): void {
    const cyclic = facts.quirks.cyclic ?? "unknown";
    const armingPerDay = facts.hasTimer && cyclic === "unknown" ? this.#armingPerDay : undefined;
    const policy = { cyclic, maxPerDay: this.#maxPerDay ?? armingPerDay };
    const spending = this.#budget.spend(registersOf(steps), policy, purpose);
    if (spending.ok) {
      this.#refusal = undefined;
      return;
    }
    const until = new Date(spending.refusedUntilMs).toISOString();
    this.#refusal = `register ${spending.place} was written ${spending.writesToday} times today; not again before ${until}`;
    throw new SunSpecError("refused", this.#refusal);
  }
}
