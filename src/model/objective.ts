/**
 * What goes first where the price is above `maxPricePerKWh` and the deadline is near.
 * `HARD_DEADLINE`: the energy that can't wait is taken at any price. `HARD_PRICE`: nothing is taken above the price, and the
 * energy may be missing at the deadline.
 */
export type PriceMode = "HARD_DEADLINE" | "HARD_PRICE";

/** A goal from which a bid curve follows, for example "20 kWh by 18:00 at no more than 0.12". */
export interface Objective {
  /**
   * Energy wanted by the deadline, kWh, counted from when the objective was set; > 0 in an order and in the config. A car
   * that holds more than it needs says 0 or less: so much may be gone by then.
   */
  readonly targetChargeKWh: number;
  /** Wall time, epoch ms. */
  readonly deadlineMs: number;
  /** No more than this is paid for energy that can wait; absent means any price. */
  readonly maxPricePerKWh?: number;
  /** `HARD_DEADLINE` unless given; without `maxPricePerKWh` there is nothing to choose. */
  readonly priceMode?: PriceMode;
  /**
   * Where the energy should come from, for example `SOLAR`. Energy that the market says comes from elsewhere counts as
   * dearer by an adder, so it is bought less and later; what can't wait is bought all the same.
   */
  readonly preferredSource?: string;
  /** Energy that is needed at any price, kWh. Absent: the whole target is. */
  readonly minChargeKWh?: number;
  /** Never more than this, kWh; it cuts the target and `minChargeKWh`. */
  readonly maxChargeKWh?: number;
}

/** What the registers of a meter counted since an objective was set, kWh, and where they stood last. */
export interface RegisterProgress {
  readonly importedKWh: number;
  readonly exportedKWh: number;
  /** Absent while the meter has sent no such register. */
  readonly lastImportKWh?: number;
  readonly lastExportKWh?: number;
}

/**
 * `ON_TRACK`: the energy can still be there by the deadline. `OBJECTIVE_AT_RISK`: it will be missing in part even if nothing goes
 * wrong from now on. `REACHED`: it is there.
 */
export type ObjectiveStatus = "ON_TRACK" | "OBJECTIVE_AT_RISK" | "REACHED";

/** How an objective stands. */
export interface ObjectiveOutlook {
  readonly status: ObjectiveStatus;
  /** Energy that will be missing at the deadline, kWh, in the objective's own terms; 0 unless at risk. */
  readonly shortfallKWh: number;
}
