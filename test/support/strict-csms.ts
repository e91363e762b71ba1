import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { RPCServer } from "ocpp-rpc";
import { waitFor } from "./wait-for.ts";

/** A call that a charger made, in the order of arrival. */
export interface Seen {
  readonly action: string;
  readonly payload: Record<string, unknown>;
}

export type Answer = (payload: Record<string, unknown>) => Record<string, unknown> | Promise<Record<string, unknown>>;

/** The library's server side of one connection, which it hands out without a type. */
interface ChargerLink {
  readonly protocol: string | undefined;
  call(action: string, payload: unknown): Promise<unknown>;
  close(options: { force: boolean }): Promise<unknown>;
  handle(action: string, handler: (call: { params: Record<string, unknown> }) => Promise<unknown>): void;
  sendRaw(frame: string): void;
  on(event: "close", listener: () => void): void;
  on(event: "message", listener: MessageListener): void;
  on(event: "strictValidationFailure", listener: (failure: SchemaFailure) => void): void;
  off(event: "message", listener: MessageListener): void;
}

type MessageListener = (event: { message: string; outbound: boolean }) => void;

interface SchemaFailure {
  readonly method: string;
  readonly outbound: boolean;
  readonly error: Error;
}

const now = () => new Date().toISOString();

/** A small CSMS on another stack than the gateway's. It holds both directions against the schemas. */
export class StrictCsms implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** What a charger sent that does not pass the schemas. */
  readonly violations: string[] = [];
  /** Replaces the usual answer to an action. */
  readonly answers = new Map<string, Answer>();
  readonly #server = new RPCServer({
    protocols: ["ocpp1.6", "ocpp2.0.1"],
    strictMode: true,
    callTimeoutMs: 800,
  });
  #link: ChargerLink | undefined;
  #transactions = 0;
  #port = 0;

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/ocpp`;
  }

  get listening(): boolean {
    return this.#port !== 0;
  }

  get connected(): boolean {
    return this.#link !== undefined;
  }

  async listen(port = 0): Promise<void> {
    this.#server.on("client", (client: ChargerLink) => this.#welcome(client));
    const http = await this.#server.listen(port, "127.0.0.1");
    this.#port = (http.address() as AddressInfo).port;
  }

  /** Calls the charger; an answer that does not pass the schema rejects. */
  async call(action: string, payload: unknown): Promise<Record<string, unknown>> {
    if (this.#link === undefined) throw new Error("no charger is connected");
    return (await this.#link.call(action, payload)) as Record<string, unknown>;
  }

  /**
   * Sends frames as they are, past the schemas, and waits until the charger answered those whose id can be read.
   * @returns error code of each answer by the id of its call
   */
  async exchangeRaw(frames: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const link = this.#link;
    if (link === undefined) throw new Error("no charger is connected");
    const codes = new Map<string, string>();
    const wanted = frames.flatMap((frame) => /^\[2,"([^"]*)".*\]$/.exec(frame)?.[1] ?? []);
    const listen = ({ message, outbound }: { message: string; outbound: boolean }) => {
      const error = outbound ? null : /^\[4,"([^"]*)","([^"]*)"/.exec(message);
      if (error?.[1] !== undefined && error[2] !== undefined) codes.set(error[1], error[2]);
    };
    link.on("message", listen);
    for (const frame of frames) link.sendRaw(frame);
    await waitFor("the answers to the raw frames", () => wanted.every((id) => codes.has(id)));
    link.off("message", listen);
    return codes;
  }

  payloads(action: string): Record<string, unknown>[] {
    return this.seen.filter((entry) => entry.action === action).map((entry) => entry.payload);
  }

  async dropLink(): Promise<void> {
    await this.#link?.close({ force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    await this.#server.close({ force: true });
    await closed.catch(() => {});
  }

  #welcome(client: ChargerLink): void {
    this.#link = client;
    client.on("close", () => {
      if (this.#link === client) this.#link = undefined;
    });
    client.on("strictValidationFailure", ({ method, outbound, error }) => {
      this.violations.push(`${method} ${outbound ? "out" : "in"}: ${error.message}`);
    });
    const old = client.protocol === "ocpp1.6";
    const usual: Record<string, Answer> = {
      BootNotification: () => ({ status: "Accepted", currentTime: now(), interval: 300 }),
      Heartbeat: () => ({ currentTime: now() }),
      StatusNotification: () => ({}),
      MeterValues: () => ({}),
      NotifyReport: () => ({}),
      Authorize: () => (old ? { idTagInfo: { status: "Accepted" } } : { idTokenInfo: { status: "Accepted" } }),
      StartTransaction: () => {
        this.#transactions += 1;
        return { transactionId: this.#transactions, idTagInfo: { status: "Accepted" } };
      },
      StopTransaction: () => ({}),
      TransactionEvent: (payload) => ("idToken" in payload ? { idTokenInfo: { status: "Accepted" } } : {}),
    };
    for (const [action, answer] of Object.entries(usual)) {
      client.handle(action, async ({ params }) => {
        this.seen.push({ action, payload: params });
        return (this.answers.get(action) ?? answer)(params);
      });
    }
  }
}
