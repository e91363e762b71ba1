import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { wellBehaved } from "./behaviour.ts";
import { CoapServer } from "./coap-server.ts";
import type { SimDevice } from "./resource.ts";

/** A simulated CoAP device with its network. */
export class CoapSimulator implements AsyncDisposable {
  readonly behaviour = wellBehaved();
  readonly device: SimDevice;
  readonly #server: CoapServer;
  readonly #clock: Clock;
  #address: { readonly host: string; readonly port: number } | undefined;

  constructor(device: SimDevice, parts: { readonly clock: Clock; readonly log: Log }) {
    this.device = device;
    this.#clock = parts.clock;
    this.#server = new CoapServer(device.resources, this.behaviour, parts.clock, parts.log);
  }

  /** @param port 0 takes a free one @throws Error when the port is taken */
  async listen(port = 0, host = "127.0.0.1"): Promise<{ readonly host: string; readonly port: number }> {
    this.#address = await this.#server.listen(port, host);
    return this.#address;
  }

  /** Where it listens. @throws Error before it does */
  address(): { readonly host: string; readonly port: number } {
    if (this.#address === undefined) throw new Error("it does not listen");
    return this.#address;
  }

  /** Power off, and on again after a while: it forgets orders and those who watch. */
  async restart(offMs: number): Promise<void> {
    const { host, port } = this.address();
    await this.#server.close();
    this.device.restart();
    await this.#clock.sleep(offMs);
    await this.#server.listen(port, host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}
