import type { AdapterContext, HostFigure } from "../kind.ts";
import { type PlaceKind, WriteBudget } from "./write-budget.ts";

/** One budget for each device of a protocol, whoever writes to it. */
export class DeviceBudgets implements AsyncDisposable {
  readonly #protocol: string;
  readonly #kind: PlaceKind;
  readonly #context: AdapterContext;
  readonly #budgets = new Map<string, WriteBudget>();

  constructor(protocol: string, kind: PlaceKind, context: AdapterContext) {
    this.#protocol = protocol;
    this.#kind = kind;
    this.#context = context;
  }

  /** @param device its name, the same for all who write to it: "192.0.2.7:502/1" */
  of(device: string): WriteBudget {
    const known = this.#budgets.get(device);
    if (known !== undefined) return known;
    const log = this.#context.log.child({ adapter: this.#protocol });
    const budget = new WriteBudget(device, this.#kind, { ...this.#context, log });
    this.#budgets.set(device, budget);
    return budget;
  }

  /** Of the devices in the config, so that nobody outside makes new series. */
  figures(): readonly HostFigure[] {
    const usages = [...this.#budgets].map(([unit, budget]) => ({ labels: { unit }, usage: budget.usage() }));
    return [
      {
        name: `setpointd_${this.#protocol}_${this.#kind}_writes_total`,
        help: `Times that a ${this.#kind} was written`,
        type: "counter",
        samples: usages.map(({ labels, usage }) => ({ labels, value: usage.writes })),
      },
      {
        name: `setpointd_${this.#protocol}_writes_refused_total`,
        help: `Commands that were not written because a ${this.#kind}'s budget for the day was used up`,
        type: "counter",
        samples: usages.map(({ labels, usage }) => ({ labels, value: usage.refused })),
      },
      {
        name: `setpointd_${this.#protocol}_write_budget_used_ratio`,
        help: `Share of its day's writes that the most written ${this.#kind} has used up`,
        type: "gauge",
        samples: usages.map(({ labels, usage }) => ({ labels, value: usage.usedShare })),
      },
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#budgets.values()].map((budget) => budget.close()));
  }
}
