import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { ElectricCar } from "../../simulators/world/electric-car.ts";
import { systemClock } from "../../src/clock.ts";
import { fastClock } from "../../src/fast-clock.ts";
import { type BidCurve, powerAt } from "../../src/model/bid-curve.ts";
import { Site, windowFor } from "../support/site.ts";

const ERA = "ev-v2g";
const MINUTE_MS = 60_000;
const INTERVAL_MS = 3 * MINUTE_MS;
const SPEED = 80;
/** From the plug to the departure; the first minutes pass while everything connects. */
const STAY_MS = 42 * MINUTE_MS;
const CAPACITY_KWH = 20;
const SOC_PERCENT = 60;
const TARGET_PERCENT = 70;

/** What a kWh costs in each three minutes: dear at first, then neither, and cheap until the car leaves. */
const PRICES = [0.6, 0.6, 0.6, 0.16, 0.16, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05];

/** Where the site's bids go. It clears nothing by itself: the story asks it for the newest curve. */
class BidBox implements AsyncDisposable {
  readonly #server: Server = createServer((request, response) => {
    void this.#take(request).finally(() => {
      response.setHeader("content-type", "application/json");
      response.end('{"message":{"ack":{"status":"ACK"}}}');
    });
  });
  newest: BidCurve | undefined;

  async open(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/beckn`;
  }

  async #take(request: IncomingMessage): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const points = pointsIn(JSON.parse(body));
    if (points.length > 0) this.newest = { shape: "LINEAR", currency: "EUR", points };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The points of a curve, wherever in the message they stand. */
function pointsIn(value: unknown): { pricePerKWh: number; powerKW: number }[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "object" && one !== null && "powerKW" in one)) {
    return (value as { price: number; powerKW: number }[]).map(({ price, powerKW }) => ({
      pricePerKWh: price,
      powerKW,
    }));
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).reduce<{ pricePerKWh: number; powerKW: number }[]>(
    (found, part) => (found.length > 0 ? found : pointsIn(part)),
    [],
  );
}

test("a car gives in a dear time, charges when it is cheap, and has what it needs when it leaves", async () => {
  const clock = fastClock(systemClock, SPEED, Date.UTC(2026, 11, 15, 17, 0));
  await using box = new BidBox();
  await using site = new Site({
    clock,
    config: { ocpp: { port: 0, meterIntervalS: 10, callTimeoutMs: 120_000, pingIntervalS: 0 } },
    market: {
      bppUri: await box.open(),
      participate: true,
      currency: "EUR",
      interval: "3m",
      telemetryInterval: "30s",
      offerTimeout: "24h",
    },
    devices: [
      {
        era: ERA,
        kind: "charger",
        prices: { from: 0.1, to: 0.15 },
        ocpp: {
          identity: "V2G",
          phases: 3,
          maxA: 16,
          settleS: 10,
          fallbackKW: 0,
          v2g: { maxDischargeKW: 10, capacityKWh: CAPACITY_KWH },
        },
      },
    ],
  });
  await site.start();
  const departureMs = clock.now() + STAY_MS;
  const car = new ElectricCar(clock, {
    capacityKWh: CAPACITY_KWH,
    socPercent: SOC_PERCENT,
    maxChargeKW: 11,
    maxDischargeKW: 10,
    departureMs,
    targetPercent: TARGET_PERCENT,
  });
  const charger = await site.charger({
    identity: "V2G",
    version: "2.1",
    phases: 3,
    maxA: 16,
    car,
    meterIntervalMs: 10_000,
  });
  // Its first curve that goes both ways comes when it has told all that one follows from.
  while (box.newest === undefined || powerAt(box.newest, 9) <= 0) await systemClock.sleep(20);

  const cleared: { pricePerKWh: number; powerKW: number }[] = [];
  const openMs = clock.now();
  for (const [index, pricePerKWh] of PRICES.entries()) {
    const startMs = openMs + index * INTERVAL_MS;
    if (startMs >= departureMs) break;
    await clock.sleep(Math.max(0, startMs - clock.now()));
    if (box.newest === undefined) throw new Error("the car has not bid");
    const powerKW = powerAt(box.newest, pricePerKWh);
    cleared.push({ pricePerKWh, powerKW });
    const lastsS = (startMs + INTERVAL_MS * 1.5 - clock.now()) / 1000;
    const attributes = { era: ERA, setpointKW: powerKW, clearingPrice: pricePerKWh, currency: "EUR" };
    const answer = await site.send(site.onConfirm({ ...attributes, ...windowFor(lastsS, clock.now()) }));
    expect(answer.body).toContain('"ACK"');
  }
  await clock.sleep(Math.max(0, departureMs - clock.now()));
  car.powerKW();

  // It gave in the dear time, and took most of what the cheap one was worth.
  const dear = cleared.filter(({ pricePerKWh }) => pricePerKWh === 0.6);
  expect(Math.max(...dear.map(({ powerKW }) => powerKW))).toBeGreaterThan(5);
  expect(Math.min(...dear.map(({ powerKW }) => powerKW))).toBeGreaterThanOrEqual(0);
  expect(car.meter.exportKWh).toBeGreaterThan(0.8);
  expect(
    Math.min(...cleared.filter(({ pricePerKWh }) => pricePerKWh === 0.05).map(({ powerKW }) => powerKW)),
  ).toBeLessThan(-5);
  // The driver finds what was asked for.
  expect(car.socPercent).toBeGreaterThanOrEqual(TARGET_PERCENT - 0.5);
  // The meter proved both directions.
  const { setpoints } = (await (await fetch(`${site.address("api")}/setpoints`)).json()) as {
    setpoints: { setpoint: { powerKW: number }; judgement?: { verdict: string } }[];
  };
  const effective = setpoints
    .filter(({ judgement }) => judgement?.verdict === "effective")
    .map((one) => one.setpoint.powerKW);
  expect(effective.some((powerKW) => powerKW > 5)).toBe(true);
  expect(effective.some((powerKW) => powerKW < -5)).toBe(true);
  expect(
    setpoints.filter(({ judgement }) => ["ignored", "refused", "reverted"].includes(judgement?.verdict ?? "")),
  ).toEqual([]);
  expect(charger.violations).toEqual([]);
}, 120_000);
