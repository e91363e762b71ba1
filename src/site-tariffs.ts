import type { Tariff } from "./bidding/curve-from-tariff.ts";
import type { Clock } from "./clock.ts";
import type { TariffConfig } from "./config/bidding-schema.ts";
import type { Log } from "./log.ts";
import type { OcpiTariff } from "./ocpi/ocpi-objects.ts";
import { tariffSlots } from "./ocpi/tariff-slots.ts";

/** How far a tariff is cut into prices, and how old such a cut may be. */
const AHEAD_MS = 3 * 86_400_000;
const KEPT_MS = 900_000;

/** Names a tariff that came over OCPI. */
export type OcpiTariffName = NonNullable<TariffConfig["ocpi"]>;

export interface SiteTariffsOptions {
  /** Of the market; a tariff in another currency counts for nothing, since prices are never converted. */
  readonly currency: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The tariff as it came last; nothing while none has come. */
  readonly ocpiTariff?: ((name: OcpiTariffName) => OcpiTariff | undefined) | undefined;
}

interface Cut {
  readonly of: OcpiTariff;
  readonly untilMs: number;
  readonly tariff: Tariff | undefined;
}

/** The tariffs of a site as prices over time, from its config or from OCPI. */
export class SiteTariffs {
  readonly #options: SiteTariffsOptions;
  readonly #written = new Map<TariffConfig, OcpiTariff>();
  readonly #cuts = new Map<TariffConfig, Cut>();

  constructor(options: SiteTariffsOptions) {
    this.#options = options;
  }

  /** Prices from now on; nothing while the tariff is not known, or if it can't be used here. */
  of(config: TariffConfig): Tariff | undefined {
    const tariff = config.ocpi === undefined ? this.#fromConfig(config) : this.#options.ocpiTariff?.(config.ocpi);
    if (tariff === undefined) return undefined;
    const nowMs = this.#options.clock.now();
    const before = this.#cuts.get(config);
    if (before?.of === tariff && nowMs < before.untilMs) return before.tariff;
    const cut = { of: tariff, untilMs: nowMs + KEPT_MS, tariff: this.#cut(tariff, config.timeZone, nowMs) };
    this.#cuts.set(config, cut);
    return cut.tariff;
  }

  #cut(tariff: OcpiTariff, timeZone: string, nowMs: number): Tariff | undefined {
    const { currency, log } = this.#options;
    const about = { tariff: tariff.id };
    if (tariff.currency !== currency) {
      log.warn("a tariff in another currency is not used for bids", {
        ...about,
        is: tariff.currency,
        market: currency,
      });
      return undefined;
    }
    try {
      const { slots, notIncluded } = tariffSlots(tariff, { startMs: nowMs, endMs: nowMs + AHEAD_MS }, timeZone);
      if (notIncluded.length > 0) log.debug("costs of a tariff that bids leave out", { ...about, notIncluded });
      return { currency, elements: slots.map(({ startMs, endMs, pricePerKWh }) => ({ startMs, endMs, pricePerKWh })) };
    } catch (error) {
      log.warn("a tariff can't be used for bids", { ...about, reason: String(error) });
      return undefined;
    }
  }

  /** The config's own tariff in the form of OCPI, so that times of day and zones have one meaning. */
  #fromConfig(config: TariffConfig): OcpiTariff {
    const known = this.#written.get(config);
    if (known !== undefined) return known;
    const energy = (price: number) => [{ type: "ENERGY" as const, price, step_size: 1 }];
    const tariff: OcpiTariff = {
      ...{ country_code: "XX", party_id: "XXX", id: "site", last_updated: "1970-01-01T00:00:00Z" },
      currency: config.currency ?? this.#options.currency,
      elements: [
        ...config.times.map(({ from, until, days, pricePerKWh }) => ({
          price_components: energy(pricePerKWh),
          restrictions: { start_time: from, end_time: until, ...(days && { day_of_week: days }) },
        })),
        { price_components: energy(config.pricePerKWh ?? 0) },
      ],
    };
    this.#written.set(config, tariff);
    return tariff;
  }
}
