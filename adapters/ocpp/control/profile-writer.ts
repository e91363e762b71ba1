import type { Clock } from "../../../src/clock.ts";
import type { OcppDevice } from "../config.ts";
import { LazySet } from "../lazy-map.ts";
import { CallFailure } from "../link/call-queue.ts";
import { timestampFrom } from "../link/timestamp.ts";
import type { Status } from "../messages/dialect.ts";
import type { Station } from "../station.ts";
import { type Attempt, ChargerWays } from "./charger-ways.ts";
import { type Profile, type ProfileRole, profileId } from "./charging-profile.ts";
import { fallbackImportKW } from "./fallback.ts";
import {
  type ConnectorRating,
  importKWFrom,
  possibleImportKW,
  type RateUnit,
  ratingOf,
  type WireLimit,
  wireLimit,
} from "./import-limit.ts";
import { isUnknownCall, LimitCalls, wordsOf } from "./limit-calls.ts";
import { PhaseChoice, switchesPhases } from "./phase-choice.ts";
import { type Draft, profileFrom } from "./profile-draft.ts";
import { Spacing } from "./spacing.ts";
import { type VendorVia, vendorOrder, vendorWaysOf } from "./vendor-way.ts";
import { describeWay, type ProfileWay } from "./way.ts";
import type { Pause } from "./way-memory.ts";

/** What is to hold on the connector. */
export interface LimitOrder {
  /** kW of import, ≥ 0. */
  readonly importKW: number;
  /** Wall time of the end. */
  readonly untilMs: number;
  /** The transaction that runs, and when it began where that is known (wall time). */
  readonly transaction?: { readonly id: number | string; readonly sinceMs?: number };
  /** Lines on which the car draws. */
  readonly carLines: number;
  /** True where the charger accepted this and does not follow: another way is tried first. */
  readonly isCorrection: boolean;
}

/** What a charger accepted. */
export interface Written {
  /** kW of import that it stands for. */
  readonly importKW: number;
  /** For a person. */
  readonly command: string;
  readonly endsByItself: boolean;
  /** Elapsed ms until a better limit can be written: a switch of phases was too early. */
  readonly betterInMs?: number;
}

/** What of ours lies in the charger. */
type Installed = "command" | "session" | "cap" | VendorVia;

interface Sent {
  readonly status: Status;
  readonly what: Installed;
  readonly importKW: number;
  readonly command: string;
}

/** An order within what the connector can do now. */
interface Job extends LimitOrder {
  readonly rating: ConnectorRating;
  readonly phases: number;
}

/** Under the least current, and above nothing. */
const BELOW_MIN_A = 1;

/** Tells one connector its limit and takes it back. */
export class ProfileWriter {
  readonly #station: Station;
  readonly #device: OcppDevice;
  readonly #clock: Clock;
  readonly #ways: ChargerWays;
  readonly #phases: PhaseChoice;
  readonly #spacing: Spacing;
  readonly #calls: LimitCalls;
  readonly #installed = new LazySet<Installed>();
  #lastKW: number | undefined;
  /** kW of import that the charger has as its fallback; absent where it has none of ours, as far as we know. */
  #fallbackKW: number | undefined;
  /** A backend's limit may also be there from an earlier run. */
  #mayHaveFallback: boolean;

  constructor(station: Station, device: OcppDevice, clock: Clock) {
    this.#station = station;
    this.#device = device;
    this.#clock = clock;
    this.#ways = new ChargerWays(station, device);
    this.#phases = new PhaseChoice(device, clock);
    this.#spacing = new Spacing(clock, device.commandSpacingS * 1000);
    this.#calls = new LimitCalls(station, this.#spacing);
    this.#mayHaveFallback = device.upstream !== undefined;
  }

  /** True while the limit in force is one that only we can end. */
  get needsUs(): boolean {
    return this.#installed.has("changeConfiguration") || this.#installed.has("dataTransfer");
  }

  /** Lines that the charger was last told to use. */
  get phases(): number {
    return this.#phases.current;
  }

  /** True where the lines that the meter shows are the choice of the car, and not of a switch of ours. */
  get leavesLinesToCar(): boolean {
    return this.#phases.current === this.#device.phases && this.#phases.isSettled;
  }

  get #switchesPhases(): boolean {
    return switchesPhases(this.#device, this.#station.traits);
  }

  /**
   * Limits the connector until the order's end.
   * @throws CallFailure
   */
  async write(order: LimitOrder, signal: AbortSignal): Promise<Written> {
    const place = order.transaction === undefined ? "idle" : "session";
    const { phases, betterInMs } = this.#phases.choose(order.importKW, this.#switchesPhases);
    const rating = ratingOf(this.#device, Math.min(phases, order.carLines));
    const importKW = possibleImportKW(order.importKW, rating);
    const waitMs = this.#spacing.waitMs(this.#lastKW === undefined || importKW > this.#lastKW + 1e-6);
    // Nothing is awaited for no time: a command that may go leaves in this very moment, before anything else has its turn.
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
    this.#station.cap.share(this.#device.connector, { importKW, rating, untilMs: order.untilMs });
    const refusals: string[] = [];
    let takesProfiles = true;
    for (const attempt of this.#ways.attempts(place, importKW === 0, order.isCorrection)) {
      if (attempt.way.via === "profile" && !takesProfiles) continue;
      const sent = await this.#send(attempt, { ...order, importKW, rating, phases }, signal);
      if (sent.status.word === "Accepted") {
        this.#ways.accepted(place, attempt);
        this.#phases.accepted(phases);
        this.#spacing.sent();
        this.#lastKW = sent.importKW;
        this.#accepted(sent.what, signal);
        const better = betterInMs === undefined ? {} : { betterInMs };
        const endsByItself = attempt.way.via === "profile";
        return { importKW: sent.importKW, command: sent.command, endsByItself, ...better };
      }
      this.#ways.refused(place, attempt);
      takesProfiles = takesProfiles && !isUnknownCall(sent.status);
      refusals.push(`${describeWay(attempt.way)}: ${wordsOf(sent.status)}`);
    }
    const stopped = importKW === 0 ? await this.#stopTransaction(order, signal) : undefined;
    if (stopped !== undefined) return stopped;
    throw new CallFailure("refused", `the limit was refused (${refusals.join("; ")})`);
  }

  /** The limit as a profile for a session that is still to begin; nothing where this charger takes no such profile. */
  forStart(importKW: number, untilMs: number): Profile | undefined {
    const rating = ratingOf(this.#device);
    const possibleKW = possibleImportKW(importKW, rating);
    const ways = [...this.#ways.attempts("session", false, false)].map(({ way }) => way);
    const way = ways.find((one): one is ProfileWay => one.via === "profile" && one.purpose === "TxProfile");
    if (way === undefined) return undefined;
    const limit = wireLimit(possibleKW, rating, way.unit);
    const { phases } = this.#device;
    const draft = { way, role: "session", limit, phases, untilMs, namesLine: this.#switchesPhases } as const;
    return profileFrom(draft, this.#station, this.#device, this.#clock);
  }

  /**
   * Takes our limits away, also those of an earlier run; what stays is the charger's default, or our fallback.
   * @throws CallFailure
   */
  async clear(signal: AbortSignal): Promise<void> {
    const { connector } = this.#device;
    const { cap } = this.#station;
    const roles: ProfileRole[] = this.#ways.commandIsFallback() ? ["session"] : ["session", "command"];
    for (const role of roles) await this.#calls.clear(profileId(connector, role), signal);
    cap.unshare(connector);
    if (this.#installed.has("cap")) await this.#uninstall("cap", signal);
    for (const via of vendorWaysOf(this.#device)) if (this.#installed.has(via)) await this.#endVendor(via, signal);
    this.#installed.clear();
    this.#lastKW = undefined;
    await this.installFallback(signal);
  }

  /** What is in place for this transaction was put there elsewhere: what this one has goes. */
  replacedBySetpoint(signal: AbortSignal): void {
    this.#accepted("session", signal);
  }

  /** Profiles were taken off the charger by another hand: of ours, none may be left. */
  forgetInstalled(): void {
    for (const what of ["command", "session", "cap"] as const) this.#installed.delete(what);
  }

  /**
   * The limit that holds when no target does, at the lowest level and without an end, so that a gateway that dies leaves
   * the charger there and not at full power. Where nothing is to hold any more it is taken away.
   * @throws CallFailure
   */
  async installFallback(signal: AbortSignal): Promise<void> {
    const importKW = this.#wantedFallbackKW;
    if (importKW === undefined) {
      if (this.#mayHaveFallback) await this.#calls.clear(profileId(this.#device.connector, "fallback"), signal);
      this.#mayHaveFallback = false;
      this.#fallbackKW = undefined;
      return;
    }
    const refusals: string[] = [];
    for (const way of this.#ways.fallbacks()) {
      const limit = wireLimit(importKW, ratingOf(this.#device), way.unit);
      const status = await this.#set({ way, role: "fallback", limit, phases: this.#device.phases }, signal);
      if (status.word === "Accepted") {
        this.#hasFallback(importKW);
        this.#ways.memory.remember("fallback", way);
        return;
      }
      this.#ways.memory.forget("fallback", way);
      refusals.push(`${describeWay(way)}: ${wordsOf(status)}`);
    }
    if (refusals.length > 0) throw new CallFailure("refused", `the fallback was refused (${refusals.join("; ")})`);
  }

  get #wantedFallbackKW(): number | undefined {
    return fallbackImportKW(this.#station, this.#device);
  }

  #hasFallback(importKW: number | undefined): void {
    this.#fallbackKW = importKW;
    this.#mayHaveFallback = true;
  }

  /** False where the charger's fallback is another than it should be now. */
  get isFallbackCurrent(): boolean {
    return this.#fallbackKW === this.#wantedFallbackKW;
  }

  /** Whether what is in force says by itself what comes after it. */
  targetCarriesFallback(hasTarget: boolean): boolean {
    return hasTarget && this.#installed.has("command") && this.#ways.commandIsFallback();
  }

  async #send({ way, pause }: Attempt, job: Job, signal: AbortSignal): Promise<Sent> {
    if (way.via !== "profile") return this.#sendVendor(way.via, job.importKW, job.rating, signal);
    return way.purpose === "MaxProfile"
      ? this.#sendCap(way, pause, job, signal)
      : this.#sendProfile(way, pause, job, signal);
  }

  async #sendProfile(way: ProfileWay, pause: Pause | undefined, job: Job, signal: AbortSignal): Promise<Sent> {
    const limit = limitOf(way.unit, pause, job);
    const { phases, untilMs, transaction } = job;
    const afterwards = this.#ways.sharesFallback(way) ? this.#fallback(way.unit) : undefined;
    const what = way.purpose === "TxProfile" ? "session" : "command";
    const status = await this.#set(
      {
        way,
        role: afterwards === undefined ? what : "fallback",
        limit,
        phases,
        untilMs,
        ...(transaction === undefined ? {} : { transaction }),
        ...(afterwards === undefined ? {} : { afterwards }),
      },
      signal,
    );
    if (afterwards !== undefined && status.word === "Accepted") this.#hasFallback(this.#wantedFallbackKW);
    return { status, what, ...saidOf(way, limit, pause, job) };
  }

  /** The limit of the whole station, in which ours is one of the parts. */
  async #sendCap(way: ProfileWay, pause: Pause | undefined, job: Job, signal: AbortSignal): Promise<Sent> {
    const { cap } = this.#station;
    const { connector } = this.#device;
    cap.use(connector, () => this.#rewriteCap(way, job.phases));
    const limit = limitOf(way.unit, pause, job);
    const whole = cap.total(way.unit);
    const afterwards = this.#ways.sharesFallback(way) ? this.#fallback(way.unit) : undefined;
    const status = await this.#set(
      {
        way,
        role: afterwards === undefined ? "command" : "fallback",
        // Below the least it is meant for a station that has no other connector to feed.
        limit: pause === "below-min" && whole.limit.value === 0 ? limit : whole.limit,
        phases: job.phases,
        untilMs: whole.untilMs,
        ...(afterwards === undefined ? {} : { afterwards }),
      },
      signal,
    );
    if (status.word !== "Accepted") cap.unuse(connector);
    else if (afterwards !== undefined) this.#hasFallback(this.#wantedFallbackKW);
    return { status, what: "cap", ...saidOf(way, limit, pause, job) };
  }

  /** A neighbour's target changed while the station's limit stands for ours. */
  #rewriteCap(way: ProfileWay, phases: number): void {
    const { limit, untilMs } = this.#station.cap.total(way.unit);
    this.#set({ way, role: "command", limit, phases, untilMs }, this.#station.life).catch(() => {});
  }

  async #sendVendor(
    via: VendorVia,
    importKW: number,
    rating: ConnectorRating,
    signal: AbortSignal,
  ): Promise<Sent & { readonly what: VendorVia }> {
    const order = vendorOrder(via, this.#device, importKW, rating);
    const status = await this.#calls.ask(order.request, signal);
    return { status, what: via, importKW: order.importKW, command: order.text };
  }

  #set(draft: Omit<Draft, "namesLine">, signal: AbortSignal): Promise<Status> {
    const whole = { ...draft, namesLine: this.#switchesPhases };
    return this.#calls.set(profileFrom(whole, this.#station, this.#device, this.#clock), signal);
  }

  #fallback(unit: RateUnit): WireLimit | undefined {
    const importKW = this.#wantedFallbackKW;
    return importKW === undefined ? undefined : wireLimit(importKW, ratingOf(this.#device), unit);
  }

  /** What of ours said the limit before could lie over this one, or come back to life when this one ends. */
  #accepted(what: Installed, signal: AbortSignal): void {
    const others = [...this.#installed].filter((other) => other !== what);
    this.#installed.add(what);
    for (const other of others) {
      this.#installed.delete(other);
      // Nobody waits for it, and it mostly has an end of its own; it goes in the order of the commands, so that it cannot
      // hit a newer profile with the same id.
      this.#uninstall(other, signal).catch(() => this.#installed.add(other));
    }
  }

  async #uninstall(what: Installed, signal: AbortSignal): Promise<void> {
    const { connector } = this.#device;
    if (what === "changeConfiguration" || what === "dataTransfer") await this.#endVendor(what, signal);
    else if (what === "cap") {
      if (this.#station.cap.unuse(connector)) await this.#calls.clear(profileId(0, "command"), signal);
    } else if (what === "command" && this.#ways.commandIsFallback()) await this.installFallback(signal);
    else await this.#calls.clear(profileId(connector, what), signal);
  }

  /** A vendor's limit has no end: what ends it is the fallback, or all that the connector can do. */
  async #endVendor(via: VendorVia, signal: AbortSignal): Promise<void> {
    const rating = ratingOf(this.#device);
    const importKW = this.#wantedFallbackKW ?? rating.maxKW;
    const { status, command } = await this.#sendVendor(via, importKW, rating, signal);
    if (status.word !== "Accepted") throw new CallFailure("refused", `${command} got ${wordsOf(status)}`);
    this.#installed.delete(via);
  }

  /** The last way to pause, where the config allows it: only the driver or an order to start begins a new transaction. */
  async #stopTransaction({ transaction }: LimitOrder, signal: AbortSignal): Promise<Written | undefined> {
    if (this.#device.pause !== "stop" || transaction === undefined) return undefined;
    const status = await this.#calls.ask((dialect) => dialect.stopTransaction(transaction.id), signal);
    if (status.word !== "Accepted") return undefined;
    this.#lastKW = 0;
    return { importKW: 0, command: `the transaction ${transaction.id} was stopped`, endsByItself: true };
  }
}

function limitOf(unit: RateUnit, pause: Pause | undefined, { importKW, rating }: Job): WireLimit {
  if (pause !== "below-min") return wireLimit(importKW, rating, unit);
  const amps = { unit: "A", value: BELOW_MIN_A } as const;
  return unit === "A" ? amps : { unit, value: Math.floor(importKWFrom(amps, rating) * 1000) };
}

function saidOf(way: ProfileWay, limit: WireLimit, pause: Pause | undefined, { rating, untilMs }: Job) {
  const amount = limit.unit === "A" ? `${limit.value.toFixed(1)} A x ${rating.phases}` : `${limit.value} W`;
  return {
    // Below the least a car draws nothing.
    importKW: pause === "below-min" ? 0 : importKWFrom(limit, rating),
    command: `SetChargingProfile ${way.purpose} ${amount} until ${timestampFrom(untilMs)}`,
  };
}
