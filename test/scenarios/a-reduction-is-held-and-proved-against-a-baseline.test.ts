import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { IntervalLog } from "../../src/meter/interval-log.ts";
import type { IntervalBody } from "../../src/meter/log-record.ts";
import { loadOrCreateMeterKey } from "../../src/meter/meter-key.ts";
import { MARKET_ID, SITE_ID, Site } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

const INTERVAL_MS = 5_000;
const DAY_MS = 86_400_000;
/** What the meters counted on each earlier day in these minutes, kW: 8 and 5 Wh in an interval. */
const USUAL_KW = { "ev-1": 5.76, "ev-2": 3.6 };
const REDUCTION_KW = 4.36;

let site: Site;
let server: Server;
const told: { action: string; body: Record<string, never> }[] = [];

afterEach(async () => {
  await site[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** A market that says ACK to everything. */
async function market(): Promise<string> {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      told.push({ action: request.url?.split("/").at(-1) ?? "", body: JSON.parse(`${Buffer.concat(chunks)}`) });
      response.writeHead(200, { "content-type": "application/json" }).end('{"message":{"ack":{"status":"ACK"}}}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/beckn`;
}

/** The signed log of the days before, as the gateway would have written it. */
async function meteredDays(folder: string, days: number): Promise<void> {
  const data = join(folder, "data");
  mkdirSync(data, { recursive: true });
  const privateKey = loadOrCreateMeterKey(join(data, "meter.key"));
  const log = await IntervalLog.open({ folder: join(data, "meter"), privateKey, clock: systemClock });
  const nowMs = Math.floor(Date.now() / INTERVAL_MS) * INTERVAL_MS;
  for (let day = days; day >= 1; day--) {
    const bodies = Object.entries(USUAL_KW).flatMap(([era, powerKW]) =>
      Array.from({ length: 60 }, (_, index): IntervalBody => {
        const startMs = nowMs - day * DAY_MS - 60_000 + index * INTERVAL_MS;
        const importWh = Math.round((powerKW * 1000 * INTERVAL_MS) / 3_600_000);
        const [start, end] = [startMs, startMs + INTERVAL_MS].map((ms) => new Date(ms).toISOString());
        return { kind: "interval", era, start: start ?? "", end: end ?? "", quality: "MEASURED", importWh };
      }),
    );
    await log.append(bodies);
  }
  await log[Symbol.asyncDispose]();
}

async function depot(days: number): Promise<void> {
  const bppUri = await market();
  const devices = Object.keys(USUAL_KW).map((era) => ({
    era,
    kind: "charger",
    meters: [`meter-${era}`],
    ocpp: { identity: era.toUpperCase(), phases: 1, maxA: 32, settleS: 1 },
  }));
  site = new Site({
    devices,
    config: { groups: [{ era: "depot", members: ["ev-1", "ev-2"] }] },
    market: {
      bppUri,
      dialect: "deg",
      interval: "5s",
      telemetryInterval: "1h",
      need: { resourceId: "need-1", offerId: "offer-1" },
      baseline: { minDays: 3, lookAt: 5, pick: 5, adjustment: "0s", buffer: "0s", adjustmentCap: 0 },
    },
  });
  await meteredDays(site.folder, days);
  await site.start();
}

function reduction(meters: readonly string[], reductionKW: number, startMs: number, count: number): object {
  const inputs = [{ role: "seller", inputs: { participatingMeters: meters } }];
  return {
    context: {
      ...{ version: "2.0.0", action: "on_confirm", timestamp: new Date().toISOString(), messageId: randomUUID() },
      ...{ transactionId: "t-reduction", bapId: SITE_ID, bppId: MARKET_ID, ttl: "PT30S" },
    },
    message: {
      contract: {
        id: "contract-1",
        status: { code: "ACTIVE" },
        commitments: [
          {
            resources: [{ id: "need-1" }],
            offer: { offerAttributes: { "@type": "DemandFlexBuyOffer", inputs } },
            commitmentAttributes: {
              intervalPeriod: {
                start: new Date(startMs).toISOString(),
                duration: `PT${(count * INTERVAL_MS) / 1000}S`,
              },
              intervals: [{ id: 0, payloads: [{ type: "CAPACITY_CLEARED", values: [reductionKW] }] }],
            },
          },
        ],
      },
    },
  };
}

test("each charger is held to its baseline less its share, and the meters prove what was delivered", async () => {
  // Five weeks have ten days of a weekend in them, whatever today is.
  await depot(35);
  const chargers = [await site.charger({ identity: "EV-1" }), await site.charger({ identity: "EV-2" })];
  await waitFor("the cars to charge freely", () => chargers.every((one) => one.powerKW() < -7));
  const startMs = (Math.floor(Date.now() / INTERVAL_MS) + 1) * INTERVAL_MS;
  const answer = await site.send(reduction(["meter-ev-1", "meter-ev-2"], REDUCTION_KW, startMs, 3));
  expect(answer.status).toBe(200);
  // 9.36 kW on other days less 4.36, over two chargers of the same size.
  await waitFor("the chargers to follow", () => chargers.every((one) => Math.abs(one.powerKW() + 2.5) < 0.1));
  await waitFor("the report", () => told.some(({ body }) => JSON.stringify(body).includes("BASELINE")), 60_000);
  const report = told.find(({ body }) => JSON.stringify(body).includes("BASELINE"));
  if (report === undefined) throw new Error("no report");
  expect(report.action).toBe("update");
  const contract = (report.body as unknown as { message: { contract: Contract } }).message.contract;
  expect(contract.id).toBe("contract-1");
  const [performance] = contract.performance;
  expect(performance?.performanceAttributes.methodology).toBe("5of5");
  const meters = performance?.performanceAttributes.meters ?? [];
  expect(meters.map((one) => one.meterId)).toEqual(["meter-ev-1", "meter-ev-2"]);
  for (const [index, usualKW] of Object.values(USUAL_KW).entries()) {
    const rows = meters[index]?.telemetry.intervals ?? [];
    expect(rows).toHaveLength(3);
    for (const { payloads } of rows) {
      expect(payloads[0]).toEqual({ type: "BASELINE", values: [expect.closeTo(usualKW, 6)] });
      expect(payloads[1]?.type).toBe("USAGE");
    }
    // A register counts whole watt-hours, which are 0.72 kW in an interval this short.
    expect(Math.abs((rows.at(-1)?.payloads[1]?.values[0] ?? 0) - 2.5)).toBeLessThan(0.8);
  }
  const { reductions } = (await (await fetch(`${site.address("api")}/reductions`)).json()) as {
    reductions: { committedKW: number; deliveredKW: number; deliveredPercent: number }[];
  };
  expect(reductions[0]?.committedKW).toBe(REDUCTION_KW);
  // In the first of the three intervals the cars come down from all they can take.
  expect(reductions[0]?.deliveredKW).toBeGreaterThan(2);
  expect(reductions[0]?.deliveredPercent).toBeCloseTo(((reductions[0]?.deliveredKW ?? 0) / REDUCTION_KW) * 100, 6);
});

test("without enough days like this one a reduction is refused, and the answer says so", async () => {
  await depot(2);
  const startMs = (Math.floor(Date.now() / INTERVAL_MS) + 1) * INTERVAL_MS;
  const answer = await site.send(reduction(["meter-ev-1"], 1, startMs, 1));
  expect(answer.status).toBe(400);
  expect(answer.body).toContain("BASELINE_UNKNOWN");
  expect(answer.body).toContain("fewer than 3 earlier days");
});

interface Contract {
  readonly id: string;
  readonly performance: readonly {
    readonly performanceAttributes: {
      readonly methodology: string;
      readonly meters: readonly {
        readonly meterId: string;
        readonly telemetry: {
          readonly intervals: readonly {
            readonly payloads: readonly { readonly type: string; readonly values: readonly number[] }[];
          }[];
        };
      }[];
    };
  }[];
}
