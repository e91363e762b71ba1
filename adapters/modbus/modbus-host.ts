import { ConfigError } from "../../src/config/load.ts";
import type { Adapter } from "../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, DeviceRole } from "../kind.ts";
import type { ModbusDevice } from "./config.ts";
import { type ModbusSettings, settingsOf } from "./device-settings.ts";
import { ModbusLink } from "./link/modbus-link.ts";
import { baselineIn, writeBudgetIn } from "./profile/memory-keeping.ts";
import { ProfileAdapter } from "./profile/profile-adapter.ts";
import { profileOf } from "./profile/profile-of-device.ts";
import type { Profile } from "./profile/profile-schema.ts";
import { portOver } from "./profile/unit-port.ts";
import { SunSpecAdapter } from "./sunspec-adapter.ts";
import { UnusableAdapter } from "./unusable-adapter.ts";

/** Makes the adapters and owns the connections; units behind one endpoint share one. Listens on nothing. */
export class ModbusHost implements AdapterHost<ModbusDevice> {
  readonly #context: AdapterContext;
  readonly #links = new Map<string, ModbusLink>();
  readonly #adapters: Adapter[] = [];

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
    const link = this.#linkTo(settings.host, settings.port);
    if (profile === undefined || profile.sunspec !== undefined) {
      return new SunSpecAdapter(role, sunSpecSettings(settings, profile), link, this.#context);
    }
    const { clock, memory } = this.#context;
    const unit = `${settings.host}:${settings.port}/${settings.unit}`;
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

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#adapters.map((adapter) => adapter[Symbol.asyncDispose]()));
    await Promise.all([...this.#links.values()].map((link) => link[Symbol.asyncDispose]()));
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

/** A profile's word on the control of a SunSpec device counts where the config has none of its own. */
function sunSpecSettings(settings: ModbusSettings, profile: Profile | undefined): ModbusSettings {
  const control = settings.control === "auto" ? (profile?.sunspec?.control ?? "auto") : settings.control;
  return { ...settings, control };
}
