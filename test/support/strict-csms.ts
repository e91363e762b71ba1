import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { createValidator, NOREPLY, RPCServer } from "ocpp-rpc";
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
  handle(action: string, handler: (call: Incoming) => Promise<unknown>): void;
  sendRaw(frame: string): void;
  on(event: "close", listener: () => void): void;
  on(event: "message", listener: MessageListener): void;
  on(event: "strictValidationFailure", listener: (failure: SchemaFailure) => void): void;
  on(event: "badMessage", listener: (event: { buffer: Buffer }) => void): void;
  off(event: "message", listener: MessageListener): void;
}

interface Incoming {
  readonly params: Record<string, unknown>;
  readonly messageId: string;
}

type MessageListener = (event: { message: string; outbound: boolean }) => void;

interface SchemaFailure {
  readonly method: string;
  readonly outbound: boolean;
  readonly error: Error;
}

const now = () => new Date().toISOString();

/** The library's schemas of 2.1 under the names by which it looks for them. */
const validator21 = createValidator(
  "ocpp2.1",
  (createRequire(import.meta.url)("ocpp-rpc/lib/schemas/ocpp2_1.json") as { $id: string }[]).map((schema) => ({
    ...schema,
    $id: schema.$id.replace(/Request$/, ".req").replace(/Response$/, ".conf"),
  })),
);

/** A small CSMS on another stack than the gateway's. It holds both directions against the schemas. */
export class StrictCsms implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** What a charger sent that does not pass the schemas. */
  readonly violations: string[] = [];
  /** What a 2.1 charger sent without wanting an answer. */
  readonly sends: Seen[] = [];
  /** CALLRESULTERROR of a 2.1 charger: id of the call whose answer it could not use, and the code. */
  readonly resultErrors: { readonly id: string; readonly code: string }[] = [];
  /** Replaces the usual answer to an action. */
  readonly answers = new Map<string, Answer>();
  /** Past the schemas, in place of the next answer to an action. */
  readonly wrongAnswers = new Map<string, unknown>();
  readonly #server = new RPCServer({
    protocols: ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"],
    strictMode: true,
    strictModeValidators: [validator21],
    callTimeoutMs: 800,
  });
  #link: ChargerLink | undefined;
  #transactions = 0;
  #port = 0;

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/ocpp`;
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

  /** Sends a 2.1 message that wants no answer. */
  send(action: string, payload: unknown): void {
    this.#link?.sendRaw(JSON.stringify([6, `send-${Date.now()}`, action, payload]));
  }

  /** Sends one frame as it is. */
  sendFrame(frame: string): void {
    this.#link?.sendRaw(frame);
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
    if (client.protocol === "ocpp2.1") this.#takeExtraFrames(client);
    const old = client.protocol === "ocpp1.6";
    const usual: Record<string, Answer> = {
      BootNotification: () => ({ status: "Accepted", currentTime: now(), interval: 300 }),
      Heartbeat: () => ({ currentTime: now() }),
      StatusNotification: () => ({}),
      MeterValues: () => ({}),
      NotifyReport: () => ({}),
      ReportChargingProfiles: () => ({}),
      ReservationStatusUpdate: () => ({}),
      SecurityEventNotification: () => ({}),
      NotifyEVChargingNeeds: () => ({ status: "Accepted" }),
      NotifyEVChargingSchedule: () => ({ status: "Accepted" }),
      OpenPeriodicEventStream: () => ({ status: "Accepted" }),
      ClosePeriodicEventStream: () => ({}),
      PullDynamicScheduleUpdate: () => ({ status: "Rejected" }),
      Authorize: () => (old ? { idTagInfo: { status: "Accepted" } } : { idTokenInfo: { status: "Accepted" } }),
      StartTransaction: () => {
        this.#transactions += 1;
        return { transactionId: this.#transactions, idTagInfo: { status: "Accepted" } };
      },
      StopTransaction: () => ({}),
      TransactionEvent: (payload) => ("idToken" in payload ? { idTokenInfo: { status: "Accepted" } } : {}),
    };
    for (const [action, answer] of Object.entries(usual)) {
      client.handle(action, async ({ params, messageId }) => {
        this.seen.push({ action, payload: params });
        if (!this.wrongAnswers.has(action)) return (this.answers.get(action) ?? answer)(params);
        client.sendRaw(JSON.stringify([3, messageId, this.wrongAnswers.get(action)]));
        this.wrongAnswers.delete(action);
        return NOREPLY;
      });
    }
  }

  /** The library answers the frames that 2.1 added with an error, although they want no answer: that one is dropped. */
  #takeExtraFrames(client: ChargerLink): void {
    let drops = false;
    const sendRaw = client.sendRaw.bind(client);
    client.sendRaw = (frame) => {
      if (!drops) sendRaw(frame);
      drops = false;
    };
    client.on("badMessage", ({ buffer }) => {
      const [kind, id, third, fourth] = parsed(buffer);
      drops = kind === 5 || kind === 6;
      if (kind === 5) this.resultErrors.push({ id: String(id), code: String(third) });
      if (kind !== 6) return;
      try {
        void validator21.validate(`urn:${String(third)}`, fourth);
        this.sends.push({ action: String(third), payload: fourth as Record<string, unknown> });
      } catch (error) {
        this.violations.push(`${String(third)} in: ${(error as Error).message}`);
      }
    });
  }
}

function parsed(buffer: Buffer): unknown[] {
  try {
    const value: unknown = JSON.parse(String(buffer));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
