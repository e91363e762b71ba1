import { afterEach, expect, test } from "vitest";
import type { ChargerSimulator } from "../../simulators/charger/charger-simulator.ts";
import { settlementFromCdr } from "../../src/ocpi/cdr-settlement.ts";
import type { Cdr, OcpiLocation, OcpiSession } from "../../src/ocpi/ocpi-objects.ts";
import { OCPI_VERSIONS, type OcpiVersion } from "../../src/ocpi/ocpi-version.ts";
import type { OcpiOverview } from "../../src/ocpi/received-overview.ts";
import { benchConfig, type OcpiBench, openBench } from "../support/ocpi-bench.ts";
import { aCdr, aLocation } from "../support/ocpi-objects.ts";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

const SITE_TOKEN = "what-the-provider-sends";
const PROVIDER_TOKEN = "what-the-site-sends-us";
const ERA = "ev-garage";

let provider: OcpiBench;
let site: Site;

/** A provider that takes what it is told, in one version. */
async function openWith(version: OcpiVersion): Promise<void> {
  const dee = { countryCode: "DE", partyId: "DEE" };
  provider = await openBench({
    config: benchConfig({
      roles: ["EMSP"],
      countryCode: "NL",
      partyId: "EMP",
      peers: [{ name: "site", token: PROVIDER_TOKEN, parties: [{ ...dee, role: "CPO" }] }],
    }),
  });
  site = new Site({
    devices: [{ era: ERA, kind: "charger", ocpp: { identity: "GARAGE", phases: 1, maxA: 32, settleS: 2 } }],
    market: { interval: "2s", currency: "INR" },
    config: {
      ocpi: {
        port: 0,
        ...dee,
        peers: [
          {
            name: "provider",
            parties: [{ countryCode: "NL", partyId: "EMP", role: "EMSP" }],
            token: SITE_TOKEN,
            ourToken: PROVIDER_TOKEN,
            versionsUrl: provider.versionsUrl,
            version,
          },
        ],
        location: {
          id: "DEPOT",
          address: "Quay 1",
          city: "Hamburg",
          country: "DEU",
          latitude: "53.54100",
          longitude: "9.98400",
          timeZone: "Europe/Berlin",
          tariff: { id: "ADHOC", currency: "INR", pricePerKWh: 18, vatPercent: 10 },
          evses: [
            {
              era: ERA,
              uid: "BAY1",
              evseId: "DE*DEE*E1",
              powerType: "AC_1_PHASE",
              maxA: 32,
              token: { countryCode: "NL", partyId: "EMP", uid: "CARD-1", contractId: "NL-EMP-C1" },
            },
          ],
        },
      },
    },
  });
  await site.start();
}

function told<T>(module: string): T | undefined {
  return provider.changes.findLast(({ key }) => key.module === module)?.object as T | undefined;
}

afterEach(async () => {
  await site[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

async function pluggedIn(): Promise<ChargerSimulator> {
  const charger = await site.charger({ identity: "GARAGE" });
  await waitFor("the car to charge freely", () => charger.powerKW() < -7);
  return charger;
}

test.each(OCPI_VERSIONS)("from the plug to the bill, each market interval a charging period (%s)", async (version) => {
  await openWith(version);
  const charger = await pluggedIn();
  await waitFor("the session to be told", () => told<OcpiSession>("sessions")?.status === "ACTIVE");
  expect(told<OcpiLocation>("locations")?.evses?.[0]).toMatchObject({ uid: "BAY1", status: "CHARGING" });
  await site.send(site.onConfirm({ era: ERA, setpointKW: -4, ...windowFor(60) }));
  await waitFor("the meter to count at the market's price", () => {
    const prices = told<OcpiSession>("sessions")?.charging_periods?.map(({ tariff_id }) => tariff_id);
    return (prices?.filter((id) => id === "market-INR-0.09").length ?? 0) >= 2;
  });
  await charger.unplug();
  await waitFor("the CDR", () => told<Cdr>("cdrs") !== undefined);

  const cdr = told<Cdr>("cdrs") as Cdr;
  const settled = settlementFromCdr(cdr);
  expect(settled.faults).toEqual([]);
  // Before the order it was the tariff's price, from then on the market's.
  expect(new Set(settled.lines.map(({ price }) => price?.pricePerKWh))).toEqual(new Set([18, 0.09]));
  expect(settled.netImportWh).toBeGreaterThan(0);
  expect(cdr.charging_periods.length).toBeGreaterThanOrEqual(4);
  // Two seconds each; the first and the last also have what lies before the first reading and after the last one.
  for (const { startMs, endMs } of settled.lines.slice(1, -1)) expect(endMs - startMs).toBeLessThanOrEqual(2000);
  expect(settled.totalCostAfterTaxes).toBeCloseTo(settled.totalCostBeforeTaxes * 1.1, 1);
  const session = told<OcpiSession>("sessions");
  expect(session).toMatchObject({ id: cdr.session_id, status: "COMPLETED", kwh: cdr.total_energy });
  // Whoever missed it can read it.
  const page = await fetch(`${site.address("ocpi").replace("versions", `${version}/sender/cdrs`)}`, {
    headers: { authorization: `Token ${Buffer.from(SITE_TOKEN).toString("base64")}` },
  });
  expect(((await page.json()) as { data: unknown[] }).data).toEqual([cdr]);
});

test("a charge goes on over a restart of the gateway, and its CDR has what was metered before", async () => {
  await openWith("2.2.1");
  const charger = await pluggedIn();
  await waitFor("two periods", () => (told<OcpiSession>("sessions")?.charging_periods?.length ?? 0) >= 2);
  const before = told<OcpiSession>("sessions") as OcpiSession;
  await site.stop();
  await site.start();
  await waitFor("the charger to come back", () => site.device(ERA).linkUp);
  await waitFor("the session to go on", () => {
    const now = told<OcpiSession>("sessions");
    return now?.id === before.id && (now.charging_periods?.length ?? 0) > (before.charging_periods?.length ?? 0);
  });
  await charger.unplug();
  await waitFor("the CDR", () => told<Cdr>("cdrs") !== undefined);
  expect(told<Cdr>("cdrs")).toMatchObject({ session_id: before.id, start_date_time: before.start_date_time });
  expect(told<Cdr>("cdrs")?.total_energy).toBeGreaterThan(before.kwh);
});

test("what a peer tells of its chargers and charges is read in our terms", async () => {
  const rival = { countryCode: "BE", partyId: "BEC" };
  site = new Site({
    devices: [{ era: ERA, kind: "charger", ocpp: { identity: "GARAGE", phases: 1, maxA: 32 } }],
    config: {
      ocpi: {
        port: 0,
        countryCode: "DE",
        partyId: "DEE",
        peers: [{ name: "rival", parties: [{ ...rival, role: "CPO" }], token: SITE_TOKEN }],
      },
    },
  });
  provider = await openBench();
  await site.start();
  const base = site.address("ocpi").replace("versions", "2.2.1/receiver");
  const send = async (method: string, path: string, body: object) => {
    const answer = await fetch(`${base}/${path}`, {
      method,
      headers: {
        authorization: `Token ${Buffer.from(SITE_TOKEN).toString("base64")}`,
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
    });
    expect(((await answer.json()) as { status_code: number }).status_code).toBe(1000);
  };
  await send("PUT", "locations/BE/BEC/LOC1", aLocation());
  await send("POST", "cdrs", aCdr("2.2.1"));
  const told = (await (await fetch(`${site.address("api")}/ocpi`)).json()) as OcpiOverview;
  expect(told.resources[0]).toMatchObject({ era: "ocpi.location.BE:BEC:LOC1/3256/1" });
  expect(told.cdrs[0]).toMatchObject({ id: "C1", faults: [] });
});
