import { resolve } from "node:path";
import type { BidOutlook } from "./bid-keeper.ts";
import type { Clock } from "./clock.ts";
import type { TariffConfig } from "./config/bidding-schema.ts";
import type { Config, MarketConfig } from "./config/schema.ts";
import { ForecastFile } from "./forecast-file.ts";
import type { Log } from "./log.ts";
import type { Era } from "./model/resource.ts";
import { SiteTariffs, type SiteTariffsOptions } from "./site-tariffs.ts";

export interface BidOutlooksOptions {
  readonly config: Config;
  readonly market: MarketConfig;
  /** Paths in the config are relative to this. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly ocpiTariff: SiteTariffsOptions["ocpiTariff"];
}

/** What a site knows of prices and output beyond its devices: its tariffs, a forecast file, what its market says. */
export class BidOutlooks {
  readonly #options: BidOutlooksOptions;
  readonly #tariffs: SiteTariffs;
  readonly #forecast: ForecastFile | undefined;
  /** Tariffs that devices have for themselves. */
  readonly #ofDevices: ReadonlyMap<Era, TariffConfig>;

  constructor(options: BidOutlooksOptions) {
    const { market, folder, clock, log, ocpiTariff } = options;
    const { currency, forecastFile } = market;
    this.#options = options;
    this.#ofDevices = new Map(
      options.config.devices.flatMap(({ era, tariff }) => (tariff === undefined ? [] : [[era, tariff]])),
    );
    this.#tariffs = new SiteTariffs({ currency, clock, log, ocpiTariff });
    this.#forecast =
      forecastFile === undefined
        ? undefined
        : new ForecastFile({ file: resolve(folder, forecastFile), currency, clock, log });
  }

  /** Keeps up with the forecast until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#forecast?.run(signal);
  }

  of(era: Era): BidOutlook {
    const { config, market, clock } = this.#options;
    const nowMs = clock.now();
    const written = this.#ofDevices.get(era) ?? config.site.tariff;
    const tariff = written && this.#tariffs.of(written);
    const forecast = this.#forecast?.prices(nowMs);
    const outputForecast = this.#forecast?.output(era, nowMs + market.bidLead);
    return {
      ...(tariff && { tariff }),
      ...(forecast && { forecast }),
      ...(outputForecast && { outputForecast }),
      ...(market.energySource !== undefined && { offeredSource: market.energySource }),
    };
  }
}
