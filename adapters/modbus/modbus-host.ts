import type { Adapter } from "../../src/model/adapter.ts";
import type { Era } from "../../src/model/resource.ts";
import type { AdapterContext, AdapterHost, DeviceRole, HostFigure } from "../kind.ts";
import type { ModbusDevice } from "./config.ts";
import { ModbusLink } from "./link/modbus-link.ts";
import { type PointsSource, pointsOperation } from "./sunspec/points-command.ts";
import { SunSpecAdapter } from "./sunspec-adapter.ts";
import { UnitBudgets } from "./wear/unit-budgets.ts";

/** Makes the adapters and owns the connections; units behind one endpoint share one. Listens on nothing. */
export class ModbusHost implements AdapterHost<ModbusDevice> {
  readonly #context: AdapterContext;
  readonly #links = new Map<string, ModbusLink>();
  readonly #adapters: Adapter[] = [];
  readonly #budgets: UnitBudgets;
  readonly #sunspec = new Map<Era, PointsSource>();
  readonly operations = { points: pointsOperation(this.#sunspec) };

  constructor(context: AdapterContext) {
    this.#context = context;
    this.#budgets = new UnitBudgets(context);
  }

  adapter(role: DeviceRole, device: ModbusDevice): Adapter {
    const link = this.#linkTo(device.host, device.port);
    const budget = this.#budgets.of(`${device.host}:${device.port}/${device.unit}`);
    const adapter = new SunSpecAdapter(role, device, { link, budget }, this.#context);
    this.#adapters.push(adapter);
    this.#sunspec.set(role.era, adapter);
    return adapter;
  }

  async start(): Promise<void> {}

  addresses(): Readonly<Record<string, string>> {
    return {};
  }

  strangers(): readonly [] {
    return [];
  }

  figures(): readonly HostFigure[] {
    return this.#budgets.figures();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#adapters.map((adapter) => adapter[Symbol.asyncDispose]()));
    await Promise.all([...this.#links.values()].map((link) => link[Symbol.asyncDispose]()));
    await this.#budgets[Symbol.asyncDispose]();
    this.#adapters.length = 0;
    this.#links.clear();
  }

  #linkTo(host: string, port: number): ModbusLink {
    const name = `${host}:${port}`;
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const link = new ModbusLink({ host, port }, this.#context);
    this.#links.set(name, link);
    return link;
  }
}
