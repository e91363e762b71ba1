import type { AdapterContext, HostFigure } from "../../kind.ts";
import { WriteBudget } from "./write-budget.ts";

/** One budget for each unit, whoever writes to it. */
export class UnitBudgets implements AsyncDisposable {
  readonly #context: AdapterContext;
  readonly #budgets = new Map<string, WriteBudget>();

  constructor(context: AdapterContext) {
    this.#context = context;
  }

  /** @param unit its name, the same for all who write to it: "192.0.2.7:502/1" */
  of(unit: string): WriteBudget {
    const known = this.#budgets.get(unit);
    if (known !== undefined) return known;
    const budget = new WriteBudget(unit, { ...this.#context, log: this.#context.log.child({ adapter: "modbus" }) });
    this.#budgets.set(unit, budget);
    return budget;
  }

  /** Of the units in the config, so that nobody outside makes new series. */
  figures(): readonly HostFigure[] {
    const usages = [...this.#budgets].map(([unit, budget]) => ({ labels: { unit }, usage: budget.usage() }));
    return [
      {
        name: "setpointd_modbus_register_writes_total",
        help: "Registers written, each counted as often as it was",
        type: "counter",
        samples: usages.map(({ labels, usage }) => ({ labels, value: usage.writes })),
      },
      {
        name: "setpointd_modbus_writes_refused_total",
        help: "Commands that were not written because a register's budget for the day was used up",
        type: "counter",
        samples: usages.map(({ labels, usage }) => ({ labels, value: usage.refused })),
      },
      {
        name: "setpointd_modbus_write_budget_used_ratio",
        help: "Share of its day's writes that the most written register has used up",
        type: "gauge",
        samples: usages.map(({ labels, usage }) => ({ labels, value: usage.usedShare })),
      },
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#budgets.values()].map((budget) => budget.close()));
  }
}
