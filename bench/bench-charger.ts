import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import { within } from "./within.ts";

const ANSWER_DEADLINE_MS = 10_000;

type Payload = Readonly<Record<string, unknown>>;

/** A `SetChargingProfile` as it came. */
export interface ReceivedLimit {
  /** Monotonic, ms: when the frame was on our side of the socket, before it was read. */
  readonly atMs: number;
  readonly limitA: number;
}

/** An OCPP 1.6J charger of a bare WebSocket that answers every call at once. */
export class BenchCharger implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #answers = new Map<string, (payload: Payload) => void>();
  #limitWanted: ((limit: ReceivedLimit) => void) | undefined;
  #limitA = 0;
  #energyWh = 1000;
  #transactionId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("message", (data) => this.#onFrame(performance.now(), data.toString()));
  }

  /** @param url `ws://host:port/path/IDENTITY` */
  static async dial(url: string): Promise<BenchCharger> {
    const socket = new WebSocket(url, ["ocpp1.6"], { perMessageDeflate: false });
    const charger = new BenchCharger(socket);
    await within(ANSWER_DEADLINE_MS, `a connection to ${url}`, once(socket, "open"));
    return charger;
  }

  /** Boots and begins a transaction. */
  async boot(): Promise<void> {
    await this.#call("BootNotification", { chargePointVendor: "Bench", chargePointModel: "Box" });
    await this.#call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Charging" });
    const started = await this.#call("StartTransaction", {
      connectorId: 1,
      idTag: "TAG",
      meterStart: 0,
      timestamp: new Date().toISOString(),
    });
    this.#transactionId = Number(started["transactionId"]);
  }

  /** Sends one set of meter values: what the last limit allows, drawn on three phases for `seconds`. */
  async meter(seconds: number): Promise<void> {
    const powerW = this.#limitA * 3 * 230;
    this.#energyWh += (powerW * seconds) / 3600;
    const sampled = (measurand: string, unit: string, value: number, phase?: string) => ({
      measurand,
      unit,
      value: value.toFixed(1),
      ...(phase !== undefined && { phase }),
    });
    await this.#call("MeterValues", {
      connectorId: 1,
      transactionId: this.#transactionId,
      meterValue: [
        {
          timestamp: new Date().toISOString(),
          sampledValue: [
            sampled("Power.Active.Import", "W", powerW),
            sampled("Energy.Active.Import.Register", "Wh", this.#energyWh),
            ...["L1", "L2", "L3"].map((phase) => sampled("Current.Import", "A", this.#limitA, phase)),
            sampled("Voltage", "V", 230, "L1-N"),
            sampled("SoC", "Percent", 55),
          ],
        },
      ],
    });
  }

  /** The next limit that arrives; ask before what causes it. */
  nextLimit(): Promise<ReceivedLimit> {
    const limit = new Promise<ReceivedLimit>((resolve) => {
      this.#limitWanted = resolve;
    });
    return within(ANSWER_DEADLINE_MS, "SetChargingProfile", limit);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    return Promise.resolve();
  }

  #call(action: string, payload: Payload): Promise<Payload> {
    const id = randomUUID();
    const answer = new Promise<Payload>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify([2, id, action, payload]));
    return within(ANSWER_DEADLINE_MS, `the answer to ${action}`, answer);
  }

  #onFrame(atMs: number, text: string): void {
    const [type, id, action, payload] = JSON.parse(text) as [number, string, string, Payload];
    if (type !== 2) {
      // In an answer the payload stands where a call has its action.
      this.#answers.get(id)?.(action as unknown as Payload);
      this.#answers.delete(id);
      return;
    }
    const answer = action === "GetConfiguration" ? { configurationKey: [] } : { status: "Accepted" };
    this.#socket.send(JSON.stringify([3, id, answer]));
    if (action !== "SetChargingProfile") return;
    this.#limitA = limitOf(payload);
    this.#limitWanted?.({ atMs, limitA: this.#limitA });
    this.#limitWanted = undefined;
  }
}

function limitOf(payload: Payload): number {
  const { csChargingProfiles } = payload as {
    csChargingProfiles: { chargingSchedule: { chargingSchedulePeriod: { limit: number }[] } };
  };
  return csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0]?.limit ?? 0;
}
