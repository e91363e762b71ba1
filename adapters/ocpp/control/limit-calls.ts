import { CallFailure } from "../link/call-queue.ts";
import type { Dialect, Request, Status } from "../messages/dialect.ts";
import type { Station } from "../station.ts";
import type { Profile } from "./charging-profile.ts";
import type { Spacing } from "./spacing.ts";

/** A charger that is told too much too fast is asked again this often. */
const MAX_SLOWED = 4;

/** The calls that set and clear limits on one charger. A refusal in words and a CALLERROR are one thing here: it said no. */
export class LimitCalls {
  readonly #station: Station;
  readonly #spacing: Spacing;

  constructor(station: Station, spacing: Spacing) {
    this.#station = station;
    this.#spacing = spacing;
  }

  /** @throws CallFailure when there was no answer, or none that can be read */
  async set(profile: Profile, signal: AbortSignal): Promise<Status> {
    for (let slowed = 0; ; slowed++) {
      const status = await this.ask((dialect) => dialect.setProfile(profile), signal);
      if (!(status.reason ?? "").includes("RateLimitExceeded") || slowed >= MAX_SLOWED) return status;
      await this.#spacing.slowDown(signal);
    }
  }

  /** @throws CallFailure when there was no answer, or none that can be read */
  async ask(make: (dialect: Dialect) => Request, signal: AbortSignal): Promise<Status> {
    try {
      const { answer, dialect } = await this.#station.call(make, "command", signal);
      const [status] = dialect.statuses(answer);
      if (status !== undefined) return status;
      throw new CallFailure("protocol", "a limit was answered with no status");
    } catch (error) {
      if (error instanceof CallFailure && error.fault === "refused") return { word: error.message };
      throw error;
    }
  }

  /** @throws CallFailure */
  async clear(id: number, signal: AbortSignal): Promise<void> {
    const { answer, dialect } = await this.#station.call((version) => version.clearProfile(id), "command", signal);
    const [status] = dialect.statuses(answer);
    // Unknown: it is not there, which is what was wanted.
    if (status?.word === "Accepted" || status?.word === "Unknown") return;
    throw new CallFailure("protocol", "ClearChargingProfile was answered with no status that there is");
  }
}

/** True where the charger does not know the call at all, so that no other profile will do either. */
export function isUnknownCall(status: Status): boolean {
  return /answered (NotImplemented|NotSupported)\b/.test(status.word);
}

/** For a person. */
export function wordsOf(status: Status): string {
  return status.reason === undefined ? status.word : `${status.word} (${status.reason})`;
}
