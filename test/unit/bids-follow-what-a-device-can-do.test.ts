import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { adapters } from "../../adapters/index.ts";
import { BidKeeper } from "../../src/bid-keeper.ts";
import { BidOutlooks } from "../../src/bid-outlook.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { DeviceSnapshot } from "../../src/dispatch/device-lane.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { type BidCurve, powerAt } from "../../src/model/bid-curve.ts";
import type { Objective } from "../../src/model/objective.ts";
import type { Availability } from "../../src/model/reading.ts";
import type { Capability } from "../../src/model/resource.ts";
import type { OcpiTariff } from "../../src/ocpi/ocpi-objects.ts";
import { HandClock, settle } from "../support/hand-clock.ts";
import { waitFor } from "../support/wait-for.ts";

const NOON_MS = Date.parse("2026-06-15T12:00:00Z");
const HOUR_MS = 3_600_000;
type Fields = Readonly<Record<string, unknown>>;

const CAR: Capability = {
  minPowerKW: -11,
  maxPowerKW: 0,
  control: "limit",
  failsafe: "device",
  settleMs: 2_000,
  sampleMs: 1_000,
};
const BATTERY: Capability = { ...CAR, minPowerKW: -5, maxPowerKW: 5, control: "setpoint", capacityKWh: 10 };

/** What a device has told, to be changed by hand. */
interface Told {
  capability: Capability;
  availability?: Availability;
  socPercent?: number;
}

const folder = mkdtempSync(join(tmpdir(), "setpointd-bids-"));
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
  rmSync(join(folder, "forecast.json"), { force: true });
});

/** A site whose devices are told by hand, with the curves that it sends. */
async function site(options: {
  devices: readonly (Fields & { era: string; told: Told })[];
  site?: Fields;
  market?: Fields;
  ocpiTariff?: OcpiTariff;
}) {
  const config = parseConfig(
    stringify({
      site: { name: "test", ...options.site },
      market: {
        ...{ subscriberId: "site", bppId: "market", bppUri: "http://127.0.0.1:9/x", currency: "EUR" },
        ...{ webhook: { port: 0 }, interval: "1h", ...options.market },
      },
      devices: options.devices.map(({ told: _told, ...device }) => ({
        ...{ kind: "charger", modbus: { host: "127.0.0.1" } },
        ...device,
      })),
    }),
    "site.yaml",
    adapters,
  );
  const { market } = config;
  if (market === undefined) throw new Error("no market");
  const clock = new HandClock(NOON_MS - 1_000);
  const ocpiTariff = () => options.ocpiTariff;
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (_message, fields) => void warnings.push(String(fields?.["reason"])) };
  const outlooks = new BidOutlooks({ config, market, folder, clock, log, ocpiTariff });
  const sent: { era: string; curve: BidCurve; objective: Objective | undefined }[] = [];
  const keeper = new BidKeeper({
    market,
    clock,
    log: silentLog,
    connection: () => config.site,
    goals: [],
    saveGoal: () => {},
    outlook: (era) => outlooks.of(era),
    participant: {
      bid: async (era, curve, objective) => void sent.push({ era, curve, objective }),
      needsBid: () => false,
      telemetry: async () => true,
    },
    devices: config.devices.map((device, index) => {
      const told = options.devices[index]?.told ?? { capability: CAR };
      const lane = {
        get capability() {
          return told.capability;
        },
        measuredKW: undefined,
        snapshot: (): DeviceSnapshot => ({
          ...{ era: device.era, protocol: "hand", linkUp: true, linkDetail: "" },
          ...(told.availability && { availability: told.availability }),
          ...(told.socPercent !== undefined && { socPercent: told.socPercent }),
        }),
      };
      return { config: device, lane };
    }),
  });
  const stop = new AbortController();
  stops.push(stop);
  void outlooks.run(stop.signal);
  void keeper.run(stop.signal);
  const look = async (ms = 1_000) => {
    clock.advance(ms);
    await settle();
  };
  await look();
  return {
    clock,
    keeper,
    sent,
    warnings,
    /** Lets a look at all curves pass, and more. */
    look,
    /** Looks again and again until the file has been read. */
    until: (what: string, isSo: () => boolean) =>
      waitFor(what, async () => {
        await look(5_000);
        return isSo();
      }),
    /** Power of the newest curve at a price, kW. */
    at: (era: string, price: number) => {
      const curve = keeper.curve(era);
      return curve === undefined ? undefined : powerAt(curve, price);
    },
  };
}

describe("a new curve is sent when what the device can do has changed", () => {
  test("by its plug: without a car nothing is bid, and again all once one is there", async () => {
    const told: Told = { capability: CAR };
    const it = await site({ devices: [{ era: "ev", prices: { from: 0.1, to: 0.2 }, told }] });
    expect(it.at("ev", 0.1)).toBe(-11);
    told.availability = { era: "ev", minPowerKW: 0, maxPowerKW: 0, reason: "no car" };
    await it.look();
    expect(it.at("ev", 0.1)).toBe(0);
    told.availability = { era: "ev", minPowerKW: -7.4, maxPowerKW: 0, reason: "car connected" };
    await it.look();
    expect(it.at("ev", 0.1)).toBe(-7.4);
    expect(it.sent).toHaveLength(3);
    await it.look();
    expect(it.sent).toHaveLength(3);
  });

  test("by its charge: a full battery takes nothing, one at its reserve gives nothing", async () => {
    const told: Told = { capability: BATTERY, socPercent: 50 };
    const storage = { storedValuePerKWh: 0.1, reserveSocPercent: 20, spreadPerKWh: 0 };
    const it = await site({ devices: [{ era: "bat", kind: "battery", storage, told }] });
    expect([it.at("bat", -1), it.at("bat", 1)]).toEqual([-5, expect.closeTo(2.8, 1)]);
    told.socPercent = 100;
    await it.look();
    expect([it.at("bat", -1), it.at("bat", 1)]).toEqual([0, 5]);
    told.socPercent = 20;
    await it.look();
    expect([it.at("bat", -1), it.at("bat", 1)]).toEqual([-5, 0]);
  });

  test("by a limit: the operator's own, and the connection that all have to share", async () => {
    const away: Availability = { era: "ev-2", minPowerKW: 0, maxPowerKW: 0, reason: "no car" };
    const second: Told = { capability: CAR, availability: away };
    const prices = { from: 0.1, to: 0.2 };
    const it = await site({
      site: { maxImportKW: 13, reserveKW: 1 },
      devices: [
        { era: "ev-1", prices, limit: { minPowerKW: -10 }, told: { capability: CAR } },
        { era: "ev-2", prices, limit: { minPowerKW: -10 }, told: second },
      ],
    });
    expect([it.at("ev-1", 0), it.at("ev-2", 0)]).toEqual([-10, 0]);
    delete second.availability;
    await it.look();
    // 12 kW are left for both.
    expect([it.at("ev-1", 0), it.at("ev-2", 0)]).toEqual([-6, -6]);
    second.availability = away;
    await it.look();
    expect(it.at("ev-1", 0)).toBe(-10);
  });
});

describe("a goal of the config", () => {
  const objective = { targetChargeKWh: 10, deadline: "2026-06-15T13:00:00Z", maxPricePerKWh: 0.2 };
  const car = (more: Fields) => ({ era: "ev", objective: { ...objective, ...more }, told: { capability: CAR } });

  test("that can't wait is bid at any price, and with HARD_PRICE at none above its highest", async () => {
    const byDeadline = await site({ devices: [car({})] });
    expect(byDeadline.at("ev", 0.5)).toBeLessThan(-9.9);
    const byPrice = await site({ devices: [car({ priceMode: "HARD_PRICE" })] });
    expect(byPrice.at("ev", 0.19)).toBeLessThan(-9.9);
    expect(byPrice.at("ev", 0.21)).toBe(0);
    expect(byPrice.sent[0]?.objective?.priceMode).toBe("HARD_PRICE");
  });

  test("keeps its price mode when the order that comes back names none", async () => {
    const it = await site({ devices: [car({ priceMode: "HARD_PRICE" })] });
    const deadlineMs = Date.parse("2026-06-15T13:00:00Z");
    it.keeper.setObjective("ev", { targetChargeKWh: 11, deadlineMs, maxPricePerKWh: 0.2 });
    await it.look();
    expect(it.at("ev", 0.21)).toBe(0);
  });

  test("counts what the charger loses: more is drawn than arrives", async () => {
    const [plain, lossy] = [
      await site({ devices: [car({ targetChargeKWh: 4 })] }),
      await site({ devices: [{ ...car({ targetChargeKWh: 4 }), charging: { efficiency: 0.8, reserveShare: 0 } }] }),
    ];
    expect(plain.at("ev", 0.5)).toBeCloseTo(-4, 6);
    expect(lossy.at("ev", 0.5)).toBeCloseTo(-5, 6);
  });

  test("prefers its own source: energy from elsewhere counts as dearer where it can wait", async () => {
    const patient = { deadline: "2026-06-16T12:00:00Z", preferredSource: "SOLAR" };
    const market = { otherSourceAdder: 0.05 };
    const solar = await site({ market: { ...market, energySource: "SOLAR" }, devices: [car(patient)] });
    const other = await site({ market: { ...market, energySource: "GRID" }, devices: [car(patient)] });
    const dearest = (it: typeof solar) => it.keeper.curve("ev")?.points.at(-1)?.pricePerKWh;
    expect([dearest(solar), dearest(other)]).toEqual([0.2, expect.closeTo(0.15, 9)]);
  });
});

describe("a tariff", () => {
  const patient = { targetChargeKWh: 20, deadline: "2026-06-15T20:00:00Z", maxPricePerKWh: 0.4 };
  const tariff = {
    timeZone: "Europe/Berlin",
    pricePerKWh: 0.3,
    times: [{ from: "18:00", until: "20:00", pricePerKWh: 0.1 }],
  };

  test("is what a device without a goal pays in the market as well, and no more", async () => {
    const it = await site({ site: { tariff }, devices: [{ era: "ev", told: { capability: CAR } }] });
    expect([it.at("ev", 0.29), it.at("ev", 0.31)]).toEqual([-11, 0]);
    // 18:00 in Berlin is 16:00 UTC in June.
    await it.look(4 * HOUR_MS);
    expect([it.at("ev", 0.09), it.at("ev", 0.11)]).toEqual([-11, 0]);
  });

  test("tells a car with a goal when energy will be cheaper: it waits for that, as far as it can", async () => {
    const it = await site({
      site: { tariff },
      devices: [{ era: "ev", objective: patient, told: { capability: CAR } }],
    });
    // Two hours at 0.10 bring 22 kWh, so nothing is wanted above that now.
    expect([it.at("ev", 0.09), it.at("ev", 0.11)]).toEqual([-11, 0]);
    const blind = await site({ devices: [{ era: "ev", objective: patient, told: { capability: CAR } }] });
    expect(blind.at("ev", 0.11)).toBe(-11);
  });

  test("of a device stands before the one of the site; one that comes over OCPI counts as it came last", async () => {
    const energy = (price: number) => [{ price_components: [{ type: "ENERGY" as const, price, step_size: 1 }] }];
    const ocpiTariff: OcpiTariff = {
      ...{ country_code: "DE", party_id: "ECO", id: "T1", currency: "EUR", last_updated: "2026-06-01T00:00:00Z" },
      elements: energy(0.25),
    };
    const own = { ocpi: { countryCode: "DE", partyId: "ECO", id: "T1" } };
    const options = { site: { tariff }, devices: [{ era: "ev", tariff: own, told: { capability: CAR } }] };
    const it = await site({ ...options, ocpiTariff });
    expect([it.at("ev", 0.24), it.at("ev", 0.26)]).toEqual([-11, 0]);
    const foreign = await site({ ...options, ocpiTariff: { ...ocpiTariff, currency: "INR" } });
    // Never converted: without a tariff that counts the device bids as it would without one.
    expect(foreign.at("ev", 0.13)).toBeLessThan(0);
    expect(foreign.at("ev", 0.24)).toBe(0);
  });
});

describe("a forecast file", () => {
  const write = (json: unknown) => writeFileSync(join(folder, "forecast.json"), JSON.stringify(json));
  const at = (hours: number) => new Date(NOON_MS + hours * HOUR_MS).toISOString();

  test("says what will be cheaper and what the sun will give, and is read again when it changes", async () => {
    const objective = { targetChargeKWh: 20, deadline: at(8), maxPricePerKWh: 0.4 };
    const roof: Capability = { ...CAR, minPowerKW: 0, maxPowerKW: 10 };
    write({ currency: "EUR", prices: [{ start: at(2), end: at(4), pricePerKWh: 0.1 }] });
    const it = await site({
      market: { forecastFile: "forecast.json", shortfallPrice: 0.1 },
      devices: [
        { era: "ev", objective, told: { capability: CAR } },
        { era: "roof", kind: "solar", prices: { from: 0.02, to: 0.03 }, told: { capability: roof } },
      ],
    });
    await it.until("a curve by the forecast", () => it.at("ev", 0.11) === 0);
    expect(it.at("ev", 0.09)).toBe(-11);
    expect(it.at("roof", 1)).toBe(10);

    const output = { roof: [{ start: at(0), end: at(1), lowKW: 2, middleKW: 4, highKW: 6 }] };
    write({ currency: "EUR", prices: [{ start: at(2), end: at(4), pricePerKWh: 0.2 }], output });
    await it.until("a curve by the new forecast", () => it.at("ev", 0.19) === -11);
    expect(it.at("ev", 0.21)).toBe(0);
    // 0.02 and the penalty for what is missing: the middle value at 0.12.
    expect([it.at("roof", 0.12), it.at("roof", 5)]).toEqual([4, 6]);

    write({ currency: "EUR", prices: [{ start: at(4), end: at(2), pricePerKWh: 0.1 }] });
    await it.until("the refusal", () => it.warnings.length > 0);
    expect(it.warnings[0]).toContain("must be after `start`");
    expect(it.at("ev", 0.19)).toBe(-11);
  });
});
