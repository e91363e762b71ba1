import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Battery } from "../../simulators/world/battery.ts";
import { Site, type SiteOptions, windowFor } from "../support/site.ts";
import { aus, UtilityServer } from "../support/utility-server.ts";
import { waitFor } from "../support/wait-for.ts";

const CAR = { era: "ev-1", kind: "charger", ocpp: { identity: "CP-1", phases: 1, maxA: 32 } };

let utility: UtilityServer;
let site: Site;

beforeEach(async () => {
  site = new Site({ devices: [CAR] });
  utility = await UtilityServer.open(site.folder);
});

afterEach(async () => {
  await site[Symbol.asyncDispose]();
  await utility[Symbol.asyncDispose]();
});

function obeying(client: Record<string, unknown> = {}, options: Partial<SiteOptions> = {}): SiteOptions {
  return {
    devices: [CAR],
    ...options,
    config: {
      ieee2030_5_client: {
        url: utility.url,
        ...utility.files,
        leastPollRateS: 1,
        serverLfdi: utility.serverLfdi,
        ...client,
      },
      ...options.config,
    },
  };
}

const appliedKW = () => site.device("ev-1").appliedKW ?? Number.NaN;

async function charging(): Promise<void> {
  await site.start();
  await site.charger({ identity: "CP-1" });
  await waitFor("a car that charges", () => (site.device("ev-1").measuredKW ?? 0) < -1);
}

describe("a utility limits a site, and the market keeps to it", () => {
  test("an import limit holds the car with no order of the market, and clamps one that asks for more", async () => {
    utility.register();
    const event = utility.event(aus("ImpLim", 3000));
    site.change(obeying());
    await charging();
    await waitFor("the car within the limit", () => Math.abs(appliedKW() + 3) < 0.1);

    const { status } = await site.send(site.onConfirm({ setpointKW: -7, era: "ev-1", ...windowFor(60) }));
    expect(status).toBe(200);
    await waitFor("the order of the market", () => site.device("ev-1").orderedKW === -7);
    await waitFor("the order within the limit", () => appliedKW() >= -3 - 1e-6);
    await waitFor("the meter", () => Math.abs((site.device("ev-1").measuredKW ?? 0) + 3) < 0.2);
    expect(site.device("ev-1").boundBy).toBe("utility-server");
    expect(site.device("ev-1").limits).toEqual([{ source: "utility-server", minPowerKW: -3 }]);
    const { utility: told } = site.gateway.status();
    expect(told).toMatchObject({ server: utility.url, linkUp: true, demands: [{ importKW: 3 }] });
    expect(told?.demands[0]?.detail).toContain("opModImpLimW 3000 W until");
    await waitFor("what the utility hears of it", () => utility.responses(event).join() === "1,2");
    await waitFor("a verdict that says why", () => site.device("ev-1").verdict === "partial");
    expect(site.device("ev-1").verdictReason).toContain("utility-server limit");
  });

  test("when the server is lost its events run on, and its default after them; a restart remembers the default", async () => {
    utility.register();
    const [program] = utility.programs;
    if (program) program.defaultBase = aus("LoadLim", 2000);
    utility.event(aus("LoadLim", 5000), { durationS: 8 });
    site.change(obeying());
    await charging();
    await waitFor("the event", () => Math.abs(appliedKW() + 5) < 0.1);
    utility.outage = 500;
    await waitFor("the loss to be seen", () => site.gateway.status().utility?.linkUp === false);
    await waitFor("the default", () => Math.abs(appliedKW() + 2) < 0.1);

    await site.stop();
    await site.start();
    await waitFor("the default after a restart", () => site.gateway.status().utility?.demands[0]?.loadKW === 2);
    expect(site.gateway.status().utility?.linkUp).toBe(false);
  });

  test("what the server did not take is sent after a restart, and nothing twice", async () => {
    utility.register();
    utility.overrides.set("/reply", { status: 503 });
    const event = utility.event(aus("LoadLim", 5000), { durationS: 300 });
    site.change(obeying());
    await charging();
    await waitFor("the event", () => Math.abs(appliedKW() + 5) < 0.1);
    await waitFor("a try", () => utility.responses(event).length > 0);

    await site.stop();
    const tries = utility.responses(event).length;
    const now = () => utility.responses(event).slice(tries);
    utility.overrides.delete("/reply");
    await site.start();
    await waitFor("both, in their order", () => now().join() === "1,2");
    event.status = 2;
    await waitFor("its end, and nothing again", () => now().join() === "1,2,6");

    await site.stop();
    await site.start();
    await waitFor("the list to be read again", () => site.gateway.status().utility?.linkUp === true);
    await waitFor("a second look", () => site.gateway.status().utility?.demands.length === 0);
    expect(now()).toEqual([1, 2, 6]);
  });

  test("a site registers itself, subscribes, and a notification of a stranger changes nothing", async () => {
    utility.pollRateS = 900;
    site.change(obeying({ registration: "in-band", notifications: { host: "127.0.0.1", port: 0 } }));
    await charging();
    await waitFor("our EndDevice", () => utility.registered.has(utility.siteLfdi));
    await waitFor("subscriptions", () => utility.subscriptions.size >= 5);
    const subscribed = [...utility.subscriptions.values()].map(({ resource }) => resource);
    for (const one of ["/who", "/assigned/self-made", "/programs/self-made", "/controls/north", "/default/north"]) {
      expect(subscribed).toContain(one);
    }
    const before = utility.reads("/controls/north");
    utility.event(aus("ImpLim", 2000));
    expect(await utility.notify("/controls/north")).toEqual([201]);
    await waitFor("the limit at once", () => Math.abs(appliedKW() + 2) < 0.1);
    expect(utility.reads("/controls/north")).toBeGreaterThan(before);

    const { readFileSync } = await import("node:fs");
    const { certFile, keyFile, caFile } = utility.files;
    const [cert, key, ca] = [certFile, keyFile, caFile].map((file) => readFileSync(file, "utf8"));
    if (cert === undefined || key === undefined || ca === undefined) throw new Error("no certificates");
    expect(await utility.notify("/controls/north", { tls: { cert, key, ca } })).toEqual([403]);

    await site.stop();
    expect(utility.subscriptions.size).toBe(0);
  });

  test("a server that names its editions is asked at the place of ours, and at no other", async () => {
    utility.register();
    const named = (editions: object) => ({ status: 200, body: JSON.stringify({ supportedSchemaVersions: editions }) });
    const others = { "https://csipaus.org/ns/v99.99": { dcap: ["/future"] }, null: { dcap: ["/nowhere"] } };
    utility.overrides.set("/.well-known/csipaus", named({ ...others, "https://csipaus.org/ns/v1.2": { dcap: [] } }));
    const url = new URL("/.well-known/csipaus", utility.url).href;
    site.change(obeying({ url, csipAus: "1.3" }));
    await charging();
    const detail = () => site.gateway.status().utility?.linkDetail ?? "";
    await waitFor("to be told why", () => detail().includes("no DeviceCapability for CSIP-AUS 1.3"));
    expect(detail()).toContain("v99.99");
    expect(utility.requests.every(({ path }) => path === "/.well-known/csipaus")).toBe(true);

    await site.stop();
    utility.overrides.set(
      "/.well-known/csipaus",
      named({ ...others, "https://csipaus.org/ns/v1.3": { dcap: ["/start"] } }),
    );
    utility.event(aus("LoadLim", 5000), { durationS: 300 });
    await site.start();
    await waitFor("the event", () => Math.abs(appliedKW() + 5) < 0.1);
    expect(utility.reads("/future") + utility.reads("/nowhere")).toBe(0);
    expect(utility.reads("/.well-known/csipaus")).toBeLessThan(6);
  });

  test("a wrong PIN ends all talk, and what holds until the first contact goes on holding", async () => {
    utility.register();
    utility.pin = 333_330;
    utility.event(aus("ImpLim", 6000));
    site.change(obeying({ pin: 111_115, untilFirstContact: { importKW: 1.5 } }));
    await charging();
    await waitFor("the bound of the config", () => Math.abs(appliedKW() + 1.5) < 0.2);
    expect(site.gateway.status().utility?.linkDetail).toContain("PIN");
    expect(utility.reads("/controls/north")).toBe(0);
    expect(utility.requests.every(({ method }) => method === "GET")).toBe(true);
  });

  test("one device has an EndDevice of its own: its controls bind it alone", async () => {
    const carLfdi = "0123456789ABCDEF0123456789ABCDEF01234567";
    utility.register();
    utility.register(carLfdi, "car");
    utility.programs.push({ id: "car", of: "car", primacy: 1, defaultBase: "", events: [] });
    const other = { era: "ev-2", kind: "charger", ocpp: { identity: "CP-2", phases: 1, maxA: 32 } };
    site.change(obeying({ devices: [{ era: "ev-1", lfdi: carLfdi }] }, { devices: [CAR, other] }));
    await charging();
    await site.charger({ identity: "CP-2" });
    utility.event(aus("LoadLim", 2300), {}, 1);
    await waitFor("the device's limit", () => Math.abs(appliedKW() + 2.3) < 0.1);
    expect(site.device("ev-2").limits).toBeUndefined();
    await waitFor("the other at its own power", () => (site.device("ev-2").measuredKW ?? 0) < -6);
  });

  test("the server hears what the site can do, does and measures, with the signs of its meters", async () => {
    utility.register();
    site.change(obeying({ csipAus: "1.3", pen: 32_473 }));
    await site.start();
    await site.charger({
      identity: "CP-1",
      car: new Battery(site.clock, {
        capacityKWh: 60,
        socPercent: 40,
        maxChargeKW: 7.4,
        maxDischargeKW: 0,
        deadMs: 100,
        tauMs: 200,
      }),
    });
    await waitFor("a car that charges", () => (site.device("ev-1").measuredKW ?? 0) < -6);
    await waitFor("its settings", () => utility.put.has("site-settings"));
    expect(utility.put.get("site-settings").DERSettings).toMatchObject({ setMaxW: { value: "7360" } });
    expect(utility.put.get("site-capability").DERCapability.doeModesSupported).toBe("0000000F");
    await waitFor("a running status", () => utility.put.get("site-status")?.DERStatus.genConnectStatus.value === "07");
    await waitFor("its meter", () => utility.posted("site", 38).some((watts) => watts > 6000));
    await waitFor("its DER's meter", () => utility.posted("DER", 38).some((watts) => watts > 6000));
    const mirror = utility.requests.find(({ document }) => document?.MirrorUsagePoint !== undefined)?.document;
    expect(mirror.MirrorUsagePoint.mRID.slice(-8)).toBe("00032473");
  });
});
