/** A goal from which a bid curve follows, for example "20 kWh by 18:00 at no more than 0.12". */
export interface Objective {
  /** Energy wanted by the deadline, kWh, > 0, counted from when the objective was set. */
  readonly targetChargeKWh: number;
  /** Wall time, epoch ms. */
  readonly deadlineMs: number;
  /** No more than this is paid for energy that can wait; absent means any price. */
  readonly maxPricePerKWh?: number;
  /** A wish that prices can't express; handed on, not acted on. */
  readonly preferredSource?: string;
  /** Energy that is needed at any price, kWh. Absent: the whole target is. */
  readonly minChargeKWh?: number;
  /** Never more than this, kWh. */
  readonly maxChargeKWh?: number;
}
