import type { Adapter } from "../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, DeviceRole } from "../kind.ts";
import { CoapDevice } from "./coap-device.ts";
import type { CoapDeviceConfig } from "./config.ts";
import { CoapLink } from "./link/coap-link.ts";
import { loadProfile } from "./profile/load-profile.ts";
import { profileFileOf } from "./profile/profile-files.ts";
import { readPsk } from "./psk-file.ts";

const COAP_PORT = 5683;
const COAPS_PORT = 5684;
const DEADLINE_MS = 10_000;
const POLL_MS = 5000;

/** Makes the adapters of CoAP devices, each with a link of its own. Listens on nothing. */
export class CoapHost implements AdapterHost<CoapDeviceConfig> {
  readonly #context: AdapterContext;
  readonly #devices: CoapDevice[] = [];

  constructor(context: AdapterContext) {
    this.#context = context;
  }

  /** @throws ConfigError for a profile that is wrong, Error for a key that can't be read */
  adapter(role: DeviceRole, device: CoapDeviceConfig): Adapter {
    const file = device.profileFile ?? profileFileOf(device.profile ?? "");
    if (file === undefined) throw new Error(`${role.era}: coap needs either profile or profileFile`);
    const profile = loadProfile(file);
    const { transport } = profile;
    const { host, psk, settleS, ratingKW } = device;
    const link = new CoapLink(
      {
        host,
        port: device.port ?? transport.port ?? (psk === undefined ? COAP_PORT : COAPS_PORT),
        deadlineMs: device.deadlineMs ?? transport.deadlineMs ?? DEADLINE_MS,
        blockBytes: transport.blockBytes,
        ...(psk === undefined ? {} : { psk: { identity: psk.identity, key: readPsk(psk.keyFile) } }),
      },
      this.#context.clock,
    );
    const pollMs = device.pollMs ?? transport.pollMs ?? POLL_MS;
    const adapter = new CoapDevice(role, profile, link, { settleS, ratingKW, pollMs }, this.#context);
    this.#devices.push(adapter);
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
    await Promise.all(this.#devices.map((device) => device[Symbol.asyncDispose]()));
    this.#devices.length = 0;
  }
}
