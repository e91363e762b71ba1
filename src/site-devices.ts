import { resolve } from "node:path";
import type { AdapterContext, AdapterHost, AdapterKind, AdapterOperation, Stranger } from "../adapters/kind.ts";
import type { Config, DeviceConfig } from "./config/schema.ts";
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
  /** What a technician may ask of a protocol that is open, for example `ocpp`, `stations`. */
  operation(kind: string, name: string): AdapterOperation | undefined;
}

/** The part of a protocol with its files found: a key that ends in `File` is a path relative to the config file. */
function withPaths(part: unknown, folder: string): unknown {
  return Object.fromEntries(
    Object.entries(part as object).map(([key, value]) => {
      if (key.endsWith("File") && typeof value === "string") return [key, resolve(folder, value)];
      const isGroup = typeof value === "object" && value !== null && !Array.isArray(value);
      return [key, isGroup ? withPaths(value, folder) : value];
    }),
  );
}

/** Makes one adapter for each device of the config, and opens only the protocols that some device needs. */
export function createSiteDevices(
  config: Config,
  folder: string,
  kinds: readonly AnyKind[],
  context: Omit<AdapterContext, "memory">,
  memories: AdapterMemories,
): SiteDevices {
  const hosts: AdapterHost<unknown>[] = [];
  const adapters: Adapter[] = [];
  const operations = new Map<string, AdapterOperation>();
  for (const kind of kinds) {
    const devices = config.devices.filter((device) => device[kind.name] !== undefined);
    if (devices.length === 0) continue;
    const host = kind.createHost(withPaths(config[kind.name], folder), {
      ...context,
      log: context.log.child({ protocol: kind.name }),
      memory: memories.of(kind.name),
    });
    hosts.push(host);
    for (const [name, operation] of Object.entries(host.operations ?? {})) {
      operations.set(`${kind.name}/${name}`, operation);
    }
    adapters.push(
      ...devices.map((device) =>
        host.adapter({ era: device.era, kind: device.kind }, withPaths(device[kind.name], folder)),
      ),
    );
  }
  return {
    adapters: inConfigOrder(adapters, config.devices),
    start: async (signal) => {
      for (const host of hosts) await host.start(signal);
    },
    addresses: () => Object.assign({}, ...hosts.map((host) => host.addresses())) as Record<string, string>,
    operation: (kind, name) => operations.get(`${kind}/${name}`),
    strangers: () => hosts.flatMap((host) => host.strangers()),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(adapters.map((adapter) => adapter[Symbol.asyncDispose]()));
      await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
    },
  };
}

function inConfigOrder(adapters: readonly Adapter[], devices: readonly DeviceConfig[]): readonly Adapter[] {
  const place = new Map(devices.map((device, index) => [device.era, index]));
  return [...adapters].sort((a, b) => (place.get(a.era) ?? 0) - (place.get(b.era) ?? 0));
}
