import { type DispatchedDevice, Dispatcher } from "../../src/dispatch/dispatcher.ts";
import type { SiteConnection } from "../../src/dispatch/site-fuse.ts";
import { silentLog } from "../../src/log.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import type { Judgement } from "../../src/model/verdict.ts";
import { HandClock } from "./hand-clock.ts";

/** A dispatcher on a clock that is moved by hand, with all that it judged. */
export class DispatchStage {
  readonly clock: HandClock;
  readonly judgements: Judgement[] = [];
  readonly dispatcher: Dispatcher;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #orders = 0;

  constructor(
    devices: readonly DispatchedDevice[],
    options: { connection?: SiteConnection; groups?: Map<string, string[]>; clock?: HandClock } = {},
  ) {
    this.clock = options.clock ?? new HandClock();
    this.dispatcher = new Dispatcher({
      clock: this.clock,
      log: silentLog,
      random: () => 0.5,
      devices,
      groups: options.groups ?? new Map(),
      connection: options.connection ?? {},
      onJudgement: (judgement) => this.judgements.push(judgement),
      onReport: () => {},
    });
    this.#running = this.dispatcher.run(this.#stop.signal);
  }

  /** A setpoint of the market, received now. */
  order(era: string, powerKW: number, seconds = 60, fromSeconds = 0): Setpoint {
    this.#orders += 1;
    const nowMs = this.clock.now();
    return {
      id: `s${this.#orders}`,
      era,
      powerKW,
      validFromMs: nowMs + fromSeconds * 1000,
      validUntilMs: nowMs + (fromSeconds + seconds) * 1000,
      receivedAtMs: nowMs,
      source: { kind: "market" },
    };
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("over"));
    await this.#running;
  }
}
