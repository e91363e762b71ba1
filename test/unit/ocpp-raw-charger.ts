import { once } from "node:events";
import type { ConnectionOptions } from "node:tls";
import { WebSocket } from "ws";
import type { z } from "zod";
import type { AdapterMemory } from "../../adapters/kind.ts";
import { ocpp } from "../../adapters/ocpp/index.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { type Log, silentLog } from "../../src/log.ts";
import type { Adapter, Report } from "../../src/model/adapter.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

/** Our side, with one adapter for each device, and the reports that came from the first of them. */
export interface Gateway extends AsyncDisposable {
  readonly url: string;
  /** The port with TLS; empty where there is none. */
  readonly tlsUrl: string;
  readonly adapter: Adapter;
  readonly adapters: readonly Adapter[];
  readonly reports: readonly Report[];
  readonly signal: AbortSignal;
  ask(operation: string, input?: unknown): Promise<unknown>;
  strangers(): readonly { identity: string; attempts: number; reason: string }[];
  /** What a technician asks the running host. */
  operation(name: string, input: unknown): Promise<unknown>;
  /** What was counted under this label so far; 0 where nothing was. */
  counted(figure: string, label: string): number;
}

export async function openGateway(
  options: {
    shared?: Partial<z.input<typeof ocpp.sharedSchema>>;
    devices?: readonly Partial<z.input<typeof ocpp.deviceSchema>>[];
    /** Given: what is kept outlives this gateway. */
    memory?: AdapterMemory;
    clock?: Clock;
    log?: Log;
  } = {},
): Promise<Gateway> {
  const shared = ocpp.sharedSchema.parse({ port: 0, callTimeoutMs: 600, ...options.shared });
  const host = ocpp.createHost(shared, {
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLog,
    random: Math.random,
    memory: options.memory ?? volatileMemory(),
  });
  const devices = options.devices ?? [{}];
  const adapters = devices.map((device, index) =>
    host.adapter(
      { era: `charger-${index + 1}`, kind: "charger" },
      ocpp.deviceSchema.parse({ identity: "CP-1", commandSpacingS: 0, ...device }),
    ),
  );
  const [adapter] = adapters;
  if (adapter === undefined) throw new Error("a gateway needs a device");
  const stop = new AbortController();
  await host.start(stop.signal);
  const reports: Report[] = [];
  const reading = (async () => {
    for await (const report of adapter.reports(stop.signal)) reports.push(report);
  })();
  return {
    url: host.addresses()["ocpp"] ?? "",
    tlsUrl: host.addresses()["ocppTls"] ?? "",
    adapter,
    adapters,
    reports,
    signal: stop.signal,
    ask: async (operation, input) => host.operations?.[operation]?.(input ?? {}, stop.signal),
    strangers: () => host.strangers(),
    async operation(name, input) {
      const asked = host.operations?.[name];
      if (asked === undefined) throw new Error(`the host cannot ${name}`);
      return asked(input, stop.signal);
    },
    counted: (figure, label) => {
      const samples = host.figures?.().find(({ name }) => name === `setpointd_ocpp_${figure}`)?.samples ?? [];
      return samples.find(({ labels }) => Object.values(labels).includes(label))?.value ?? 0;
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("test over"));
      await reading;
      for (const one of adapters) await one[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}

type Payload = Record<string, unknown>;
/** The answer; `undefined` for none at all, and a text is sent as it is. */
type Answer = (payload: Payload, id: string) => Payload | string | undefined;

/** A charger made of a bare WebSocket, so that a test can send what no library would. */
export class RawCharger implements AsyncDisposable {
  readonly socket: WebSocket;
  /** Every frame that came, parsed. */
  readonly frames: unknown[][] = [];
  /** Every call that came. */
  readonly calls: { action: string; payload: Payload; id: string }[] = [];
  readonly #answers: Map<string, Answer>;
  #lastId = 0;

  constructor(socket: WebSocket, answers: Readonly<Record<string, Answer>>) {
    this.socket = socket;
    this.#answers = new Map(Object.entries(answers));
    socket.on("error", () => {});
    socket.on("message", (data) => this.#onFrame(JSON.parse(data.toString()) as unknown[]));
  }

  when(action: string, answer: Answer): void {
    this.#answers.set(action, answer);
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Calls the gateway and waits for the answering frame. */
  async call(action: string, payload: Payload): Promise<unknown[]> {
    const id = `c${++this.#lastId}`;
    this.send([2, id, action, payload]);
    return this.answerTo(id);
  }

  async answerTo(id: string): Promise<unknown[]> {
    const found = () => this.frames.find((frame) => frame[0] !== 2 && frame[1] === id);
    await waitFor(`an answer to ${id}`, () => found() !== undefined, 3000);
    return found() ?? [];
  }

  of(action: string): Payload[] {
    return this.calls.filter((call) => call.action === action).map((call) => call.payload);
  }

  async hangUp(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, "close");
    this.socket.terminate();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hangUp();
  }

  #onFrame(frame: unknown[]): void {
    this.frames.push(frame);
    const [type, id, action, payload] = frame as [number, string, string, Payload];
    if (type !== 2) return;
    this.calls.push({ action, payload, id });
    const answer = this.#answers.get(action)?.(payload, id);
    if (answer === undefined) return;
    this.send(typeof answer === "string" ? answer : [3, id, answer]);
  }
}

/** Answers of a charger without any quirk. */
export const WILLING: Readonly<Record<string, Answer>> = {
  GetConfiguration: () => ({ configurationKey: [] }),
  ChangeConfiguration: () => ({ status: "Accepted" }),
  GetVariables: () => ({ getVariableResult: [] }),
  SetVariables: () => ({ setVariableResult: [{ attributeStatus: "Accepted", component: {}, variable: {} }] }),
  TriggerMessage: () => ({ status: "Accepted" }),
  SetChargingProfile: () => ({ status: "Accepted" }),
  GetCompositeSchedule: () => ({ status: "Rejected" }),
  GetChargingProfiles: () => ({ status: "NoProfiles" }),
  ClearChargingProfile: () => ({ status: "Accepted" }),
  GetTransactionStatus: () => ({ messagesInQueue: false }),
};

export interface DialOptions {
  readonly identity?: string;
  /** The subprotocol to offer, or several; `none` offers nothing. */
  readonly version?: string | readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** What the charger trusts and shows over TLS. */
  readonly tls?: Pick<ConnectionOptions, "ca" | "cert" | "key" | "minVersion" | "maxVersion" | "ciphers">;
  readonly answers?: Readonly<Record<string, Answer>>;
}

/** Dials in and waits until the socket is open. @throws Error with the HTTP status when it was refused */
export async function dialIn(url: string, options: DialOptions = {}): Promise<RawCharger> {
  const { identity = "CP-1", version = "ocpp1.6", headers = {}, tls = {} } = options;
  const address = `${url}/${identity}`;
  const offered = version === "none" ? [] : [version].flat();
  const socket = new WebSocket(address, offered, { headers, ...tls, handshakeTimeout: 8000 });
  const charger = new RawCharger(socket, options.answers ?? WILLING);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("unexpected-response", (_request, response) => {
      response.resume();
      socket.terminate();
      reject(new Error(`refused with ${response.statusCode}`));
    });
    socket.once("error", reject);
  });
  return charger;
}

/** The header of Basic authentication; a password may be bytes that are no text. */
export function basic(identity: string, password: string | Buffer): Readonly<Record<string, string>> {
  const login = Buffer.concat([Buffer.from(`${identity}:`), Buffer.from(password)]);
  return { authorization: `Basic ${login.toString("base64")}` };
}

export const BOOT_16 = { chargePointVendor: "Maker", chargePointModel: "Box", firmwareVersion: "1.0" };

/** A 2.x station's word that a transaction `tx-1` has begun at EVSE 1. */
export const STARTED_2 = {
  eventType: "Started",
  timestamp: new Date().toISOString(),
  triggerReason: "CablePluggedIn",
  seqNo: 0,
  transactionInfo: { transactionId: "tx-1", chargingState: "EVConnected" },
  evse: { id: 1, connectorId: 1 },
};
