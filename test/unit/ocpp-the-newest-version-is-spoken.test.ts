import { describe, expect, test } from "vitest";
import { ocpp } from "../../adapters/ocpp/index.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, openGateway, WILLING } from "./ocpp-raw-charger.ts";

describe("a charger that speaks several versions", () => {
  test.each([
    [["ocpp1.6", "ocpp2.0.1", "ocpp2.1"], "ocpp2.1"],
    [["ocpp2.0.1", "ocpp1.6"], "ocpp2.0.1"],
    [["ocpp9", "ocpp1.6"], "ocpp1.6"],
  ])("offers %j and gets %s", async (version, spoken) => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    expect(charger.socket.protocol).toBe(spoken);
    expect((await charger.call("Heartbeat", {}))[0]).toBe(3);
    expect(gateway.adapter.protocol).toBe(spoken);
  });

  test("three chargers of three versions are served at once", async () => {
    const versions = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"];
    await using gateway = await openGateway({ devices: versions.map((identity) => ({ identity })) });
    for (const version of versions) await dialIn(gateway.url, { identity: version, version });
    await waitFor("all to be connected", () => gateway.adapters.every((one) => one.protocol !== "ocpp"));
    expect(gateway.adapters.map((one) => one.protocol)).toEqual(versions);
  });
});

describe("a charger that offers no version", () => {
  test("is refused, unless its own setting says what it speaks", async () => {
    await using gateway = await openGateway({
      devices: [
        { identity: "CP-1" },
        { identity: "CP-2", withoutSubprotocol: "ocpp2.0.1" },
        { identity: "CP-3", withoutSubprotocol: "ocpp1.6" },
      ],
    });
    await expect(dialIn(gateway.url, { version: "none" })).rejects.toThrow("400");
    await using _second = await dialIn(gateway.url, { identity: "CP-2", version: "none" });
    await using _third = await dialIn(gateway.url, { identity: "CP-3", version: "none" });
    expect(gateway.adapters.map((one) => one.protocol)).toEqual(["ocpp", "ocpp2.0.1", "ocpp1.6"]);
  });

  test("is refused by its own setting where the port takes others", async () => {
    await using gateway = await openGateway({
      shared: { allowNoSubprotocol: true },
      devices: [{ withoutSubprotocol: "refuse" }, { identity: "CP-2" }],
    });
    await expect(dialIn(gateway.url, { version: "none" })).rejects.toThrow("400");
    await using _other = await dialIn(gateway.url, { identity: "CP-2", version: "none" });
    expect(gateway.adapters.at(1)?.protocol).toBe("ocpp1.6");
  });

  test("two connectors of one charger cannot say two things of it", async () => {
    const devices = [{ withoutSubprotocol: "ocpp1.6" as const }, { connector: 2 }];
    await expect(openGateway({ devices })).rejects.toThrow("withoutSubprotocol");
  });

  test("a version that there is not is refused in the config", () => {
    const result = ocpp.deviceSchema.safeParse({ identity: "CP-1", withoutSubprotocol: "ocpp3" });
    expect(result.success).toBe(false);
  });
});

test("what a charger said in another version counts no more", async () => {
  await using gateway = await openGateway();
  const says = { key: "ChargingScheduleAllowedChargingRateUnit", readonly: true, value: "Power" };
  await using old = await dialIn(gateway.url, {
    answers: { ...WILLING, GetConfiguration: () => ({ configurationKey: [says] }) },
  });
  await old.call("BootNotification", BOOT_16);
  await gateway.adapter.start(gateway.signal);
  await old.hangUp();
  await waitFor("the link to be down", () => gateway.adapter.protocol === "ocpp");
  await using updated = await dialIn(gateway.url, { version: "ocpp2.0.1" });
  await updated.call("BootNotification", { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } });
  await gateway.adapter.start(gateway.signal);
  await gateway.adapter.apply({ setpointId: "s", powerKW: -6.9, untilMs: Date.now() + 600_000 }, gateway.signal);
  expect(updated.of("SetChargingProfile")).toMatchObject([
    { chargingProfile: { chargingSchedule: [{ chargingRateUnit: "A" }] } },
  ]);
});
