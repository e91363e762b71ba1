import { readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, basic, dialIn, type RawCharger } from "../unit/ocpp-raw-charger.ts";

/** Asks the daemon as the command line does, over its Unix socket. */
function ask(
  site: Site,
  operation: string,
  input: object = {},
): Promise<{ status: number; json: Record<string, unknown> }> {
  const socketPath = join(site.folder, "data", "setpointd.sock");
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method: "POST", path: `/adapters/ocpp/${operation}` }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) }));
    });
    asking.on("error", reject);
    asking.end(JSON.stringify(input));
  });
}

const metered = (watts: number) => ({
  connectorId: 1,
  meterValue: [
    {
      timestamp: new Date().toISOString(),
      sampledValue: [{ value: String(watts), measurand: "Power.Active.Import", unit: "W" }],
    },
  ],
});

const eras = (site: Site) => site.gateway.status().devices.map((device) => device.era);

async function bootWith(site: Site, identity: string, password?: string): Promise<RawCharger> {
  const headers = password === undefined ? {} : basic(identity, password);
  const charger = await dialIn(site.address("ocpp"), { identity, headers });
  await charger.call("BootNotification", BOOT_16);
  await charger.call("StatusNotification", { connectorId: 1, status: "Charging", errorCode: "NoError" });
  return charger;
}

test("a charger that nobody configured is accepted, follows the market, and is still there after a restart", async () => {
  await using site = new Site({ devices: [] });
  await site.start();
  const url = site.address("ocpp");
  await expect(dialIn(url, { identity: "DEPOT-4" })).rejects.toThrow("404");
  expect((await ask(site, "stations")).json).toMatchObject({
    stations: [],
    strangers: [{ identity: "DEPOT-4", from: "127.0.0.1", attempts: 1, reason: "unknown charger" }],
  });
  expect(await ask(site, "accept", { identity: "DEPOT-5" })).toMatchObject({
    status: 404,
    json: { error: expect.stringContaining("those that have: DEPOT-4") },
  });

  const accepted = await ask(site, "accept", { identity: "DEPOT-4", phases: 1, maxA: 32, password: true });
  expect(accepted).toMatchObject({ status: 200, json: { devices: [{ era: "DEPOT-4", connector: 1 }] } });
  const password = String(accepted.json["password"]);
  expect(password).toMatch(/^[A-Z2-9]{20}$/);
  await expect(dialIn(url, { identity: "DEPOT-4" })).rejects.toThrow("401");

  {
    await using charger = await bootWith(site, "DEPOT-4", password);
    await waitFor("the device to be up", () => site.device("DEPOT-4").linkUp);
    const { status } = await site.send(site.onConfirm({ era: "DEPOT-4", setpointKW: -4.6, ...windowFor(60) }));
    expect(status).toBe(200);
    await waitFor("the limit", () => charger.of("SetChargingProfile").length > 0);
    await charger.call("MeterValues", metered(4000));
    await waitFor("its power", () => site.device("DEPOT-4").measuredKW === -4);
    expect((await ask(site, "stations")).json).toMatchObject({
      stations: [
        {
          identity: "DEPOT-4",
          accepted: true,
          connectors: [1],
          connection: { version: "ocpp1.6", profile: 1, from: "127.0.0.1", tls: false },
          device: { vendor: "Maker", model: "Box", firmware: "1.0" },
          refusals: { count: 1, reason: "wrong or missing password" },
        },
      ],
      strangers: [],
    });
  }

  const file = join(site.folder, "data", "accepted.yaml");
  expect(readFileSync(file, "utf8")).not.toContain(password);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  // A person gives it a name by hand; that stays when the daemon writes the file again.
  writeFileSync(file, readFileSync(file, "utf8").replace("era: DEPOT-4", "era: DEPOT-4 # bay four\n    name: Bay 4"));

  await site.stop();
  await site.start();
  expect(site.device("DEPOT-4").name).toBe("Bay 4");
  await using again = await bootWith(site, "DEPOT-4", password);
  await waitFor("the device to be up again", () => site.device("DEPOT-4").linkUp);

  await expect(dialIn(site.address("ocpp"), { identity: "DEPOT-5" })).rejects.toThrow("404");
  expect((await ask(site, "accept", { identity: "DEPOT-5" })).status).toBe(200);
  expect(readFileSync(file, "utf8")).toContain("# bay four");

  expect(await ask(site, "forget", { identity: "DEPOT-4" })).toMatchObject({ status: 200 });
  await waitFor("the link to end", () => again.socket.readyState === again.socket.CLOSED);
  expect(again.of("ClearChargingProfile").length).toBeGreaterThan(0);
  expect(eras(site)).toEqual(["DEPOT-5"]);
  const late = await site.send(site.onConfirm({ era: "DEPOT-4", setpointKW: -4, ...windowFor(60) }));
  expect(late.body).toContain("RESOURCE_UNKNOWN");
  await expect(bootWith(site, "DEPOT-4", password)).rejects.toThrow("404");
  await site.stop();
  await site.start();
  expect(eras(site)).toEqual(["DEPOT-5"]);
});

test("an accepted charger is itself and nobody else", async () => {
  const fixed = { era: "bay-1", kind: "charger", ocpp: { identity: "DEPOT-1", phases: 1 } };
  await using site = new Site({ devices: [fixed], config: { groups: [{ era: "bays", members: ["bay-1"] }] } });
  await site.start();
  const url = site.address("ocpp");
  await expect(dialIn(url, { identity: "bay-1" })).rejects.toThrow("404");

  // Neither the name of a device nor of a group, and no identity that is configured.
  for (const era of ["bay-1", "bays"]) {
    const refused = await ask(site, "accept", { identity: "bay-1", era });
    expect(refused).toMatchObject({ status: 400, json: { error: `the ERA "${era}" is taken already` } });
  }
  expect(await ask(site, "accept", { identity: "DEPOT-1" })).toMatchObject({ status: 400 });
  expect(await ask(site, "forget", { identity: "DEPOT-1" })).toMatchObject({ status: 400 });
  expect(await ask(site, "reject", { identity: "DEPOT-1" })).toMatchObject({ status: 400 });
  expect(await ask(site, "accept", { identity: "bay-1", phases: 7 })).toMatchObject({ status: 400 });

  // Asked for nothing in particular it gets the next free name.
  const accepted = await ask(site, "accept", { identity: "bay-1", connectors: 2 });
  expect(accepted.json["devices"]).toEqual([
    { era: "bay-1-1", connector: 1 },
    { era: "bay-1-2", connector: 2 },
  ]);
  await using configured = await bootWith(site, "DEPOT-1");
  await using guest = await bootWith(site, "bay-1");
  await configured.call("MeterValues", metered(2000));
  await guest.call("MeterValues", metered(3000));
  await waitFor(
    "both powers",
    () => site.device("bay-1-1").measuredKW === -3 && site.device("bay-1").measuredKW === -2,
  );

  const order = site.onConfirm({ era: "bays", setpointKW: -3, ...windowFor(60) });
  expect((await site.send(order)).status).toBe(200);
  await waitFor("the limit", () => configured.of("SetChargingProfile").length > 0);
  expect(guest.of("SetChargingProfile")).toEqual([]);
});

test("a rejected charger is no longer shown among those who wait, also after a restart, until it is forgotten", async () => {
  await using site = new Site({ devices: [], config: { ocpp: { port: 0 } } });
  await site.start();
  await expect(dialIn(site.address("ocpp"), { identity: "NEIGHBOUR" })).rejects.toThrow("404");
  expect((await ask(site, "reject", { identity: "NEIGHBOUR" })).status).toBe(200);
  await site.stop();
  await site.start();
  await expect(dialIn(site.address("ocpp"), { identity: "NEIGHBOUR" })).rejects.toThrow("404");
  expect((await ask(site, "stations")).json).toMatchObject({ strangers: [], rejected: ["NEIGHBOUR"] });
  expect((await ask(site, "forget", { identity: "NEIGHBOUR" })).status).toBe(200);
  await expect(dialIn(site.address("ocpp"), { identity: "NEIGHBOUR" })).rejects.toThrow("404");
  expect((await ask(site, "stations")).json).toMatchObject({ strangers: [{ identity: "NEIGHBOUR" }], rejected: [] });
});

test("where the port wants a password, accepting makes one without being asked", async () => {
  await using site = new Site({ devices: [], config: { ocpp: { port: 0, securityProfile: 1 } } });
  await site.start();
  await expect(dialIn(site.address("ocpp"), { identity: "DEPOT-4" })).rejects.toThrow("404");
  const accepted = await ask(site, "accept", { identity: "DEPOT-4" });
  expect(accepted.json["password"]).toMatch(/^.{20}$/);
  await using charger = await bootWith(site, "DEPOT-4", String(accepted.json["password"]));
  expect((await charger.call("Heartbeat", {}))[0]).toBe(3);
});
