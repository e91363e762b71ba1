import { z } from "zod";
import type { Clock } from "../../src/clock.ts";
import type { AdapterMemory } from "../kind.ts";

/** Resources that have a poll rate of their own; the list of programs has it for all controls below it as well. */
export const POLLED_RESOURCES = [
  "DeviceCapability",
  "EndDeviceList",
  "FunctionSetAssignmentsList",
  "DERProgramList",
  "DERList",
  "MirrorUsagePointList",
] as const;

export type PolledResource = (typeof POLLED_RESOURCES)[number];

const rateS = z.int().min(1).max(86_400);

/** Rates that an operator has set, seconds; what is absent is as the config has it. */
export const rateChanges = z.strictObject({
  pollRateS: rateS.optional(),
  /** Of single resources. */
  pollRatesS: z.partialRecord(z.enum(POLLED_RESOURCES), rateS).optional(),
  postRateS: rateS.optional(),
});

export type RateChanges = z.output<typeof rateChanges>;

const LEAST_RATE_S = 5;
const MOST_RATE_S = 60;
/** Polls in one market interval, so that a setpoint that comes no earlier than at its start holds for most of it. */
const TIMES_IN_AN_INTERVAL = 5;
const KEY = "rates";

/**
 * How often devices are to poll, and to post what they measure, where the config does not say. What is ordered without a
 * subscription reaches a device within one poll rate, and is proven within one post rate. A long interval may bring a limit
 * or a release at any time, so that it is never slow.
 * @param marketIntervalMs length of a market interval; absent without a market
 * @returns seconds
 */
export function rateForInterval(marketIntervalMs: number | undefined): number {
  if (marketIntervalMs === undefined) return MOST_RATE_S;
  const intervalS = Math.floor(marketIntervalMs / 1000 / TIMES_IN_AN_INTERVAL);
  return Math.min(Math.max(intervalS, LEAST_RATE_S), MOST_RATE_S);
}

export interface RatesOptions {
  /** As the config has them, seconds. */
  readonly pollRateS: number;
  readonly postRateS: number;
  readonly memory: AdapterMemory;
  readonly clock: Clock;
}

/** How often devices are told to poll and to post, all alike. What an operator sets goes before the config, also after a restart. */
export class Rates {
  readonly #options: RatesOptions;
  #changes: RateChanges;
  /** A slower rate that devices may still keep to, until when, elapsed ms. */
  #before: { readonly controlPollS: number; readonly untilMs: number } | undefined;

  constructor(options: RatesOptions) {
    this.#options = options;
    this.#changes = rateChanges.safeParse(options.memory.get(KEY)).data ?? {};
  }

  /** True where an operator has set any. */
  get areSet(): boolean {
    return Object.keys(this.#changes).length > 0;
  }

  get postRateS(): number {
    return this.#changes.postRateS ?? this.#options.postRateS;
  }

  /** @param resource absent: one that has no rate of its own */
  pollRateS(resource?: PolledResource): number {
    const own = resource === undefined ? undefined : this.#changes.pollRatesS?.[resource];
    return own ?? this.#changes.pollRateS ?? this.#options.pollRateS;
  }

  /**
   * How late a device may look at its controls. One that was told of a faster rate looks by the slower one until it has read
   * the new one, which it does within the slower one.
   */
  get controlPollS(): number {
    const nowS = this.pollRateS("DERProgramList");
    const before = this.#before;
    const isOver = before === undefined || before.untilMs <= this.#options.clock.elapsedMs();
    return isOver ? nowS : Math.max(nowS, before.controlPollS);
  }

  /** The slowest rate of all. */
  get slowestS(): number {
    return Math.max(this.postRateS, this.pollRateS(), ...POLLED_RESOURCES.map((resource) => this.pollRateS(resource)));
  }

  /**
   * Sets what is given and leaves the rest; a poll rate for all takes the place of those of single resources.
   * @throws StoreError where the disk does not take it; then nothing has changed
   */
  async change({ pollRateS, pollRatesS, postRateS }: RateChanges): Promise<void> {
    const single = { ...(pollRateS === undefined && this.#changes.pollRatesS), ...pollRatesS };
    await this.#keep({
      ...this.#changes,
      ...(pollRateS !== undefined && { pollRateS }),
      ...(postRateS !== undefined && { postRateS }),
      pollRatesS: single,
    });
  }

  /** Back to the config. @throws StoreError */
  async reset(): Promise<void> {
    await this.#keep({});
  }

  async #keep(changes: RateChanges): Promise<void> {
    const { clock, memory } = this.#options;
    const controlPollS = this.controlPollS;
    await memory.set(KEY, changes);
    this.#changes = changes;
    this.#before = { controlPollS, untilMs: clock.elapsedMs() + controlPollS * 1000 };
  }
}
