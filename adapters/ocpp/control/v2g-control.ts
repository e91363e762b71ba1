import { type Clock, repeatEvery } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { OcppDevice } from "../config.ts";
import { CallFailure } from "../link/call-queue.ts";
import { isUnknownAction } from "../link/error-code.ts";
import type { Request, Status, V2gRequests } from "../messages/dialect.ts";
import { type CarNeeds, isBidirectional } from "../sessions/car-needs.ts";
import type { Station } from "../station.ts";
import { versionName } from "../version.ts";
import { setpointBounds } from "./car-capability.ts";
import { profileId } from "./charging-profile.ts";
import type { SetpointKind, SetpointProfile } from "./setpoint-profile.ts";
import { setpointFromPower, type WireSetpoint } from "./v2g-setpoint.ts";

/** Updates that may get lost before a setpoint lapses. */
const UPDATES_PER_LEASE = 3;

/** The connector whose setpoints these are. */
export interface V2gOwner {
  readonly station: Station;
  readonly device: OcppDevice;
  readonly clock: Clock;
  readonly log: Log;
  /** What the car told; absent while it told nothing. */
  readonly needs: CarNeeds | undefined;
  /** The charger has lost a setpoint that is still in force. */
  onSetpointLost(): void;
}

/** A setpoint that the charger accepted. */
export interface HeldSetpoint {
  readonly setpoint: WireSetpoint;
  readonly kind: SetpointKind;
  /** True if a profile that ran was moved, and none was sent. */
  readonly updated: boolean;
}

interface Running extends HeldSetpoint {
  readonly profileId: number;
  readonly transactionId: string;
  readonly untilMs: number;
}

/** Why nothing can be given back now, for a person; absent if it can, and then setpoints are what the car follows. */
export function v2gObstacle(owner: {
  readonly station: Station;
  readonly v2g: V2gControl | undefined;
}): string | undefined {
  const { version, v2g } = owner.station;
  if (version === undefined) return "the charger is not connected";
  if (v2g === undefined) return `${versionName(version)} cannot discharge`;
  if (owner.v2g === undefined) return "V2G is not set up for this charger (ocpp.v2g)";
  return owner.v2g.obstacle();
}

const NO_CAR = "no car that can give energy back is connected";

/**
 * Setpoints in both directions at one connector (OCPP 2.1, block Q). A dynamic profile lapses by itself unless it is
 * updated within its lease, which is done here for as long as a setpoint is in force; so a gateway that dies leaves the
 * charger with what lies below, and no clock has a part in it.
 */
export class V2gControl {
  readonly #owner: V2gOwner;
  #transfer: "unknown" | "allowed" | "refused" = "unknown";
  #running: Running | undefined;
  /** False once the charger said that it knows no UpdateDynamicSchedule. */
  #takesUpdates = true;
  #keeping: AbortController | undefined;

  constructor(owner: V2gOwner) {
    this.#owner = owner;
  }

  /** Why charger or car can give nothing back now, for a person; absent if they can. */
  obstacle(): string | undefined {
    const { station, device } = this.#owner;
    const { traits } = station;
    if (traits.rateUnits !== undefined && !traits.rateUnits.includes("W")) return "the charger takes no watts";
    const evse = traits.v2x?.[device.connector];
    if (evse?.enabled === false) return "the charger has V2X turned off";
    if (evse?.operationModes !== undefined && !evse.operationModes.includes("CentralSetpoint")) {
      return "the charger takes no setpoints (CentralSetpoint)";
    }
    return this.#obstacleOfCar();
  }

  /** The car is gone, or its transaction over. Its profile went with it. */
  forgetCar(): void {
    this.stop();
    this.#transfer = "unknown";
  }

  /** The charger booted: what it had may be gone, and it may know more than before. */
  forgetCharger(): void {
    this.stop();
    this.#takesUpdates = true;
  }

  /**
   * What the charger has is neither moved nor kept alive any more: nothing is in force, or it has to be put in place anew,
   * since a profile within old bounds does not reach where only new ones do.
   */
  stop(): void {
    this.#keeping?.abort(new Error("the setpoint is over"));
    this.#keeping = undefined;
    this.#running = undefined;
  }

  /** The setpoint that this profile holds; absent if it is none of ours, or its time is over. */
  setpointOf(id: number): WireSetpoint | undefined {
    const running = this.#running;
    if (running?.profileId !== id || this.#owner.clock.now() >= running.untilMs) return undefined;
    return running.setpoint;
  }

  /**
   * Allows the car of a transaction to give energy back, once, where it could and nobody has allowed it
   * (NotifyAllowedEnergyTransfer; without it a car charges only). A charger that does not answer is asked again at the
   * next occasion, and does not hold up what it can do without.
   * @returns true if this changed what the car can do
   * @throws CallFailure `unreachable`, or the signal's reason when it aborts
   */
  async allowTransfer(transactionId: string | undefined, signal: AbortSignal): Promise<boolean> {
    const needs = this.#owner.needs;
    const { device, station, log } = this.#owner;
    if (this.#transfer !== "unknown" || transactionId === undefined || needs === undefined) return false;
    const v2g = station.v2g;
    if (device.v2g === undefined || v2g === undefined || !needs.modes.some(isBidirectional)) return false;
    const status = await this.#askPatiently(v2g.allowTransfer(transactionId, needs.modes), signal);
    if (status === undefined || this.#owner.needs === undefined) return false;
    this.#transfer = status.word === "Accepted" ? "allowed" : "refused";
    if (this.#transfer === "refused") log.warn("the charger does not let the car discharge", { ...status });
    return true;
  }

  /**
   * Makes the car charge or discharge until `untilMs`: moves the profile that runs, or puts one in place.
   * @param powerKW export positive
   * @throws CallFailure
   */
  async write(
    powerKW: number,
    untilMs: number,
    transactionId: string | undefined,
    signal: AbortSignal,
  ): Promise<HeldSetpoint> {
    const needs = this.#owner.needs;
    const v2g = this.#owner.station.v2g;
    if (needs === undefined || v2g === undefined || transactionId === undefined) {
      throw new CallFailure("refused", v2gObstacle({ station: this.#owner.station, v2g: this }) ?? NO_CAR);
    }
    const before = this.#running;
    // What kept the old setpoint alive must not come behind the new one.
    this.stop();
    const bounds = setpointBounds(this.#owner.device, needs);
    const setpoint = setpointFromPower(powerKW, bounds);
    if (before !== undefined && before.transactionId === transactionId && this.#isMovable(before)) {
      const moved: Running = { ...before, setpoint, untilMs, updated: true };
      if (await this.#move(v2g, moved, signal)) return this.#hold(v2g, moved);
    }
    const refusals: string[] = [];
    for (const { kind, stackLevel } of this.#attempts(needs)) {
      const profile = this.#profile({ kind, stackLevel, setpoint, bounds, untilMs, transactionId });
      const status = await this.#ask(v2g.setSetpoint(profile), signal);
      if (status.word === "Accepted") {
        return this.#hold(v2g, { setpoint, kind, updated: false, profileId: profile.id, transactionId, untilMs });
      }
      refusals.push(`${kind} at stack level ${stackLevel}: ${[status.word, status.reason].filter(Boolean).join(", ")}`);
    }
    throw new CallFailure("refused", `SetChargingProfile with a setpoint was refused (${refusals.join("; ")})`);
  }

  #obstacleOfCar(): string | undefined {
    const needs = this.#owner.needs;
    if (needs === undefined || !needs.modes.some(isBidirectional)) return NO_CAR;
    if (this.#transfer === "refused") return "the charger does not let the car discharge";
    if (this.#transfer === "unknown") return "the car is not allowed to discharge yet";
    if (!isBidirectional(needs.mode)) return "the car asks to charge only";
    if ((needs.discharge.maxKW ?? 0) <= 0) return "the car does not say what it can give back";
    return undefined;
  }

  #attempts(needs: CarNeeds): readonly { kind: SetpointKind; stackLevel: number }[] {
    const { device, station } = this.#owner;
    const most = device.stackLevel === "auto" ? (station.traits.maxStackLevel ?? 0) : device.stackLevel;
    const levels = most === 0 ? [0] : [most, 0];
    // A car that agreed on a schedule gets one.
    const order: readonly SetpointKind[] =
      needs.control === "scheduled" ? ["Absolute", "Dynamic"] : ["Dynamic", "Absolute"];
    const kinds = station.traits.dynamicProfiles === false ? (["Absolute"] as const) : order;
    return kinds.flatMap((kind) => levels.map((stackLevel) => ({ kind, stackLevel })));
  }

  #profile(
    choice: Pick<SetpointProfile, "kind" | "stackLevel" | "setpoint" | "bounds" | "untilMs" | "transactionId">,
  ): SetpointProfile {
    const { device, clock, needs, station } = this.#owner;
    const nowMs = clock.now();
    const leaseS = this.#leaseS(choice.untilMs - nowMs);
    // Times are told by the charger's own clock.
    const { skewMs } = station.chargerClock;
    return {
      ...choice,
      untilMs: choice.untilMs + skewMs,
      id: profileId(device.connector, "session"),
      evseId: device.connector,
      ...(needs?.supply === "DC" ? {} : { phases: device.phases }),
      nowMs: nowMs + skewMs,
      leaseS,
      pullS: Math.max(1, Math.floor(leaseS / 2)),
    };
  }

  /** Without updates nobody renews the lease, so it is the whole time. */
  #leaseS(remainingMs: number): number {
    const { leaseS = 0 } = this.#owner.device.v2g ?? {};
    return this.#takesUpdates ? leaseS : Math.max(1, Math.ceil(remainingMs / 1000));
  }

  #isMovable(running: Running): boolean {
    return running.kind === "Dynamic" && this.#takesUpdates;
  }

  /** @returns false where the profile is not there any more, or cannot be moved */
  async #move(v2g: V2gRequests, to: Running, signal: AbortSignal): Promise<boolean> {
    const status = await this.#ask(v2g.updateSetpoint(to.profileId, to.setpoint), signal);
    return status.word === "Accepted";
  }

  #hold(v2g: V2gRequests, running: Running): HeldSetpoint {
    this.#running = running;
    if (this.#isMovable(running)) this.#keepAlive(v2g, running);
    return running;
  }

  /** Sends the same setpoint again and again: each time is a new lease. */
  #keepAlive(v2g: V2gRequests, running: Running): void {
    const { clock, log, device } = this.#owner;
    const keeping = new AbortController();
    this.#keeping = keeping;
    const everyMs = ((device.v2g?.leaseS ?? 0) * 1000) / UPDATES_PER_LEASE;
    repeatEvery(clock, everyMs, keeping.signal, async () => {
      if (clock.now() >= running.untilMs) return this.stop();
      try {
        if (await this.#move(v2g, running, keeping.signal)) return;
        // It lapsed while the link was slow, or somebody else cleared it.
        this.stop();
        this.#owner.onSetpointLost();
      } catch (error) {
        if (!keeping.signal.aborted) log.debug("a setpoint could not be renewed", { err: error });
      }
    }).catch(() => {});
  }

  /** @returns nothing where the charger does not answer, or with nonsense */
  async #askPatiently(request: Request, signal: AbortSignal): Promise<Status | undefined> {
    try {
      return await this.#ask(request, signal);
    } catch (error) {
      if (!(error instanceof CallFailure) || error.fault === "unreachable") throw error;
      this.#owner.log.warn("the charger does not say whether the car may discharge", { err: error });
      return undefined;
    }
  }

  /** A refusal in words and a CALLERROR are one thing here: the charger said no. */
  async #ask(request: Request, signal: AbortSignal): Promise<Status> {
    try {
      const { answer, dialect } = await this.#owner.station.call(() => request, "command", signal);
      return dialect.statuses(answer)[0] ?? { word: "no status" };
    } catch (error) {
      if (!(error instanceof CallFailure) || error.fault !== "refused") throw error;
      if (request.action === "UpdateDynamicSchedule" && isUnknownAction(error.code)) this.#takesUpdates = false;
      return { word: error.message };
    }
  }
}
