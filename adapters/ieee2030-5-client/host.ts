import { X509Certificate } from "node:crypto";
import type { UtilityPort } from "../../src/model/utility.ts";
import { lfdiFromCertificate } from "../ieee2030-5/identity.ts";
import { readPem } from "../ieee2030-5/server/tls-files.ts";
import type { AdapterContext, AdapterHost, DeviceRole, Stranger } from "../kind.ts";
import type { Shared } from "./config.ts";
import { NotificationPort } from "./notification-port.ts";
import { UtilityClient } from "./utility-client.ts";

/** The client of the utility's server, and the door for its notifications where one is configured. */
export class UtilityClientHost implements AdapterHost<never> {
  readonly #shared: Shared;
  readonly #context: AdapterContext;
  readonly #port: UtilityPort;
  readonly #stop = new AbortController();
  #client: UtilityClient | undefined;
  #running: Promise<void> | undefined;
  #notifications: NotificationPort | undefined;
  #notificationURI: string | undefined;

  /** @throws Error where there is no site around it */
  constructor(shared: Shared, context: AdapterContext) {
    if (context.utility === undefined) throw new Error("ieee2030_5_client needs a site that obeys");
    this.#shared = shared;
    this.#context = context;
    this.#port = context.utility;
  }

  adapter({ era }: DeviceRole): never {
    throw new Error(`${era}: a utility's server has no devices of ours`);
  }

  /** @throws Error when a certificate file is missing or bad, or the notification port is taken */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, log, random, memory } = this.#context;
    const { certFile, keyFile, caFile, serverLfdi, notifications } = this.#shared;
    const [cert, key, ca] = await Promise.all([
      readPem("ieee2030_5_client.certFile", certFile),
      readPem("ieee2030_5_client.keyFile", keyFile),
      readPem("ieee2030_5_client.caFile", caFile),
    ]);
    const tls = { cert, key, ca };
    const client = new UtilityClient({
      shared: this.#shared,
      tls,
      ownLfdi: lfdiFromCertificate(new X509Certificate(cert).raw),
      port: this.#port,
      clock,
      log,
      random,
      memory,
      notificationURI: () => this.#notificationURI,
    });
    if (notifications !== undefined) {
      const { host, port } = notifications;
      const onNotification = (resource: string, status: number) => client.notified(resource, status);
      const door = new NotificationPort({ host, port, tls, serverLfdi, log, onNotification });
      this.#notifications = door;
      const open = await door.listen();
      this.#notificationURI = notifications.uri ?? open;
    }
    this.#client = client;
    const onAbort = () => this.#stop.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#running = client.run(this.#stop.signal).finally(() => signal.removeEventListener("abort", onAbort));
    this.#running.catch((error: unknown) => log.error("the client of the utility's server failed", { err: error }));
  }

  addresses(): Readonly<Record<string, string>> {
    return this.#notificationURI === undefined ? {} : { ieee2030_5_client: this.#notificationURI };
  }

  strangers(): readonly Stranger[] {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the gateway stops"));
    await this.#running?.catch(() => {});
    await this.#client?.close();
    await this.#notifications?.[Symbol.asyncDispose]();
    this.#notificationURI = undefined;
  }
}
