import type { StatusReport } from "../api/status-report.ts";
import type { GridClearingResult } from "../clearing/grid-types.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { TradedInterval } from "../settlement/traded-interval.ts";

/** A gateway that a scenario runs; the real one, in this process, on the scenario's clock. */
export interface GatewayHandle extends AsyncDisposable {
  addresses(): Readonly<Record<string, string>>;
  status(): StatusReport;
}

/** A setpoint that a round of the market led to. kW, export positive. */
export interface MarketOrder {
  readonly era: string;
  readonly powerKW: number;
  /** The price at its grid node; absent where nothing trades. */
  readonly pricePerKWh?: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** What one gate cleared, and what was confirmed of it. */
export interface MarketRound {
  readonly roundId: string;
  readonly startMs: number;
  readonly endMs: number;
  /** The clearing's own result. */
  readonly result: GridClearingResult;
  readonly orders: readonly MarketOrder[];
}

/** A market clearing agent that a scenario runs. */
export interface ProviderHandle extends AsyncDisposable {
  /** Where participants POST. */
  readonly url: string;
  /** All rounds so far, oldest first. */
  rounds(): Promise<readonly MarketRound[]>;
}

/** What `meter verify` says of a gateway's interval log, and what is in it. */
export interface VerifiedLog {
  /** What is wrong with the chain; absent if it is sound. */
  readonly fault?: string;
  readonly records: number;
  /** Intervals in one direction, as they are settled. */
  readonly trades: readonly TradedInterval[];
}

/** What a scenario may start of the product itself. */
export interface ScenarioHost {
  /** @param options.config as in a site's YAML */
  startGateway(options: {
    readonly config: object;
    readonly folder: string;
    readonly clock: Clock;
    readonly log: Log;
  }): Promise<GatewayHandle>;
  /** @param options.config as in a provider's YAML */
  startProvider(options: {
    readonly config: object;
    readonly folder: string;
    readonly clock: Clock;
    readonly log: Log;
  }): Promise<ProviderHandle>;
  /** Reads the interval log of a gateway that has stopped. @param folder as it was started with */
  readMeterLog(folder: string, direction: "IMPORT" | "EXPORT"): VerifiedLog;
}

/** Something that had to hold, and whether it did. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** With the numbers. */
  readonly detail: string;
}

export interface ScenarioTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What came of a scenario. */
export interface ScenarioReport {
  readonly schemaVersion: 1;
  readonly scenario: string;
  readonly title: string;
  /** What happened, in order, with the time of the scenario's own clock. */
  readonly story: readonly { readonly at: string; readonly text: string }[];
  readonly tables: readonly ScenarioTable[];
  readonly checks: readonly Check[];
  readonly ok: boolean;
}

export interface ScenarioContext {
  readonly host: ScenarioHost;
  readonly seed: number;
  /** For config, keys and databases. */
  readonly folder: string;
  /** The real clock. */
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** A line of the story as it happens. */
  readonly onStory: (at: string, text: string) => void;
}

/** A use case that runs end to end. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  run(context: ScenarioContext): Promise<ScenarioReport>;
}
