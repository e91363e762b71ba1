import { once } from "node:events";
import { WebSocket } from "ws";
import type { AdapterMemory } from "../../adapters/kind.ts";
import type { OcppDevice, OcppShared } from "../../adapters/ocpp/index.ts";
import { ocpp } from "../../adapters/ocpp/index.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import type { Adapter, Report } from "../../src/model/adapter.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

/** Our side, with one adapter for each device, and the reports that came from the first of them. */
export interface Gateway extends AsyncDisposable {
  readonly url: string;
  readonly adapter: Adapter;
  readonly adapters: readonly Adapter[];
  readonly reports: readonly Report[];
  readonly signal: AbortSignal;
  strangers(): readonly { identity: string; attempts: number; reason: string }[];
  /** What a technician asks the running host. */
  operation(name: string, input: unknown): Promise<unknown>;
}

export async function openGateway(
  options: {
    shared?: Partial<OcppShared>;
    devices?: readonly Partial<OcppDevice>[];
    memory?: AdapterMemory;
    clock?: Clock;
  } = {},
): Promise<Gateway> {
  const shared = ocpp.sharedSchema.parse({ port: 0, callTimeoutMs: 600, ...options.shared });
  const host = ocpp.createHost(shared, {
    clock: options.clock ?? systemClock,
    log: silentLog,
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
    adapter,
    adapters,
    reports,
    signal: stop.signal,
    strangers: () => host.strangers(),
    async operation(name, input) {
      const asked = host.operations?.[name];
      if (asked === undefined) throw new Error(`the host cannot ${name}`);
      return asked(input, stop.signal);
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
};

export interface DialOptions {
  readonly identity?: string;
  readonly version?: "ocpp1.6" | "ocpp2.0.1" | "none";
  readonly headers?: Readonly<Record<string, string>>;
  readonly answers?: Readonly<Record<string, Answer>>;
}

/** Dials in and waits until the socket is open. @throws Error with the HTTP status when it was refused */
export async function dialIn(url: string, options: DialOptions = {}): Promise<RawCharger> {
  const { identity = "CP-1", version = "ocpp1.6", headers = {} } = options;
  const address = `${url}/${identity}`;
  const socket =
    version === "none" ? new WebSocket(address, { headers }) : new WebSocket(address, [version], { headers });
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

export const BOOT_16 = { chargePointVendor: "Maker", chargePointModel: "Box", firmwareVersion: "1.0" };
