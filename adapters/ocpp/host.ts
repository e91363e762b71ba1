import type { Adapter } from "../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, DeviceRole, Stranger } from "../kind.ts";
import { type OcppDevice, type OcppShared, versionWithoutSubprotocol } from "./config.ts";
import { OcppConnector } from "./connector.ts";
import { profileOperations } from "./control/profile-operations.ts";
import { DialInServer } from "./door/dial-in-server.ts";
import { StrangerList } from "./door/stranger-list.ts";
import { Admission } from "./sessions/admission.ts";
import { sessionOperations } from "./sessions/session-operations.ts";
import { TokenHash } from "./sessions/token-hash.ts";
import { TransactionBook } from "./sessions/transaction-book.ts";
import { Station } from "./station.ts";

/** All chargers behind one port. */
export class OcppHost implements AdapterHost<OcppDevice> {
  readonly #shared: OcppShared;
  readonly #context: AdapterContext;
  readonly #stations = new Map<string, Station>();
  readonly #connectors: OcppConnector[] = [];
  readonly #strangers: StrangerList;
  readonly #server: DialInServer;
  readonly #hash: TokenHash;
  readonly operations = {
    ...sessionOperations(() => this.#connectors),
    ...profileOperations(() => this.#connectors),
  };

  constructor(shared: OcppShared, context: AdapterContext) {
    this.#shared = shared;
    this.#context = context;
    this.#hash = new TokenHash(context.memory);
    this.#strangers = new StrangerList(context.clock);
    this.#server = new DialInServer(shared, context, this.#strangers, (identity) => this.#stations.get(identity));
  }

  /** @throws Error when two devices are the same connector, or say two things of one charger */
  adapter(role: DeviceRole, device: OcppDevice): Adapter {
    const { identity, password, upstream } = device;
    const known = this.#stations.get(identity);
    if (known !== undefined && known.password !== password) {
      throw new Error(`charger ${identity}: all its connectors must have the same password`);
    }
    if (known !== undefined && JSON.stringify(known.upstream) !== JSON.stringify(upstream)) {
      throw new Error(`charger ${identity}: all its connectors must have the same upstream`);
    }
    const admission = this.#admission(device);
    if (known !== undefined && !known.admission.isSame(admission)) {
      throw new Error(`charger ${identity}: all its connectors must have the same authorization and idTags`);
    }
    const withoutSubprotocol = versionWithoutSubprotocol(device, this.#shared);
    if (known !== undefined && known.withoutSubprotocol !== withoutSubprotocol) {
      throw new Error(`charger ${identity}: all its connectors must have the same withoutSubprotocol`);
    }
    const { memory, log } = this.#context;
    const book =
      known?.book ??
      new TransactionBook(identity, memory, this.#hash, (error) =>
        log.error("a charging session could not be kept", { charger: identity, err: error }),
      );
    const station =
      known ??
      new Station({ identity, password, withoutSubprotocol, upstream, admission, book }, this.#shared, this.#context);
    const connector = new OcppConnector(role, device, station, this.#shared.meterIntervalS * 1000, this.#context);
    station.addPort(device.connector, connector);
    this.#connectors.push(connector);
    this.#stations.set(identity, station);
    return connector;
  }

  #admission({ authorization, idTags }: OcppDevice): Admission {
    return new Admission(authorization, idTags ?? this.#shared.idTags, () => this.#context.clock.now());
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
