import type { Adapter } from "../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, DeviceRole } from "../kind.ts";
import { endpointOf, type ModbusDevice } from "./config.ts";
import { type Endpoint, endpointName } from "./link/endpoint.ts";
import { ModbusLink } from "./link/modbus-link.ts";
import { SunSpecAdapter } from "./sunspec-adapter.ts";

/** Makes the adapters and owns the connections; units behind one endpoint share one. Listens on nothing. */
export class ModbusHost implements AdapterHost<ModbusDevice> {
  readonly #context: AdapterContext;
  readonly #links = new Map<string, ModbusLink>();
  readonly #adapters: Adapter[] = [];

  constructor(context: AdapterContext) {
    this.#context = context;
  }

  adapter(role: DeviceRole, device: ModbusDevice): Adapter {
    const adapter = new SunSpecAdapter(role, device, this.#linkTo(endpointOf(device)), this.#context);
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

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#adapters.map((adapter) => adapter[Symbol.asyncDispose]()));
    await Promise.all([...this.#links.values()].map((link) => link[Symbol.asyncDispose]()));
    this.#adapters.length = 0;
    this.#links.clear();
  }

  #linkTo(endpoint: Endpoint): ModbusLink {
    const name = endpointName(endpoint);
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const link = new ModbusLink(endpoint, this.#context);
    this.#links.set(name, link);
    return link;
  }
}
