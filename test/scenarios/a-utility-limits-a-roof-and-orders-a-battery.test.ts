import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InverterSimulator } from "../../simulators/inverter/inverter-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import { statusText } from "../../src/cli/status.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { Site, type SiteOptions, windowFor } from "../support/site.ts";
import { aus, UtilityServer } from "../support/utility-server.ts";
import { waitFor } from "../support/wait-for.ts";

const QUICK = { deadMs: 50, tauMs: 100 };

let site: Site;
let utility: UtilityServer;
let roof: InverterSimulator;
let battery: InverterSimulator;
let devices: NonNullable<SiteOptions["devices"]>;

beforeEach(async () => {
  const sun = new Sun(clock, createRng(7), { startHour: 12 });
  roof = new InverterSimulator({
    kind: "solar",
    map: "der",
    source: new SolarPanel(clock, sun, { ratingKW: 10, ...QUICK }),
    clock,
    log,
  });
  battery = new InverterSimulator({
    kind: "battery",
    map: "der",
    source: new Battery(clock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5, ...QUICK }),
    clock,
    log,
  });
  const [sunny, stored] = [await roof.listen(), await battery.listen()];
  const modbus = ({ host, port }: { host: string; port: number }) => ({ host, port, pollMs: 200, timeoutMs: 1000 });
  devices = [
    { era: "roof", kind: "solar", modbus: modbus(sunny) },
    { era: "battery", kind: "battery", modbus: modbus(stored) },
  ];
  site = new Site({ devices });
  utility = await UtilityServer.open(site.folder);
  utility.register();
  const client = { url: utility.url, ...utility.files, leastPollRateS: 1 };
  site.change({ devices, config: { ieee2030_5_client: client } });
  await site.start();
  await waitFor("a roof in the sun", () => (site.device("roof").measuredKW ?? 0) > 5);
  await waitFor("a battery", () => site.device("battery").measuredKW !== undefined);
});

afterEach(async () => {
  await site[Symbol.asyncDispose]();
  await utility[Symbol.asyncDispose]();
  await roof[Symbol.asyncDispose]();
  await battery[Symbol.asyncDispose]();
});

const around = (powerKW: number, expectedKW: number) => Math.abs(powerKW - expectedKW) < 0.15;
const order = (era: string, setpointKW: number) =>
  site.send(site.onConfirm({ setpointKW, era, ...windowFor(60) }, { transactionId: era }));

describe("a utility limits a roof and orders a battery", () => {
  test("an export limit holds the roof without an order, and what the market adds from the battery makes it give way", async () => {
    const event = utility.event(aus("ExpLim", 3000));
    await waitFor("a roof that is held down", () => around(roof.powerKW() + battery.powerKW(), 3));
    expect(site.device("roof").orderedKW).toBeUndefined();
    await order("battery", 4);
    await order("roof", 8);
    await waitFor("both orders", () => site.device("battery").orderedKW === 4 && site.device("roof").orderedKW === 8);
    await waitFor("both within the limit", () => around(roof.powerKW() + battery.powerKW(), 3));
    expect(roof.powerKW() + battery.powerKW()).toBeLessThan(3.15);

    event.status = 2;
    await waitFor("the roof as ordered", () => around(roof.powerKW(), 8));
    await waitFor("the battery as ordered", () => around(battery.powerKW(), 4));
    await waitFor("the last word on it", () => utility.responses(event).join() === "1,2,6");
  });

  test("a limit comes down as fast as the server's default says, and the settings tell that rate back", async () => {
    const [program] = utility.programs;
    if (program === undefined) throw new Error("no program");
    // 5 % of 15 kW each second.
    program.gradient = 500;
    await waitFor("the rate", () => utility.put.get("site-settings")?.DERSettings.setGradW === "500");
    const fromKW = roof.powerKW();
    const startedAtMs = clock.elapsedMs();
    utility.event(aus("ExpLim", 1000));
    await waitFor("half way", () => roof.powerKW() < (fromKW + 1) / 2 && roof.powerKW() > 1.5);
    await waitFor("the limit", () => around(roof.powerKW(), 1));
    expect(clock.elapsedMs() - startedAtMs).toBeGreaterThan(5000);
  });

  test("a battery with an EndDevice of its own tells what it could give and take beyond what it does", async () => {
    const lfdi = "0123456789ABCDEF0123456789ABCDEF01234567";
    utility.register(lfdi, "battery");
    await site.stop();
    const client = { url: utility.url, ...utility.files, leastPollRateS: 1, devices: [{ era: "battery", lfdi }] };
    site.change({ devices, config: { ieee2030_5_client: client } });
    await site.start();
    await waitFor("its availability", () => utility.put.has("battery-availability"));
    const { reservePercent, reserveChargePercent } = utility.put.get("battery-availability").DERAvailability;
    // Half full and nearly idle, it could do all of its 5 kW either way, less and more what it does.
    expect(Number(reservePercent)).toBeGreaterThan(9000);
    expect(Number(reserveChargePercent)).toBeGreaterThan(9000);
  });

  test("a storage target goes before the market, and the market's order comes back after it", async () => {
    await order("battery", 2);
    await waitFor("the market's order", () => around(battery.powerKW(), 2));
    const base =
      '<a:opModStorageTargetW xmlns:a="https://csipaus.org/ns/v1.3"><multiplier>0</multiplier><value>-3000</value></a:opModStorageTargetW>';
    utility.event(base, { durationS: 6 });
    await waitFor("the utility's order", () => around(battery.powerKW(), -3));
    expect(site.device("battery")).toMatchObject({ orderedKW: 2, boundBy: "utility-server" });
    const screen = statusText(site.gateway.status(), { colour: false, width: 200 });
    expect(screen).toContain(`UTILITY ${utility.url}`);
    expect(screen).toMatch(/site: opModStorageTargetW -3000 W until .*Z \(event [0-9A-F]{12}, primacy 1\)/);
    await waitFor("the market's order again", () => around(battery.powerKW(), 2));
  });

  test("percent limits are of what we told, and disconnecting stops all that generates", async () => {
    await waitFor("our settings", () => utility.put.get("site-settings")?.DERSettings.setMaxW.value === "15000");
    // Each of the two states half of its rating.
    expect(utility.put.get("site-settings")?.DERSettings.setMaxVar.value).toBe("7500");
    const half = utility.event("<opModMaxLimW>2000</opModMaxLimW>");
    await waitFor("a fifth of 15 kW", () => around(roof.powerKW() + battery.powerKW(), 3));
    half.status = 2;
    utility.event("<opModConnect>false</opModConnect>");
    await waitFor("nothing", () => around(roof.powerKW(), 0) && around(battery.powerKW(), 0));
    const told = () => utility.put.get("site-status")?.DERStatus.genConnectStatus.value;
    await waitFor("disconnected, as its meters show", () => told() === "02");
    // The roof's model 701 tells no sun.
    expect(utility.put.has("site-availability")).toBe(false);
    await waitFor("reactive power, which both measure", () => utility.posted("site", 63).length > 0);
  });
});
