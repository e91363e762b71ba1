import type { Log } from "../../../src/log.ts";
import { CallFailure } from "../link/call-queue.ts";
import type { Session } from "../link/session.ts";
import type { Request } from "../messages/dialect.ts";
import type { SettingName, Traits } from "./traits.ts";

/** The settings of one charger. They are written only where they differ: many chargers keep them in flash. */
export class Settings {
  readonly #session: Session;
  readonly #traits: Traits;
  readonly #log: Log;
  readonly #signal: AbortSignal;

  constructor(session: Session, traits: Traits, log: Log, signal: AbortSignal) {
    this.#session = session;
    this.#traits = traits;
    this.#log = log;
    this.#signal = signal;
  }

  /** What the charger said of it; absent if it said nothing. */
  said(setting: SettingName) {
    return this.#traits.settings?.[setting];
  }

  /**
   * @returns true if it is so now
   * @throws CallFailure when the charger does not answer
   */
  async set(setting: SettingName, value: string): Promise<boolean> {
    const said = this.said(setting);
    if (sameValue(said?.value, value)) return true;
    if (said?.readOnly === true) return false;
    const { dialect } = this.#session;
    const answered = await statusWords(
      this.#session,
      dialect.change(dialect.factNames.settings[setting], value),
      this.#signal,
    );
    return answered.includes("Accepted") || answered.includes("RebootRequired");
  }

  /** Sets the first value that the charger takes. @returns it; nothing where it takes none */
  async setFirst<Value extends string | number>(
    setting: SettingName,
    values: readonly Value[],
  ): Promise<Value | undefined> {
    for (const value of values) if (await this.set(setting, String(value))) return value;
    this.#log.info("the charger refused a setting", { setting, values });
    return undefined;
  }
}

/** Lists compare without regard to order and spaces. */
function sameValue(said: string | undefined, wanted: string): boolean {
  const normal = (text: string) =>
    text
      .replace(/["']/g, "")
      .split(",")
      .map((word) => word.trim().toLowerCase())
      .sort()
      .join(",");
  return said !== undefined && normal(said) === normal(wanted);
}

/** The status words of the answer; none where the charger answered with an error, which it may: set-up is a wish. */
export async function statusWords(session: Session, request: Request, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const answer = await session.link.call(request, "background", signal);
    return session.dialect.statuses(answer).map((status) => status.word);
  } catch (error) {
    if (error instanceof CallFailure && (error.fault === "refused" || error.fault === "protocol")) return [];
    throw error;
  }
}
