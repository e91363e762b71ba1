import { ConfigError } from "../../src/config/load.ts";
import type { Adapter } from "../../src/model/adapter.ts";
import type { AdapterContext, AdapterHost, DeviceRole, HostFigure } from "../kind.ts";
import { UnusableAdapter } from "../unusable-adapter.ts";
import { DeviceBudgets } from "../wear/device-budgets.ts";
import { CoapDevice } from "./coap-device.ts";
import type { StatusMessage } from "./coiot/status-message.ts";
import { StatusPort } from "./coiot/status-port.ts";
import type { CoapDeviceConfig, CoapShared } from "./config.ts";
import { CoapLink } from "./link/coap-link.ts";
import { loadProfile } from "./profile/load-profile.ts";
import { profileFileOf } from "./profile/profile-files.ts";
import { KeyFileError, readPsk } from "./psk-file.ts";

const COAP_PORT = 5683;
const COAPS_PORT = 5684;
const DEADLINE_MS = 10_000;
const POLL_MS = 5000;

/** Makes the adapters of CoAP devices, each with a link of its own. Listens only for what devices say unasked. */
export class CoapHost implements AdapterHost<CoapDeviceConfig> {
  readonly #context: AdapterContext;
  readonly #devices: { readonly device: CoapDevice; readonly coiotId: string | undefined }[] = [];
  readonly #budgets: DeviceBudgets;
  readonly #statusPort: StatusPort | undefined;
  #statusAddress: string | undefined;

  constructor({ coiot }: CoapShared, context: AdapterContext) {
    this.#context = context;
    const log = context.log.child({ adapter: "coap" });
    const onStatus = (status: StatusMessage, from: string) => this.#hear(status, from);
    this.#statusPort = coiot && new StatusPort({ ...coiot, log, onStatus });
    this.#budgets = new DeviceBudgets("coap", "resource", context);
  }

  /** A profile or a key that can't be used is told by the one device that needs it. */
  adapter(role: DeviceRole, device: CoapDeviceConfig): Adapter {
    try {
      const adapter = this.#deviceOf(role, device);
      this.#devices.push({ device: adapter, coiotId: device.coiotId });
      return adapter;
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof KeyFileError)) throw error;
      return new UnusableAdapter(role.era, "coap", error);
    }
  }

  #deviceOf(role: DeviceRole, device: CoapDeviceConfig): CoapDevice {
    const file = device.profileFile ?? profileFileOf(device.profile ?? "");
    if (file === undefined) throw new Error(`${role.era}: coap needs either profile or profileFile`);
    const profile = loadProfile(file);
    const { transport } = profile;
    const { host, psk, settleS, ratingKW } = device;
    const port = device.port ?? transport.port ?? (psk === undefined ? COAP_PORT : COAPS_PORT);
    const link = new CoapLink(
      {
        host,
        port,
        deadlineMs: device.deadlineMs ?? transport.deadlineMs ?? DEADLINE_MS,
        blockBytes: transport.blockBytes,
        ...(psk === undefined ? {} : { psk: { identity: psk.identity, key: readPsk(psk.keyFile) } }),
      },
      this.#context.clock,
    );
    const pollMs = device.pollMs ?? transport.pollMs ?? POLL_MS;
    const budget = this.#budgets.of(`${host}:${port}`);
    return new CoapDevice(role, profile, link, { settleS, ratingKW, pollMs }, budget, this.#context);
  }

  async start(): Promise<void> {
    this.#statusAddress = await this.#statusPort?.listen();
  }

  addresses(): Readonly<Record<string, string>> {
    return this.#statusAddress === undefined ? {} : { coiot: this.#statusAddress };
  }

  strangers(): readonly [] {
    return [];
  }

  figures(): readonly HostFigure[] {
    return this.#budgets.figures();
  }

  #hear({ deviceId, path, payload }: StatusMessage, from: string): void {
    for (const { device, coiotId } of this.#devices) {
      const isMeant = coiotId === undefined ? device.address === from : `${deviceId}#`.startsWith(`${coiotId}#`);
      if (isMeant) void device.hear(path, payload);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#statusPort?.[Symbol.asyncDispose]();
    await Promise.all(this.#devices.map(({ device }) => device[Symbol.asyncDispose]()));
    await this.#budgets[Symbol.asyncDispose]();
    this.#devices.length = 0;
  }
}
