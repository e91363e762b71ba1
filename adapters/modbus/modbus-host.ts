import { ConfigError } from "../../src/config/load.ts";
import type { Adapter } from "../../src/model/adapter.ts";
import type { Era } from "../../src/model/resource.ts";
import type { AdapterContext, AdapterHost, DeviceRole, HostFigure } from "../kind.ts";
import { UnusableAdapter } from "../unusable-adapter.ts";
import { DeviceBudgets } from "../wear/device-budgets.ts";
import { baselineMemory, keptRegisters } from "./baseline/baseline-memory.ts";
import { endpointOf, type ModbusDevice } from "./config.ts";
import { type ModbusSettings, settingsOf } from "./device-settings.ts";
import { endpointName } from "./link/endpoint.ts";
import { type LinkFigures, ModbusLink } from "./link/modbus-link.ts";
import { ProfileAdapter } from "./profile/profile-adapter.ts";
import { profileOf } from "./profile/profile-of-device.ts";
import type { Profile } from "./profile/profile-schema.ts";
import { sunSpecQuirksOf } from "./profile/quirks.ts";
import { portOver } from "./profile/unit-port.ts";
import { type PointsSource, pointsOperation } from "./sunspec/points-command.ts";
import { SunSpecAdapter } from "./sunspec-adapter.ts";
import { busOperations, type KnownBus } from "./tools/exchange.ts";

const LINK_FIGURES: readonly (readonly [keyof LinkFigures, string])[] = [
  ["requests", "Modbus requests that were sent"],
  ["timeouts", "Modbus requests that were not answered in time"],
  ["exceptions", "Modbus requests that were answered with an exception"],
  ["connections", "Connections to Modbus endpoints that were made"],
];

/** Makes the adapters and owns the connections; units behind one endpoint share one. Listens on nothing. */
export class ModbusHost implements AdapterHost<ModbusDevice> {
  readonly #context: AdapterContext;
  readonly #buses = new Map<string, KnownBus>();
  readonly #adapters: Adapter[] = [];
  readonly #budgets: DeviceBudgets;
  readonly #sunspec = new Map<Era, PointsSource>();
  /** What the field tools ask of the daemon, so that they use its connections. */
  readonly operations = { ...busOperations(this.#buses), points: pointsOperation(this.#sunspec) };

  constructor(context: AdapterContext) {
    this.#context = context;
    this.#budgets = new DeviceBudgets("modbus", "register", context);
  }

  adapter(role: DeviceRole, device: ModbusDevice): Adapter {
    const adapter = this.#adapterFor(role, device);
    this.#adapters.push(adapter);
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
    const links = [...this.#buses.values()].map(({ link }) => link.figures());
    const ofLinks = LINK_FIGURES.map(
      ([name, help]): HostFigure => ({
        name: `setpointd_modbus_${name}_total`,
        help,
        type: "counter",
        samples: [{ labels: {}, value: links.reduce((sum, figures) => sum + figures[name], 0) }],
      }),
    );
    return [...ofLinks, ...this.#budgets.figures()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#adapters.map((adapter) => adapter[Symbol.asyncDispose]()));
    await Promise.all([...this.#buses.values()].map(({ link }) => link[Symbol.asyncDispose]()));
    await this.#budgets[Symbol.asyncDispose]();
    this.#adapters.length = 0;
    this.#buses.clear();
  }

  #adapterFor(role: DeviceRole, device: ModbusDevice): Adapter {
    let profile: Profile | undefined;
    try {
      profile = profileOf(device);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // One broken profile stops no other device.
      return new UnusableAdapter(role.era, "modbus", error);
    }
    const settings = settingsOf(device, profile);
    const link = this.#linkTo(settings);
    const unit = `${endpointName(endpointOf(settings))}/${settings.unit}`;
    const budget = this.#budgets.of(unit);
    if (profile === undefined || profile.sunspec !== undefined) {
      const surroundings = { link, budget, ...(profile && { quirksOf: sunSpecQuirksOf(profile) }) };
      const adapter = new SunSpecAdapter(role, settings, surroundings, this.#context);
      this.#sunspec.set(role.era, adapter);
      return adapter;
    }
    return new ProfileAdapter(role, profile, portOver(link, settings), settings, this.#context, {
      budget,
      baseline: baselineMemory(this.#context.memory, `profile/${role.era}`, keptRegisters),
    });
  }

  #linkTo(settings: ModbusSettings): ModbusLink {
    const endpoint = endpointOf(settings);
    const name = endpointName(endpoint);
    const known = this.#buses.get(name);
    const link = known?.link ?? new ModbusLink(endpoint, this.#context);
    this.#buses.set(name, { link, gapMs: Math.max(known?.gapMs ?? 0, settings.gapMs) });
    return link;
  }
}
