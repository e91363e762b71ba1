import { backoffMs } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { Acceptance, Evidence, Report, Target } from "../../../src/model/adapter.ts";
import type { AcConnection } from "../../../src/model/units.ts";
import type { AdapterContext } from "../../kind.ts";
import type { OcppDevice } from "../config.ts";
import { CallFailure } from "../link/call-queue.ts";
import { timestampFrom } from "../link/timestamp.ts";
import { Turn } from "../link/turn.ts";
import type { Station } from "../station.ts";
import { CarLines } from "./car-lines.ts";
import type { Profile } from "./charging-profile.ts";
import { probeEffect } from "./effect-probe.ts";
import { mayHaveFallback } from "./fallback.ts";
import { describeProfile, differs, ForeignProfiles, isForeign, limitText } from "./foreign-profiles.ts";
import { type ConnectorRating, importLimitKW, powerFromImportKW, ratingOf, wireLimit } from "./import-limit.ts";
import type { InstalledProfile } from "./installed-profiles.ts";
import { switchesPhases } from "./phase-choice.ts";
import { type LimitOrder, ProfileWriter, type Written } from "./profile-writer.ts";
import { type HeldSetpoint, type V2gControl, v2gObstacle } from "./v2g-control.ts";
import { powerFromSetpoint } from "./v2g-setpoint.ts";

/** Tries to give a charger its target again after a boot or reconnect, before it is left to the core to notice. */
const MAX_RESENDS = 5;

const OVERTAKEN = "overtaken by a newer order";

/** The connector whose target is kept. */
export interface TargetOwner {
  readonly station: Station;
  readonly device: OcppDevice;
  readonly context: AdapterContext;
  /** Setpoints in both directions, where charger and car can; absent where the config has none. */
  readonly v2g: V2gControl | undefined;
  readonly log: Log;
  tell(report: Report): void;
  /** Something that a technician should know; absent when there is nothing to say of the topic any more. */
  onNotice(topic: string, text: string | undefined): void;
  /** What the connector can do, or how it fails safe, is another thing now. */
  onCapability(): void;
}

/** Keeps one connector's target in force: it says it, says it again when the charger may have forgotten, and takes it back. */
export class TargetKeeper implements AcConnection {
  readonly #owner: TargetOwner;
  /** Made with the first target or fallback, and the next two with the first measurement and order: most connectors are idle. */
  #writer: ProfileWriter | undefined;
  #carLines: CarLines | undefined;
  #turn: Turn | undefined;
  #transaction: LimitOrder["transaction"];
  #target: Target | undefined;
  /** kW of import that the charger was last told, after limits and rounding; absent while it is not told anything. */
  #toldKW: number | undefined;
  /** A release that the charger did not hear of. */
  #owesRelease = false;
  /** The charger may lack its fallback. A newer order breaks off what would have told it, and must not make it forgotten. */
  #owesFallback = false;
  #resend: AbortController | undefined;
  /** Ends the wait until the phases may be switched. */
  #rethink: AbortController | undefined;

  /** @param openTransactionId of a transaction that ran before a restart of ours */
  constructor(owner: TargetOwner, openTransactionId: number | string | undefined) {
    this.#owner = owner;
    if (openTransactionId !== undefined) this.#transaction = { id: openTransactionId };
  }

  #theWriter(): ProfileWriter {
    const { station, device, context } = this.#owner;
    this.#writer ??= new ProfileWriter(station, device, context.clock);
    return this.#writer;
  }

  #theTurn(): Turn {
    this.#turn ??= new Turn();
    return this.#turn;
  }

  get #foreign(): ForeignProfiles {
    const { station, device } = this.#owner;
    return new ForeignProfiles(station, device.connector);
  }

  get transactionId(): number | string | undefined {
    return this.#transaction?.id;
  }

  /** What the connector can do on the lines that are in use now. */
  get rating(): ConnectorRating {
    return ratingOf(this.#owner.device, this.#linesInUse);
  }

  /** Lines that carry current now; direct current has one. */
  get phases(): number {
    return this.#owner.device.current === "DC" ? 1 : this.#linesInUse;
  }

  get voltageV(): number {
    return this.#owner.device.voltageV;
  }

  get #linesInUse(): number {
    const { phases } = this.#owner.device;
    return Math.min(this.#writer?.phases ?? phases, this.#linesOfCar);
  }

  /** Lines on which the car draws, as far as is known. */
  get #linesOfCar(): number {
    return this.#carLines?.lines ?? this.#owner.device.phases;
  }

  /** Most power that the car can take, kW: on the lines that it uses, were they all switched on. */
  get mostKW(): number {
    return ratingOf(this.#owner.device, this.#linesOfCar).maxKW;
  }

  /** Least power at which a car can run, kW; 0 where there is no such step. */
  get leastKW(): number {
    const { station, device } = this.#owner;
    return ratingOf(device, switchesPhases(device, station.traits) ? 1 : device.phases).minKW;
  }

  /** True while the limit in force is one that only we can end. */
  get needsUs(): boolean {
    return this.#writer?.needsUs ?? false;
  }

  /** True if a target is in force. */
  get hasTarget(): boolean {
    return this.#target !== undefined && this.#target.untilMs > this.#owner.context.clock.now();
  }

  /** @throws CallFailure */
  async apply(target: Target, signal: AbortSignal): Promise<Acceptance> {
    this.#stopResend();
    try {
      return await this.#theTurn().run(signal, async () => {
        // With what stood against it out of the way, the same way is the one to take.
        const isCorrection = target.correction === true && !(await this.#clearedTheWay(signal));
        const acceptance = await this.#write(target, isCorrection, signal);
        this.#target = target;
        this.#owesRelease = false;
        return acceptance;
      });
    } finally {
      // Also where the charger refused: it then keeps what it has, and may have nothing.
      if (this.#owesFallback && this.#owner.station.version !== undefined && this.#resend === undefined) {
        this.#fallBackSoon();
      }
    }
  }

  /** What holds now, as a profile that goes out with the start of a session; nothing where nothing holds. */
  profileForStart(): Profile | undefined {
    const target = this.#target;
    const importKW = target === undefined ? undefined : importLimitKW(target.powerKW);
    if (target === undefined || importKW === undefined) return undefined;
    if (target.untilMs <= this.#owner.context.clock.now()) return undefined;
    return this.#theWriter().forStart(importKW, target.untilMs);
  }

  /** @throws CallFailure; then it is made up for when the charger is back */
  async release(signal: AbortSignal): Promise<void> {
    this.#stopResend();
    this.#target = undefined;
    this.#toldKW = undefined;
    this.#owesRelease = true;
    this.#owner.v2g?.stop();
    await this.#theTurn().run(signal, () => this.#theWriter().clear(signal));
    this.#owesRelease = false;
    this.#owner.onCapability();
  }

  /** Why the charger may not do what it accepted. @throws CallFailure */
  async probe(signal: AbortSignal): Promise<Evidence> {
    return this.#theTurn().run(signal, () => probeEffect(this.#foreign, this.#toldKW, this.rating, signal));
  }

  /** What lies in the charger for this connector, as far as it says so, and what it says that holds. @throws CallFailure */
  async installed(signal: AbortSignal): Promise<{
    readonly profiles?: readonly InstalledProfile[];
    readonly composite?: string;
  }> {
    const profiles = await this.#foreign.list("command", signal).catch(unlessGone);
    const composite = await this.#foreign.composite("command", signal).catch(unlessGone);
    return { ...(profiles && { profiles }), ...(composite && { composite: limitText(composite) }) };
  }

  /**
   * Takes profiles of somebody else off the charger.
   * @param everything true for all there is, ours and the station's maxima too
   * @throws CallFailure
   */
  async clearForeign(everything: boolean, signal: AbortSignal): Promise<number | undefined> {
    return this.#theTurn().run(signal, () => this.#clearForeign(everything, signal));
  }

  /** Puts our own profiles in the charger again. @throws CallFailure */
  async reinstall(signal: AbortSignal): Promise<void> {
    await this.#theTurn().run(signal, async () => {
      this.#writer?.forgetInstalled();
      await this.#restoreOnce(signal);
      await this.#restoreFallback(signal);
    });
  }

  /** With the set-up done, nothing else is waiting: whose profiles lie in the charger beside ours? @throws CallFailure */
  async lookAround(signal: AbortSignal): Promise<void> {
    const profiles = await this.#foreign.list("background", signal).catch(unlessGone);
    if (profiles === undefined) return this.#lookAtComposite(signal);
    const listed = profiles.filter(isForeign).map(describeProfile).join(", ");
    this.#owner.onNotice("foreign", listed === "" ? undefined : `somebody else has set ${listed}`);
  }

  /** The charger takes commands, and may have forgotten all. */
  onReady(): void {
    if (this.#hasToTell) this.#resendSoon("the charger is back", true);
  }

  /** False while there is nothing of ours that the charger could have forgotten, or could still have. */
  get #hasToTell(): boolean {
    const { device, v2g } = this.#owner;
    // The writer is there from the first target on, and a car may still have to be allowed to give energy back.
    return this.#writer !== undefined || this.#owesRelease || mayHaveFallback(device) || v2g !== undefined;
  }

  onClock(): void {
    if (this.#target !== undefined) this.#resendSoon("the charger's clock is another than was thought", false);
  }

  /** Something changed in the charger or its car, so that the target is to be said again. */
  sendAgain(why: string): void {
    this.#resendSoon(why, false);
  }

  /** What the charger's backend allows may be another power now; what was told of it before no longer bounds the charger. */
  onBackendLimit(): void {
    const writer = this.#theWriter();
    if (writer.isFallbackCurrent || this.#owner.station.version === undefined) return;
    if (writer.targetCarriesFallback(this.#target !== undefined)) {
      this.sendAgain("what comes after the target is another limit");
      return;
    }
    this.#owesFallback = true;
    // What is being told is followed by it.
    if (this.#resend === undefined) this.#fallBackSoon();
  }

  onLinkDown(): void {
    this.#stopResend();
  }

  /** @param sinceMs wall time of its start; absent where it began before we saw it */
  onTransaction(transactionId: number | string, sinceMs: number | undefined): void {
    if (transactionId === this.transactionId) return;
    this.#transaction = { id: transactionId, ...(sinceMs === undefined ? {} : { sinceMs }) };
    this.#resendSoon("a transaction started", false);
  }

  onTransactionOver(transactionId: number | string): void {
    if (transactionId !== this.transactionId) return;
    this.onCarGone();
    // Its profile went with it.
    this.#resendSoon("the transaction is over", false);
  }

  onCarGone(): void {
    this.#transaction = undefined;
    this.#carLines?.forget();
  }

  /**
   * A live measurement of the current on each line. A limit in amps counts on the lines that the car uses; with other lines it is
   * another limit.
   * @returns true if the car uses other lines than before
   */
  noteLines(currentA: readonly number[] | undefined): boolean {
    const { device } = this.#owner;
    if (device.carPhases === "wired" || device.current === "DC") return false;
    if (this.#writer !== undefined && !this.#writer.leavesLinesToCar) return false;
    this.#carLines ??= new CarLines(device.phases);
    if (!this.#carLines.note(currentA)) return false;
    if (this.#target !== undefined) {
      this.#resendSoon(`the car draws on ${this.#carLines.lines} of ${device.phases} lines`, false);
    }
    return true;
  }

  stop(): void {
    this.#stopResend();
    this.#rethink?.abort(OVERTAKEN);
    this.#owner.v2g?.stop();
    this.#target = undefined;
    this.#owesRelease = false;
  }

  #stopResend(): void {
    // With a reason of ours: without one `abort` makes an exception with its stack, also where there is nothing to stop.
    this.#resend?.abort(OVERTAKEN);
    this.#resend = undefined;
  }

  /** Puts what was accepted, or a release that got lost, in force again; an order of the core goes before it. */
  #resendSoon(why: string, withFallback: boolean): void {
    if (withFallback) this.#owesFallback = true;
    this.#soon(why, (signal) => this.#restore(why, signal));
  }

  #fallBackSoon(): void {
    this.#soon("the fallback was still owed", (signal) => this.#restoreFallback(signal));
  }

  #soon(why: string, work: (signal: AbortSignal) => Promise<void>): void {
    this.#stopResend();
    const stop = new AbortController();
    this.#resend = stop;
    this.#theTurn()
      .run(stop.signal, () => work(stop.signal))
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        this.#owner.log.warn("the charger did not take its target again", { why, err: error });
      })
      .finally(() => {
        if (this.#resend === stop) this.#resend = undefined;
      });
  }

  async #restore(why: string, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#owner.context;
    for (let attempt = 1; ; attempt++) {
      try {
        if (await this.#owner.v2g?.allowTransfer(textId(this.transactionId), signal)) this.#owner.onCapability();
        if (await this.#restoreOnce(signal)) this.#owner.log.info("target sent again", { why });
        break;
      } catch (error) {
        const gone = error instanceof CallFailure && error.fault === "unreachable";
        if (signal.aborted || gone || attempt >= MAX_RESENDS) throw error;
        await clock.sleep(backoffMs(attempt, 1000, 30_000, random), signal);
      }
    }
    if (this.#owesFallback) await this.#restoreFallback(signal);
  }

  async #restoreFallback(signal: AbortSignal): Promise<void> {
    if (this.#lacksFallback) {
      try {
        await this.#theWriter().installFallback(signal);
        this.#owner.onNotice("fallback", undefined);
      } catch (error) {
        if (!(error instanceof CallFailure) || error.fault !== "refused") throw error;
        const text = `without the gateway the charger falls back to its own default: ${error.message}`;
        this.#owner.onNotice("fallback", text);
      }
    }
    this.#owesFallback = false;
  }

  /** False where there is none to tell, and where a target at the fallback's own level carries it behind it. */
  get #lacksFallback(): boolean {
    if (this.#writer === undefined && !mayHaveFallback(this.#owner.device)) return false;
    return !this.#theWriter().targetCarriesFallback(this.#target !== undefined);
  }

  /** @returns true if there was a target to send */
  async #restoreOnce(signal: AbortSignal): Promise<boolean> {
    if (this.#owesRelease) {
      await this.#theWriter().clear(signal);
      this.#owesRelease = false;
    }
    const target = this.#target;
    if (target === undefined) return false;
    if (!this.#isPossible(target) || target.untilMs <= this.#owner.context.clock.now()) {
      this.#target = undefined;
      return false;
    }
    const toldKW = this.#toldKW;
    const acceptance = await this.#write(target, false, signal);
    // It is judged by what was accepted: if that is another amount now, the judge must know.
    if (toldKW !== undefined && Math.abs(acceptance.appliedKW - powerFromImportKW(toldKW)) > 1e-6) {
      this.#owner.tell({ kind: "applied", setpointId: target.setpointId, acceptance });
    }
    return true;
  }

  /** While nobody is connected nothing is known to be impossible. */
  #isPossible({ powerKW }: Target): boolean {
    if (this.#owner.station.version === undefined || importLimitKW(powerKW) !== undefined) return true;
    return v2gObstacle(this.#owner) === undefined;
  }

  /** By setpoint where the car follows those, else by limit. */
  async #write(target: Target, isCorrection: boolean, signal: AbortSignal): Promise<Acceptance> {
    const { v2g } = this.#owner;
    const obstacle = v2gObstacle(this.#owner);
    if (v2g !== undefined && obstacle === undefined) {
      const held = await v2g.write(target.powerKW, target.untilMs, textId(this.transactionId), signal);
      this.#theWriter().replacedBySetpoint(signal);
      // A setpoint is no limit that a composite schedule could be compared with.
      this.#toldKW = undefined;
      return {
        appliedKW: powerFromSetpoint(held.setpoint),
        command: setpointText(held, target.untilMs),
        endsByItself: true,
      };
    }
    v2g?.stop();
    const importKW = importLimitKW(target.powerKW);
    if (importKW === undefined) {
      const fault = this.#isPossible(target) ? "unreachable" : "refused";
      throw new CallFailure(fault, `${obstacle}: asked for ${target.powerKW} kW`);
    }
    return acceptanceOf(await this.#writeLimit(target, importKW, isCorrection, signal));
  }

  async #writeLimit(target: Target, importKW: number, isCorrection: boolean, signal: AbortSignal): Promise<Written> {
    const transaction = this.#transaction;
    const needed = this.needsUs;
    const order = {
      importKW,
      untilMs: target.untilMs,
      carLines: this.#linesOfCar,
      isCorrection,
      ...(transaction === undefined ? {} : { transaction }),
    };
    const written = await this.#theWriter().write(order, signal);
    this.#toldKW = written.importKW;
    if (written.betterInMs !== undefined) this.#thinkAgainIn(written.betterInMs, target);
    if (this.needsUs !== needed) this.#owner.onCapability();
    return written;
  }

  /** A switch of phases was too early; when it is time, the target is written anew. */
  #thinkAgainIn(ms: number, target: Target): void {
    this.#rethink?.abort(OVERTAKEN);
    this.#rethink = new AbortController();
    this.#owner.context.clock
      .sleep(ms, this.#rethink.signal)
      .then(() => {
        if (this.#target === target) this.#resendSoon("the phases may be switched now", false);
      })
      .catch(() => {});
  }

  /**
   * Takes away what may stand against our limit, where the config allows that.
   * @returns true if there was something
   */
  async #clearedTheWay(signal: AbortSignal): Promise<boolean> {
    if (this.#owner.device.foreignProfiles !== "clear") return false;
    const listed = await this.#foreign.list("command", signal).catch(unlessGone);
    // Where nobody can say which profiles there are, another limit than ours is the sign of one.
    if (listed === undefined && !(await this.#saysAnother(signal))) return false;
    return (await this.#clearForeign(false, signal).catch(unlessGone)) !== 0;
  }

  async #saysAnother(signal: AbortSignal): Promise<boolean> {
    const said = await this.#foreign.composite("command", signal).catch(unlessGone);
    if (said === undefined || this.#toldKW === undefined) return false;
    return differs(said, wireLimit(this.#toldKW, this.rating, said.unit));
  }

  async #clearForeign(everything: boolean, signal: AbortSignal): Promise<number | undefined> {
    const cleared = await this.#foreign.clear(everything, signal);
    this.#owner.onNotice("foreign", undefined);
    // Where nobody could say which they are, ours went with them.
    if (cleared === undefined) {
      this.#writer?.forgetInstalled();
      await this.#restoreFallback(signal);
    }
    return cleared;
  }

  /** 1.6 cannot list profiles; a limit that holds below ours is the sign of another. */
  async #lookAtComposite(signal: AbortSignal): Promise<void> {
    const toldKW = this.#toldKW;
    if (toldKW === undefined) return;
    const said = await this.#foreign.composite("background", signal).catch(unlessGone);
    if (said === undefined || toldKW !== this.#toldKW) return;
    const ours = wireLimit(toldKW, this.rating, said.unit);
    const isLower = said.value < ours.value && differs(said, ours);
    const text = `the charger says that ${limitText(said)} holds, where ${limitText(ours)} was set: a profile of somebody else?`;
    this.#owner.onNotice("foreign", isLower ? text : undefined);
  }
}

function setpointText({ setpoint, kind, updated }: HeldSetpoint, untilMs: number): string {
  const action = updated ? "UpdateDynamicSchedule" : `SetChargingProfile TxProfile ${kind}`;
  return `${action} setpoint ${setpoint.totalW} W until ${timestampFrom(untilMs)}`;
}

/** Transactions of 2.x are named in text, those of 1.6 are numbered. */
export function textId(transactionId: number | string | undefined): string | undefined {
  return typeof transactionId === "string" ? transactionId : undefined;
}

function acceptanceOf({ importKW, command, endsByItself }: Written): Acceptance {
  return { appliedKW: powerFromImportKW(importKW), command, endsByItself };
}

/** A charger that does not want to answer is one thing, one that is gone another. */
function unlessGone(error: unknown): undefined {
  if (error instanceof CallFailure && (error.fault === "refused" || error.fault === "protocol")) return undefined;
  throw error;
}
