import type { Adapter } from "../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, DeviceRole, Stranger } from "../kind.ts";
import { type OcppDevice, type OcppShared, versionWithoutSubprotocol } from "./config.ts";
import { OcppConnector } from "./connector.ts";
import { DialInServer } from "./door/dial-in-server.ts";
import { StrangerList } from "./door/stranger-list.ts";
import { Station } from "./station.ts";

/** All chargers behind one port. */
export class OcppHost implements AdapterHost<OcppDevice> {
  readonly #shared: OcppShared;
  readonly #context: AdapterContext;
  readonly #stations = new Map<string, Station>();
  readonly #strangers: StrangerList;
  readonly #server: DialInServer;

  constructor(shared: OcppShared, context: AdapterContext) {
    this.#shared = shared;
    this.#context = context;
    this.#strangers = new StrangerList(context.clock);
    this.#server = new DialInServer(shared, context, this.#strangers, (identity) => this.#stations.get(identity));
  }

  /** @throws Error when two devices are the same connector, or say two things of one charger */
  adapter(role: DeviceRole, device: OcppDevice): Adapter {
    const { identity, password } = device;
    const known = this.#stations.get(identity);
    if (known !== undefined && known.password !== password) {
      throw new Error(`charger ${identity}: all its connectors must have the same password`);
    }
    if (known !== undefined && known.withoutSubprotocol !== versionWithoutSubprotocol(device, this.#shared)) {
      throw new Error(`charger ${identity}: all its connectors must have the same withoutSubprotocol`);
    }
    const station = known ?? new Station(device, this.#shared, this.#context);
    const connector = new OcppConnector(role, device, station, this.#shared.meterIntervalS * 1000, this.#context);
    station.addPort(device.connector, connector);
    this.#stations.set(identity, station);
    return connector;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#server.listen();
    const open = [...this.#stations.values()].filter((station) => station.password === undefined);
    if (open.length > 0 && !isLoopback(this.#shared.host)) {
      this.#context.log.warn("chargers without a password are taken by their identity alone", {
        chargers: open.map((station) => station.identity),
      });
    }
  }

  addresses(): Readonly<Record<string, string>> {
    const { url } = this.#server;
    return url === undefined ? {} : { ocpp: url };
  }

  strangers(): readonly Stranger[] {
    return this.#strangers.list();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#stations.values()].map((station) => station.close()));
    await this.#server.close();
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
