import { WebSocket } from "ws";
import { systemClock } from "../src/clock.ts";
import { answerQuestions } from "./asked-program.ts";

// Many chargers of bare WebSockets in one process, beside the server that is measured.

/** Handshakes at a time. */
const DIALLING = 100;

const METER_VALUES = {
  connectorId: 1,
  meterValue: [
    {
      timestamp: "2026-11-23T14:00:00Z",
      sampledValue: [
        { value: "18099", measurand: "Energy.Active.Import.Register", unit: "Wh", context: "Sample.Periodic" },
        { value: "7360.0", measurand: "Power.Active.Import", unit: "W" },
        { value: "10.7", measurand: "Current.Import", phase: "L1", unit: "A" },
        { value: "10.6", measurand: "Current.Import", phase: "L2", unit: "A" },
        { value: "10.7", measurand: "Current.Import", phase: "L3", unit: "A" },
        { value: "231.2", measurand: "Voltage", phase: "L1-N", unit: "V" },
        { value: "55", measurand: "SoC", unit: "Percent", location: "EV" },
      ],
    },
  ],
};

interface Charger {
  readonly socket: WebSocket;
  answered: () => void;
}

const chargers: Charger[] = [];
let lost = 0;

async function dial(url: string): Promise<void> {
  const socket = new WebSocket(url, ["ocpp1.6"], { perMessageDeflate: false });
  const charger: Charger = { socket, answered: () => {} };
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    lost += 1;
  });
  socket.on("message", (data: Buffer) => {
    // Cheaper than what it talks to, so that it is the server whose time counts: `[2` is a call, all else an answer.
    if (data[1] !== CALL_DIGIT) return charger.answered();
    const [, id, action] = JSON.parse(data.toString()) as [number, string, string];
    socket.send(JSON.stringify([3, id, action === "GetConfiguration" ? { configurationKey: [] } : ACCEPTED]));
  });
  chargers.push(charger);
  await call(charger, "BootNotification", { chargePointVendor: "Bench", chargePointModel: "Box" });
  await call(charger, "StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Charging" });
}

const CALL_DIGIT = "2".charCodeAt(0);
const ACCEPTED = { status: "Accepted" };
let lastId = 0;

function call(charger: Charger, action: string, payload: object): Promise<void> {
  return callWith(charger, action, JSON.stringify(payload));
}

function callWith(charger: Charger, action: string, payload: string): Promise<void> {
  return new Promise((resolve) => {
    charger.answered = resolve;
    charger.socket.send(`[2,"${++lastId}","${action}",${payload}]`);
  });
}

/** Does `work` for each of `count` numbers, so many at a time. */
async function inParallel(count: number, atATime: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}

answerQuestions({
  /** Chargers from this number on; each boots and says how it is. */
  dial: ({ url, from, count }: { url: string; from: number; count: number }) =>
    inParallel(count, DIALLING, (index) => dial(`${url}/CP-${from + index}`)),
  /** Meter values of all chargers in turn; each waits for its answer. */
  meter: async ({ messages, inFlight }: { messages: number; inFlight: number }) => {
    const meterValue = [{ ...METER_VALUES.meterValue[0], timestamp: new Date() }];
    const payload = JSON.stringify({ ...METER_VALUES, meterValue });
    await inParallel(messages, inFlight, async (index) => {
      const charger = chargers[index % chargers.length];
      if (charger !== undefined) await callWith(charger, "MeterValues", payload);
    });
  },
  lost: () => lost,
  hangUp: async () => {
    for (const { socket } of chargers.splice(0)) socket.terminate();
    await systemClock.sleep(500);
    lost = 0;
  },
});
