import type { Clock } from "../../../src/clock.ts";
import type { ChargerBehaviour } from "../behaviour.ts";
import type { ChargerSocket } from "../link/charger-socket.ts";
import type { ChargingProfile, RateUnit } from "../profiles/charging-profile.ts";

export interface StandingFaultsOptions {
  /** The charger's own. */
  readonly clock: Clock;
  readonly behaviour: Readonly<ChargerBehaviour>;
  readonly online: () => boolean;
  readonly reboot: () => void;
  /** Puts a profile in that no CSMS sent. */
  readonly install: (profile: ChargingProfile) => void;
  readonly foreignPlace: { readonly stackLevel: number; readonly unit: RateUnit; readonly wattsPerAmp: number };
  /** Posts a charge that began then. */
  readonly postBacklog: (beganMs: number) => void;
  /** The socket of the charger, while there is one. */
  readonly socket: () => ChargerSocket | undefined;
  readonly openSecond: () => ChargerSocket;
  /** What a second socket says first. */
  readonly greet: (socket: ChargerSocket) => Promise<unknown>;
}

/** An id that no CSMS would choose first. */
const FOREIGN_ID = 990_001;

const REDIAL_MS = 1_000;

/** The faults that act by themselves, as time goes by. Called often. */
export class StandingFaults implements AsyncDisposable {
  readonly #options: StandingFaultsOptions;
  #rebootedAtMs: number;
  #foreignLimitA: number | undefined;
  #backlogMs: number | undefined;
  #second: ChargerSocket | undefined;
  #secondAtMs = Number.NEGATIVE_INFINITY;
  #flooding = false;

  constructor(options: StandingFaultsOptions) {
    this.#options = options;
    this.#rebootedAtMs = options.clock.elapsedMs();
  }

  tick(): void {
    this.#reboot();
    this.#installForeign();
    this.#postBacklog();
    this.#dialSecond();
    this.#flood();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeSecond();
  }

  #reboot(): void {
    const { clock, behaviour, reboot } = this.#options;
    const nowMs = clock.elapsedMs();
    if (behaviour.rebootsEveryMs === undefined) this.#rebootedAtMs = nowMs;
    else if (nowMs - this.#rebootedAtMs >= behaviour.rebootsEveryMs) {
      this.#rebootedAtMs = nowMs;
      reboot();
    }
  }

  /** Once: a CSMS that clears it is rid of it. */
  #installForeign(): void {
    const { behaviour, clock, foreignPlace, install } = this.#options;
    const { foreignLimitA } = behaviour;
    if (foreignLimitA === this.#foreignLimitA) return;
    this.#foreignLimitA = foreignLimitA;
    if (foreignLimitA === undefined) return;
    const { stackLevel, unit, wattsPerAmp } = foreignPlace;
    install({
      id: FOREIGN_ID,
      connectorId: 0,
      purpose: "tx-default",
      stackLevel,
      kind: "Absolute",
      startScheduleMs: clock.now() - 3_600_000,
      unit,
      periods: [{ startMs: 0, limit: unit === "A" ? foreignLimitA : foreignLimitA * wattsPerAmp }],
      source: "Other",
    });
  }

  #postBacklog(): void {
    const { behaviour, clock, postBacklog } = this.#options;
    const { backlogMs } = behaviour;
    if (backlogMs === this.#backlogMs) return;
    this.#backlogMs = backlogMs;
    if (backlogMs !== undefined) postBacklog(clock.now() - backlogMs);
  }

  #dialSecond(): void {
    const { behaviour, clock, online } = this.#options;
    if (!behaviour.opensSecondSocket) {
      if (this.#second !== undefined) void this.#closeSecond();
      return;
    }
    const nowMs = clock.elapsedMs();
    if (this.#second !== undefined || !online() || nowMs - this.#secondAtMs < REDIAL_MS) return;
    this.#secondAtMs = nowMs;
    const socket = this.#options.openSecond();
    this.#second = socket;
    socket.once("close", () => {
      if (this.#second === socket) this.#second = undefined;
    });
    socket
      .connect()
      .then(() => this.#options.greet(socket))
      .catch(() => {
        // The CSMS does not want it, and that is what a CSMS may do.
      });
  }

  async #closeSecond(): Promise<void> {
    const socket = this.#second;
    this.#second = undefined;
    await socket?.close({ force: true }).catch(() => undefined);
  }

  /** As fast as the loop turns, with room for all else in between. */
  #flood(): void {
    if (this.#flooding || !this.#options.behaviour.floodsGarbage) return;
    this.#flooding = true;
    const pour = () => {
      const socket = this.#options.socket();
      this.#flooding = this.#options.behaviour.floodsGarbage && socket !== undefined;
      if (!this.#flooding) return;
      socket?.sendGarbage();
      setImmediate(pour);
    };
    pour();
  }
}
