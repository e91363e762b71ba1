import type { Clock } from "../../../src/clock.ts";
import type { OcppDevice } from "../config.ts";
import { CallFailure } from "../link/call-queue.ts";
import type { Dialect, Request, Status } from "../messages/dialect.ts";
import type { Station } from "../station.ts";
import { type Profile, type ProfilePurpose, profileId } from "./charging-profile.ts";
import { importLimitKW, type RateUnit, type WireLimit, wireLimit } from "./import-limit.ts";

/** What a charger accepted. */
export interface Written {
  readonly limit: WireLimit;
  readonly purpose: ProfilePurpose;
}

interface Attempt {
  readonly purpose: ProfilePurpose;
  readonly stackLevel: number;
}

/** Puts charging profiles on one connector and takes them away, and knows how this charger wants them. */
export class ProfileWriter {
  readonly #station: Station;
  readonly #device: OcppDevice;
  readonly #clock: Clock;
  /** The way that worked last, for each state of the connector: with a transaction, and without. */
  readonly #worked = new Map<"session" | "idle", Attempt>();
  readonly #installed = new Set<ProfilePurpose>();

  constructor(station: Station, device: OcppDevice, clock: Clock) {
    this.#station = station;
    this.#device = device;
    this.#clock = clock;
  }

  /**
   * Limits the connector until `untilMs`.
   * @throws CallFailure
   */
  async write(
    importKW: number,
    untilMs: number,
    transactionId: number | string | undefined,
    signal: AbortSignal,
  ): Promise<Written> {
    const limit = wireLimit(importKW, this.#device, this.#unit());
    const refusals: string[] = [];
    for (const attempt of this.#attempts(transactionId !== undefined)) {
      const status = await this.#set(this.#profile(attempt, limit, untilMs, transactionId), signal);
      if (status.word === "Accepted") {
        this.#worked.set(transactionId === undefined ? "idle" : "session", attempt);
        this.#installed.add(attempt.purpose);
        this.#clearOther(attempt.purpose, signal);
        return { limit, purpose: attempt.purpose };
      }
      refusals.push(`${attempt.purpose} at stack level ${attempt.stackLevel}: ${wordsOf(status)}`);
    }
    throw new CallFailure("refused", `SetChargingProfile was refused (${refusals.join("; ")})`);
  }

  /**
   * Takes our profiles away, also those of an earlier run; what stays is the charger's default, or our fallback.
   * @throws CallFailure
   */
  async clear(signal: AbortSignal): Promise<void> {
    const { connector } = this.#device;
    const roles = this.#commandIsFallback() ? (["session"] as const) : (["session", "command"] as const);
    for (const role of roles) await this.#clear(profileId(connector, role), signal);
    this.#installed.clear();
    if (this.#device.fallbackKW !== undefined) await this.installFallback(signal);
  }

  /** A profile of ours for this purpose was put in place elsewhere: what this one has for the other purpose goes. */
  replacedBy(purpose: ProfilePurpose, signal: AbortSignal): void {
    this.#installed.add(purpose);
    this.#clearOther(purpose, signal);
  }

  /** The charger booted, perhaps with other firmware: what worked before may not now. */
  forget(): void {
    this.#worked.clear();
  }

  /**
   * The limit that holds when no target does, at the lowest level and without an end, so that a gateway that dies leaves
   * the charger there and not at full power.
   * @throws CallFailure
   */
  async installFallback(signal: AbortSignal): Promise<void> {
    const fallback = this.#fallback();
    if (fallback === undefined) return;
    const status = await this.#set(
      {
        ...this.#common(),
        id: profileId(this.#device.connector, "fallback"),
        purpose: "TxDefaultProfile",
        stackLevel: 0,
        limit: fallback,
      },
      signal,
    );
    if (status.word !== "Accepted") throw new CallFailure("refused", `the fallback profile got ${wordsOf(status)}`);
  }

  /** Whether what is in force says by itself what comes after it. */
  targetCarriesFallback(hasTarget: boolean): boolean {
    return hasTarget && this.#installed.has("TxDefaultProfile") && this.#commandIsFallback();
  }

  #attempts(inTransaction: boolean): readonly Attempt[] {
    const { stackLevel } = this.#device;
    const level = stackLevel === "auto" ? (this.#station.traits.maxStackLevel ?? 0) : stackLevel;
    const purposes: readonly ProfilePurpose[] = inTransaction
      ? ["TxProfile", "TxDefaultProfile"]
      : ["TxDefaultProfile"];
    const levels = level === 0 ? [0] : [level, 0];
    const all = purposes.flatMap((purpose) => levels.map((stack) => ({ purpose, stackLevel: stack })));
    const worked = this.#worked.get(inTransaction ? "session" : "idle");
    const others = all.filter((one) => one.purpose !== worked?.purpose || one.stackLevel !== worked.stackLevel);
    return worked === undefined ? all : [worked, ...others];
  }

  #profile(attempt: Attempt, limit: WireLimit, untilMs: number, transactionId: number | string | undefined): Profile {
    const { connector } = this.#device;
    const fallback = this.#fallback();
    // With the fallback on the same level there may be but one profile: it says both, one after the other. The charger
    // would replace the other (1.6) or refuse the second (2.0.1).
    const shared = attempt.purpose === "TxDefaultProfile" && attempt.stackLevel === 0 && fallback !== undefined;
    const role = attempt.purpose === "TxProfile" ? "session" : shared ? "fallback" : "command";
    return {
      ...this.#common(),
      id: profileId(connector, role),
      purpose: attempt.purpose,
      stackLevel: attempt.stackLevel,
      limit,
      untilMs,
      ...(transactionId === undefined ? {} : { transactionId }),
      ...(shared ? { afterwards: fallback } : {}),
    };
  }

  #common() {
    const { connector, phases, profileKind } = this.#device;
    return { connector, phases, kind: profileKind, nowMs: this.#clock.now() };
  }

  #fallback(): WireLimit | undefined {
    const { fallbackKW } = this.#device;
    const importKW = fallbackKW === undefined ? undefined : importLimitKW(fallbackKW);
    return importKW === undefined ? undefined : wireLimit(importKW, this.#device, this.#unit());
  }

  #commandIsFallback(): boolean {
    const idle = this.#worked.get("idle") ?? this.#attempts(false)[0];
    return this.#device.fallbackKW !== undefined && idle?.stackLevel === 0;
  }

  #unit(): RateUnit {
    if (this.#device.unit !== "auto") return this.#device.unit;
    const units = this.#station.traits.rateUnits ?? ["A"];
    return units.includes("A") ? "A" : "W";
  }

  /** A refusal in words and a CALLERROR are one thing here: the charger said no. */
  async #set(profile: Profile, signal: AbortSignal): Promise<Status> {
    try {
      const { answer, dialect } = await this.#call((version) => version.setProfile(profile), signal);
      const [status] = dialect.statuses(answer);
      if (status !== undefined && ["Accepted", "Rejected", "NotSupported"].includes(status.word)) return status;
      throw new CallFailure("protocol", "SetChargingProfile was answered with no status that there is");
    } catch (error) {
      if (error instanceof CallFailure && error.fault === "refused") return { word: error.message };
      throw error;
    }
  }

  /** A profile of ours for the other purpose could lie over this one, or come back to life when this one ends. */
  #clearOther(purpose: ProfilePurpose, signal: AbortSignal): void {
    const other: ProfilePurpose = purpose === "TxProfile" ? "TxDefaultProfile" : "TxProfile";
    if (!this.#installed.delete(other)) return;
    const role = other === "TxProfile" ? "session" : "command";
    const clearing =
      role === "command" && this.#commandIsFallback()
        ? this.installFallback(signal)
        : this.#clear(profileId(this.#device.connector, role), signal);
    // Nobody waits for it, and it has an end of its own; it goes in the order of the commands, so that it cannot hit a
    // newer profile with the same id.
    clearing.catch(() => this.#installed.add(other));
  }

  async #clear(id: number, signal: AbortSignal): Promise<void> {
    const { answer, dialect } = await this.#call((version) => version.clearProfile(id), signal);
    const [status] = dialect.statuses(answer);
    // Unknown: it is not there, which is what was wanted.
    if (status?.word === "Accepted" || status?.word === "Unknown") return;
    throw new CallFailure("protocol", "ClearChargingProfile was answered with no status that there is");
  }

  #call(make: (dialect: Dialect) => Request, signal: AbortSignal) {
    return this.#station.call(make, "command", signal);
  }
}

function wordsOf(status: Status): string {
  return status.reason === undefined ? status.word : `${status.word} (${status.reason})`;
}
