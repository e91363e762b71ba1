import type {
  AdapterContext,
  AdapterHost,
  AdapterKind,
  AdapterOperation,
  HostFigure,
  SiteRoster,
  Stranger,
} from "../adapters/kind.ts";
import type { Config, DeviceConfig } from "./config/schema.ts";
import { withPaths } from "./config/with-paths.ts";
import type { Adapter } from "./model/adapter.ts";
import type { AdapterMemories } from "./store/adapter-memories.ts";

// biome-ignore lint/suspicious/noExplicitAny: each kind's own schema has checked its part of the config
type AnyKind = AdapterKind<any, any>;

/** The adapters of a site and the listeners they share. */
export interface SiteDevices extends AsyncDisposable {
  readonly adapters: readonly Adapter[];
  start(signal: AbortSignal): Promise<void>;
  addresses(): Readonly<Record<string, string>>;
  strangers(): readonly Stranger[];
  /** What the protocols that are open have counted. */
  figures(): readonly HostFigure[];
  /**
   * The adapter of one more device, of a protocol that is open.
   * @throws Error where the protocol is not open, or cannot take the device
   */
  add(device: DeviceConfig): Adapter;
  remove(era: string): Promise<void>;
  adapter(era: string): Adapter | undefined;
  /** What a technician may ask of a protocol that is open, for example `ocpp`, `stations`. */
  operation(kind: string, name: string): AdapterOperation | undefined;
}

/** Makes one adapter for each device of the config, and opens only the protocols that some device needs. */
export async function createSiteDevices(
  config: Config,
  folder: string,
  kinds: readonly AnyKind[],
  context: Omit<AdapterContext, "memory" | "roster">,
  memories: AdapterMemories,
  rosterOf: (kind: string) => SiteRoster,
): Promise<SiteDevices> {
  const hosts = new Map<string, AdapterHost<unknown>>();
  const adapters = new Map<string, Adapter>();
  const adapterOf = (host: AdapterHost<unknown>, name: string, device: DeviceConfig) =>
    host.adapter({ era: device.era, kind: device.kind }, withPaths(device[name], folder));
  const operations = new Map<string, AdapterOperation>();
  for (const kind of kinds) {
    const devices = config.devices.filter((device) => device[kind.name] !== undefined);
    const opensAlone = kind.takesStrangers === true || kind.standsAlone === true;
    const isAwaited = opensAlone && config.given.includes(kind.name);
    if (devices.length === 0 && !isAwaited) continue;
    const host = await kind.createHost(withPaths(config[kind.name], folder), {
      ...context,
      log: context.log.child({ protocol: kind.name }),
      memory: memories.of(kind.name),
      roster: rosterOf(kind.name),
    });
    hosts.set(kind.name, host);
    for (const [name, operation] of Object.entries(host.operations ?? {})) {
      operations.set(`${kind.name}/${name}`, operation);
    }
    for (const device of devices) adapters.set(device.era, adapterOf(host, kind.name, device));
  }
  const all = () => [...hosts.values()];
  return {
    adapters: inConfigOrder([...adapters.values()], config.devices),
    start: async (signal) => {
      for (const host of all()) await host.start(signal);
    },
    addresses: () => Object.assign({}, ...all().map((host) => host.addresses())) as Record<string, string>,
    operation: (kind, name) => operations.get(`${kind}/${name}`),
    strangers: () => all().flatMap((host) => host.strangers()),
    figures: () => all().flatMap((host) => host.figures?.() ?? []),
    add: (device) => {
      const [name, host] = [...hosts].find(([kind]) => device[kind] !== undefined) ?? [];
      if (name === undefined || host === undefined) throw new Error(`${device.era}: its protocol is not open`);
      const adapter = adapterOf(host, name, device);
      adapters.set(device.era, adapter);
      return adapter;
    },
    adapter: (era) => adapters.get(era),
    remove: async (era) => {
      const adapter = adapters.get(era);
      adapters.delete(era);
      await adapter?.[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...adapters.values()].map((adapter) => adapter[Symbol.asyncDispose]()));
      await Promise.all(all().map((host) => host[Symbol.asyncDispose]()));
    },
  };
}

function inConfigOrder(adapters: readonly Adapter[], devices: readonly DeviceConfig[]): readonly Adapter[] {
  const place = new Map(devices.map((device, index) => [device.era, index]));
  return [...adapters].sort((a, b) => (place.get(a.era) ?? 0) - (place.get(b.era) ?? 0));
}
