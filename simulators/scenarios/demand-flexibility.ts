import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Scenario } from "../../src/cli/scenario-parts.ts";
import { baseline, type DayRecord, TEN_OF_TEN_HOURLY } from "../../src/flexibility/baseline.ts";
import { deliveredPercent, deliveredReduction } from "../../src/flexibility/delivered.ts";
import { reductionSetpoints } from "../../src/flexibility/reduction.ts";
import { authorization, createSigningKey } from "../market/signature.ts";
import { AggregationClient } from "./aggregation-client.ts";
import { checkProofs, MARKET_ID } from "./neighbourhood.ts";
import { carAtCharger, PATIENT } from "./site-devices.ts";
import { Stage, timeText } from "./stage.ts";

const START_MS = Date.UTC(2026, 11, 15, 13, 40);
const INTERVAL_MS = 5 * 60_000;
const SPEED = 60;
const LOADS = 8;
const INTERVALS_BEFORE = 4;
const EVENT_INTERVALS = 2;
const NEEDED_KW = 20;
/** 6 A at 230 V on one phase. */
const LEAST_KW = 1.38;
/** A meter's mean over five minutes contains the seconds in which the car comes down. */
const DELIVERED_AT_LEAST_PERCENT = 92;

/** Less consumption, offered at a price, cleared, and measured against a baseline (the seed, 2.5). */
export const demandFlexibility: Scenario = {
  name: "demand-flexibility",
  title: "Eight chargers reduce when the grid needs it, and the meters prove how much",
  run: async (context) => {
    await using stage = new Stage(context, { speed: SPEED, startAtMs: START_MS });
    const operator = stage.party("operator.scenario.example");
    const cars = Array.from({ length: LOADS }, (_, index) =>
      carAtCharger(stage, {
        era: `bay-${index + 1}`,
        phases: 1,
        maxA: 16 + 2 * index,
        capacityKWh: 80,
        socPercent: 20,
        // Without an order these cars charge on as usual: that is what a baseline is made of.
        config: { ocpp: { identity: `BAY-${index + 1}`, phases: 1, maxA: 16 + 2 * index, settleS: 10 } },
      }),
    );
    const gateway = await stage.gateway("depot", {
      site: { name: "depot" },
      api: { port: 0 },
      ocpp: { port: 0, meterIntervalS: 10, callTimeoutMs: 120_000, ...PATIENT },
      market: {
        subscriberId: "depot.scenario.example",
        bppId: operator.subscriberId,
        bppUri: "http://127.0.0.1:9/nobody",
        currency: "EUR",
        interval: `${INTERVAL_MS / 1000}s`,
        participate: false,
        requireSignature: true,
        webhook: { port: 0 },
        trustedKeys: [{ subscriberId: operator.subscriberId, keyId: operator.keyId, publicKey: operator.publicKey }],
      },
      devices: cars.map((car) => car.config),
    });
    const { subscriberId, keyId, publicKey } = operator;
    const market = await stage.provider("market", {
      subscriberId: MARKET_ID,
      http: { port: 0 },
      requireSignature: true,
      trustedKeys: [{ subscriberId, keyId, publicKey }],
      market: { currency: "EUR" },
    });
    for (const car of cars) await car.connect(gateway.addresses());
    await stage.until("all chargers", 3_600_000, () => gateway.status().devices.every((device) => device.linkUp));
    stage.say(`${LOADS} cars charge at a depot, as on every working day.`);

    // Means of whole intervals, from each meter's register.
    const metered: number[][] = cars.map(() => []);
    const readKWh = () =>
      cars.map(({ car }) => {
        car.powerKW();
        return car.meter.importKWh;
      });
    const meterInterval = async () => {
      const before = readKWh();
      const startMs = stage.clock.elapsedMs();
      await stage.pass(INTERVAL_MS);
      const after = readKWh();
      const hours = (stage.clock.elapsedMs() - startMs) / 3_600_000;
      for (const [index, powers] of metered.entries())
        powers.push(-((after[index] ?? 0) - (before[index] ?? 0)) / hours);
    };
    await stage.pass(30_000);
    for (let interval = 0; interval < INTERVALS_BEFORE; interval++) await meterInterval();

    const baselines = cars.map((_, index) => {
      const today: DayRecord = { day: 100, dayType: "WEEKDAY", powerKW: metered[index] ?? [] };
      const history = Array.from({ length: 10 }, (_, day) => dayLike(stage, today, 90 + day));
      const result = baseline(
        history,
        today,
        { from: INTERVALS_BEFORE, count: EVENT_INTERVALS },
        { ...TEN_OF_TEN_HOURLY, adjustmentIntervals: 3, bufferIntervals: 1 },
      );
      if (result === undefined) throw new Error("there is no baseline");
      return result.powerKW;
    });
    const totalKW = baselines.reduce((sum, powerKW) => sum + (powerKW[0] ?? 0), 0);
    stage.say(
      `${timeText(stage.clock.now())}: the grid needs ${NEEDED_KW} kW less. The baselines of ten days say ${(-totalKW).toFixed(1)} kW.`,
    );

    // Each offers all it has, the dearer the later its driver leaves; the operator takes the cheapest that are enough.
    const offers = cars.map(({ era }, index) => ({
      era,
      currency: "EUR",
      bidCurve: [
        { price: 0.1 + index * 0.01, powerKW: 0 },
        { price: 0.12 + index * 0.01, powerKW: -(baselines[index]?.[0] ?? 0) },
      ],
    }));
    const { url } = market;
    const cleared = await (await AggregationClient.open(stage, operator, { url, subscriberId: MARKET_ID })).clear(
      offers,
      { targetKW: NEEDED_KW },
    );
    const reductionsKW = cleared.setpoints.map(({ setpointKW }) => setpointKW);
    const clearedKW = reductionsKW.reduce((sum, powerKW) => sum + powerKW, 0);
    stage.checkEqual("the cleared reductions add up to the need", clearedKW, NEEDED_KW, 1e-6, "kW");
    stage.say(`Cleared at ${cleared.clearingPrice?.toFixed(4)} EUR/kWh; each device gets its baseline less its share.`);

    const key = createSigningKey(operator.subscriberId, operator.keyId, readFileSync(operator.privateKeyFile, "utf8"));
    const setpoints = cars.map(({ era }, index) => {
      const [own] = reductionSetpoints(reductionsKW[index] ?? 0, [
        { era, baselineKW: baselines[index]?.[0] ?? 0, highestKW: 0 },
      ]).setpoints;
      return { era, setpointKW: own?.powerKW ?? 0 };
    });
    const status = await send(gateway.addresses()["webhook"] ?? "", stage, key, setpoints);
    stage.check("the gateway acknowledges the order", status === 200, `HTTP ${status}`);
    for (let interval = 0; interval < EVENT_INTERVALS; interval++) await meterInterval();

    const delivered = deliveredReduction(
      cars.map(({ era }, index) => ({
        meterId: era,
        baselineKW: baselines[index] ?? [],
        usageKW: (metered[index] ?? []).slice(INTERVALS_BEFORE),
      })),
      EVENT_INTERVALS,
      { clampAtZero: true },
    );
    stage.table(
      "Reduction",
      ["device", "baseline kW", "cleared kW", "setpoint kW", "measured kW"],
      cars.map(({ era }, index) => [
        era,
        (baselines[index]?.[0] ?? 0).toFixed(2),
        (reductionsKW[index] ?? 0).toFixed(2),
        (setpoints[index]?.setpointKW ?? 0).toFixed(2),
        (metered[index]?.at(-1) ?? 0).toFixed(2),
      ]),
    );
    for (const [interval, deliveredKW] of delivered.deliveredKW.entries()) {
      const percent = deliveredPercent(deliveredKW, NEEDED_KW) ?? 0;
      stage.check(
        `interval ${interval + 1} of the event delivers`,
        percent >= DELIVERED_AT_LEAST_PERCENT,
        `${deliveredKW.toFixed(2)} of ${NEEDED_KW} kW, ${percent.toFixed(1)} %`,
      );
    }
    const stopped = setpoints
      .filter(({ setpointKW }) => setpointKW < 0 && -setpointKW < LEAST_KW)
      .map(({ era }) => era);
    if (stopped.length > 0) {
      stage.say(`A charger runs from 6 A on, so what is left to ${stopped.join(", ")} is nothing.`);
    }
    stage.say(`Delivered: ${delivered.deliveredKW.map((powerKW) => `${powerKW.toFixed(2)} kW`).join(" and ")}.`);
    checkProofs(stage, new Map([["depot", gateway]]));
    return stage.report(demandFlexibility.name, demandFlexibility.title);
  },
};

/** An earlier day of the same meter: like today before the event, a little more or less. */
function dayLike(stage: Stage, today: DayRecord, day: number): DayRecord {
  const factor = stage.rng.fork(`day-${day}`).between(0.95, 1.05);
  const usualKW = (today.powerKW[0] ?? 0) * factor;
  return {
    day,
    dayType: today.dayType,
    powerKW: Array.from({ length: INTERVALS_BEFORE + EVENT_INTERVALS }, () => usualKW),
  };
}

/** One order for all devices, signed as the operator. */
async function send(
  webhook: string,
  stage: Stage,
  key: ReturnType<typeof createSigningKey>,
  setpoints: readonly { readonly era: string; readonly setpointKW: number }[],
): Promise<number> {
  const nowMs = stage.clock.now();
  const body = JSON.stringify({
    context: {
      version: "2.0.0",
      action: "on_confirm",
      domain: "beckn.one:deg:demand-flexibility:*",
      timestamp: new Date(nowMs).toISOString(),
      message_id: randomUUID(),
      transaction_id: randomUUID(),
      bap_id: "depot.scenario.example",
      bap_uri: webhook,
      bpp_id: key.subscriberId,
      bpp_uri: "http://127.0.0.1:9/nobody",
      ttl: "PT2M",
    },
    message: {
      order: {
        id: "reduction-1",
        orderStatus: "CONFIRMED",
        orderAttributes: {
          "@type": "EnergyOrder",
          setpoints,
          validFrom: new Date(nowMs).toISOString(),
          validUntil: new Date(nowMs + (EVENT_INTERVALS + 1) * INTERVAL_MS).toISOString(),
        },
      },
    },
  });
  const response = await fetch(`${webhook}/on_confirm`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: authorization(key, body, nowMs) },
    body,
  });
  return response.status;
}
