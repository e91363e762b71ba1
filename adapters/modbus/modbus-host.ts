import { ConfigError } from "../../src/config/load.ts";
import type { Adapter } from "../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, DeviceRole, HostFigure } from "../kind.ts";
import { endpointOf, type ModbusDevice } from "./config.ts";
import { type ModbusSettings, settingsOf } from "./device-settings.ts";
import { endpointName } from "./link/endpoint.ts";
import { type LinkFigures, ModbusLink } from "./link/modbus-link.ts";
import { baselineIn, writeBudgetIn } from "./profile/memory-keeping.ts";
import { ProfileAdapter } from "./profile/profile-adapter.ts";
import { profileOf } from "./profile/profile-of-device.ts";
import type { Profile } from "./profile/profile-schema.ts";
import { portOver } from "./profile/unit-port.ts";
import { SunSpecAdapter } from "./sunspec-adapter.ts";
import { busOperations, type KnownBus } from "./tools/exchange.ts";
import { UnusableAdapter } from "./unusable-adapter.ts";

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
  /** What the field tools ask of the daemon, so that they use its connections. */
  readonly operations = busOperations(this.#buses);

  constructor(context: AdapterContext) {
    this.#context = context;
  }

  adapter(role: DeviceRole, device: ModbusDevice): Adapter {
    const adapter = this.#adapterFor(role, device);
    this.#adapters.push(adapter);
    return adapter;
  }

  #adapterFor(role: DeviceRole, device: ModbusDevice): Adapter {
    let profile: Profile | undefined;
    try {
      profile = profileOf(device);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // One broken profile stops no other device.
      return new UnusableAdapter(role.era, error.message);
    }
    const settings = settingsOf(device, profile);
    const link = this.#linkTo(settings);
    if (profile === undefined || profile.sunspec !== undefined) {
      return new SunSpecAdapter(role, sunSpecSettings(settings, profile), link, this.#context);
    }
    const { clock, memory } = this.#context;
    const unit = `${endpointName(endpointOf(settings))}/${settings.unit}`;
    return new ProfileAdapter(role, profile, portOver(link, settings), settings, this.#context, {
      budget: writeBudgetIn(memory, unit, clock),
      baseline: baselineIn(memory, `${unit} ${settings.connector}`),
    });
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
    return LINK_FIGURES.map(([name, help]) => ({
      name: `setpointd_modbus_${name}_total`,
      help,
      type: "counter",
      samples: [{ labels: {}, value: links.reduce((sum, figures) => sum + figures[name], 0) }],
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#adapters.map((adapter) => adapter[Symbol.asyncDispose]()));
    await Promise.all([...this.#buses.values()].map(({ link }) => link[Symbol.asyncDispose]()));
    this.#adapters.length = 0;
    this.#buses.clear();
  }

  #linkTo(device: ModbusSettings): ModbusLink {
    const endpoint = endpointOf(device);
    const name = endpointName(endpoint);
    const known = this.#buses.get(name);
    const link = known?.link ?? new ModbusLink(endpoint, this.#context);
    this.#buses.set(name, { link, gapMs: Math.max(known?.gapMs ?? 0, device.gapMs) });
    return link;
  }
}

/** A profile's word on the control of a SunSpec device counts where the config has none of its own. */
function sunSpecSettings(settings: ModbusSettings, profile: Profile | undefined): ModbusSettings {
  const control = settings.control === "auto" ? (profile?.sunspec?.control ?? "auto") : settings.control;
  return { ...settings, control };
}
