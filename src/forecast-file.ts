import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import type { OutputForecast } from "./bidding/curve-from-solar.ts";
import type { ForecastSlot } from "./bidding/forecast.ts";
import { type Clock, repeatEvery } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Era } from "./model/resource.ts";

/** How often the file is looked at. */
const LOOK_MS = 5_000;
const MAX_BYTES = 1_048_576;
const MAX_SLOTS = 2_000;

const instant = z.iso
  .datetime({ offset: true, message: 'must be a time with a zone, for example "2026-12-15T18:00:00Z"' })
  .transform((text) => Date.parse(text));

const span = { start: instant, end: instant };
const isSpan = ({ start, end }: { start: number; end: number }) => start < end;
const backwards = { message: "must be after `start`", path: ["end"] };

const forecast = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code, for example "EUR"'),
  prices: z
    .array(z.strictObject({ ...span, pricePerKWh: z.number() }).refine(isSpan, backwards))
    .max(MAX_SLOTS)
    .default([]),
  output: z
    .record(
      z.string(),
      z
        .array(
          z
            .strictObject({
              ...span,
              lowKW: z.number().nonnegative(),
              middleKW: z.number().nonnegative(),
              highKW: z.number().nonnegative(),
            })
            .refine(isSpan, backwards),
        )
        .max(MAX_SLOTS),
    )
    .default({}),
});

type Forecast = z.output<typeof forecast>;

/**
 * Prices expected ahead and the sun's expected output, from a file that some other program writes:
 * `{currency, prices: [{start, end, pricePerKWh}], output: {ERA: [{start, end, lowKW, middleKW, highKW}]}}`. A file that
 * is wrong is told, and what was read before goes on to count: its slots end by themselves.
 */
export class ForecastFile {
  readonly #options: { readonly file: string; readonly currency: string; readonly clock: Clock; readonly log: Log };
  #read: Forecast | undefined;
  #seen = "";

  /** @param options.currency of the market; prices in another one are refused and never converted */
  constructor(options: { readonly file: string; readonly currency: string; readonly clock: Clock; readonly log: Log }) {
    this.#options = options;
  }

  /** Looks at the file until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.look();
    await repeatEvery(this.#options.clock, LOOK_MS, signal, () => this.look());
  }

  /** Reads the file if it has changed. Never throws. */
  async look(): Promise<void> {
    const { file, log } = this.#options;
    try {
      const { mtimeMs, size } = await stat(file);
      const seen = `${mtimeMs} ${size}`;
      if (seen === this.#seen) return;
      this.#seen = seen;
      if (size > MAX_BYTES) throw new Error(`a forecast may have at most ${MAX_BYTES} bytes`);
      this.#read = this.#parse(await readFile(file, "utf8"));
      log.info("forecast read", { file, prices: this.#read.prices.length });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#seen === `failed: ${reason}`) return;
      // A file that is not there is told once; one that is there and wrong, once for each time that it was written.
      if ((error as NodeJS.ErrnoException).code !== undefined) this.#seen = `failed: ${reason}`;
      log.warn("the forecast can't be read; what was read before counts on", { file, reason });
    }
  }

  /** Absent where no price is known for any time ahead. */
  prices(nowMs: number): readonly ForecastSlot[] | undefined {
    const ahead = (this.#read?.prices ?? []).filter(({ end }) => end > nowMs);
    if (ahead.length === 0) return undefined;
    return ahead.map(({ start, end, pricePerKWh }) => ({ startMs: start, endMs: end, pricePerKWh }));
  }

  /** Absent where nothing is known of a device at that time. */
  output(era: Era, atMs: number): OutputForecast | undefined {
    const slot = this.#read?.output[era]?.find(({ start, end }) => start <= atMs && atMs < end);
    return slot && { lowKW: slot.lowKW, middleKW: slot.middleKW, highKW: slot.highKW };
  }

  #parse(text: string): Forecast {
    const parsed = forecast.safeParse(JSON.parse(text));
    if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
    const { currency } = this.#options;
    if (parsed.data.prices.length > 0 && parsed.data.currency !== currency) {
      throw new Error(`its prices are in ${parsed.data.currency}, the market's in ${currency}`);
    }
    return parsed.data;
  }
}
