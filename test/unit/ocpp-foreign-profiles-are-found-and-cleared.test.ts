import { describe, expect, test } from "vitest";
import { ocpp } from "../../adapters/ocpp/index.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, type Gateway, openGateway, type RawCharger, WILLING } from "./ocpp-raw-charger.ts";

const BOOT_201 = { reason: "PowerUp", chargingStation: { vendorName: "V", model: "M" } };
const order = (gateway: Gateway, powerKW: number, correction = false) =>
  gateway.adapter.apply(
    { setpointId: "s", powerKW, untilMs: Date.now() + 600_000, ...(correction ? { correction: true } : {}) },
    gateway.signal,
  );
const notices = (gateway: Gateway) =>
  gateway.reports.flatMap((one) => (one.kind === "notices" ? [one.notices.join("\n")] : [])).at(-1) ?? "";

/** A command of the command line, asked of the running host as the daemon does it. */
function command(gateway: Gateway, name: string, args: readonly string[], options: Record<string, boolean> = {}) {
  const found = ocpp.commands?.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no command ${name}`);
  const ask = async (operation: string, input?: unknown) =>
    JSON.parse(JSON.stringify(await gateway.operation(operation, JSON.parse(JSON.stringify(input)))));
  return found.run(
    { args, options },
    {
      clock: systemClock,
      log: silentLog,
      signal: gateway.signal,
      ask,
      askIfRunning: async (operation, input) => ({ answer: await ask(operation, input) }),
      devices: () => [],
      progress: () => {},
    },
  );
}

const schedule = (limit: number) => [
  { id: 1, chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
];

/** A 2.0.1 station that holds profiles of somebody else beside ours. */
async function station(gateway: Gateway): Promise<RawCharger> {
  const charger = await dialIn(gateway.url, { version: "ocpp2.0.1" });
  const foreign = new Map([
    [42, { id: 42, stackLevel: 9, chargingProfilePurpose: "TxDefaultProfile", chargingSchedule: schedule(13) }],
    [
      43,
      { id: 43, stackLevel: 0, chargingProfilePurpose: "ChargingStationMaxProfile", chargingSchedule: schedule(20) },
    ],
  ]);
  charger.when("GetChargingProfiles", ({ requestId }) => {
    const ours = {
      id: 7011,
      stackLevel: 0,
      chargingProfilePurpose: "TxDefaultProfile",
      chargingSchedule: schedule(10),
    };
    const report = (evseId: number, profiles: readonly object[], tbc: boolean) =>
      void charger.call("ReportChargingProfiles", {
        requestId,
        chargingLimitSource: evseId === 0 ? "SO" : "CSO",
        evseId,
        tbc,
        chargingProfile: profiles,
      });
    const [first, second] = [foreign.get(42), foreign.get(43)];
    // After the answer, as the standard has it.
    setImmediate(() => {
      report(1, [ours, ...(first ? [first] : [])], true);
      report(2, [{ ...ours, id: 99 }], true);
      report(0, second ? [second] : [], false);
    });
    return { status: "Accepted" };
  });
  charger.when("ClearChargingProfile", (payload) => {
    const id = payload["chargingProfileId"];
    if (id === undefined) foreign.clear();
    return { status: typeof id === "number" && !foreign.delete(id) ? "Unknown" : "Accepted" };
  });
  await charger.call("BootNotification", BOOT_201);
  await gateway.adapter.start(gateway.signal);
  return charger;
}

describe("profiles of somebody else in a 2.x station", () => {
  test("are in the status, with what they allow and who set them, and those of other EVSEs are not", async () => {
    await using gateway = await openGateway();
    await using _charger = await station(gateway);
    await waitFor("the notice", () => notices(gateway) !== "");
    expect(notices(gateway)).toBe(
      "somebody else has set profile 42 (TxDefaultProfile, stack level 9, 13.0 A, set by CSO), " +
        "profile 43 (ChargingStationMaxProfile, stack level 0, 20.0 A, set by SO)",
    );
  });

  test("are listed for a technician, by the charger's identity or the device's era", async () => {
    await using gateway = await openGateway();
    await using charger = await station(gateway);
    charger.when("GetCompositeSchedule", () => ({
      status: "Accepted",
      schedule: { evseId: 1, chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 13 }] },
    }));
    const result = await command(gateway, "profiles", ["CP-1"]);
    expect(result.table?.rows).toEqual([
      ["charger-1", "", "holds now", "", "13.0 A", ""],
      ["charger-1", "7011", "TxDefaultProfile", "0", "10.0 A", "ours"],
      ["charger-1", "42", "TxDefaultProfile", "9", "13.0 A", "CSO"],
      ["charger-1", "43", "ChargingStationMaxProfile", "0", "20.0 A", "SO"],
    ]);
    expect((await command(gateway, "profiles", ["charger-1"])).table?.rows).toEqual(result.table?.rows);
    await expect(command(gateway, "profiles", ["NOBODY"])).rejects.toThrow('there is no charger "NOBODY"');
  });

  test("are cleared on request, save for the maxima that protect the station", async () => {
    await using gateway = await openGateway();
    await using charger = await station(gateway);
    await order(gateway, -6.9);
    const before = charger.of("SetChargingProfile").length;
    const result = await command(gateway, "clear", ["CP-1"]);
    expect(result.text).toBe("charger-1: 1 cleared");
    expect(charger.of("ClearChargingProfile")).toEqual([{ chargingProfileId: 42 }]);
    expect(charger.of("SetChargingProfile")).toHaveLength(before);
  });

  test("are all cleared where that is asked for, and ours come back", async () => {
    await using gateway = await openGateway({ devices: [{ fallbackKW: -4.14, stackLevel: 3 }] });
    await using charger = await station(gateway);
    await order(gateway, -6.9);
    const before = charger.of("SetChargingProfile").length;
    await command(gateway, "clear", ["charger-1"], { all: true });
    expect(charger.of("ClearChargingProfile")).toContainEqual({ chargingProfileCriteria: {} });
    const ids = charger
      .of("SetChargingProfile")
      .slice(before)
      .map((payload) => (payload["chargingProfile"] as { id: number }).id);
    expect(new Set(ids)).toEqual(new Set([7011, 7013]));
  });
});

describe("profiles of somebody else in a 1.6 charger", () => {
  const composite = (limit: number) => () => ({
    status: "Accepted",
    connectorId: 1,
    chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
  });

  test("show in a limit that holds below ours", async () => {
    await using gateway = await openGateway();
    {
      await using charger = await dialIn(gateway.url);
      await charger.call("BootNotification", BOOT_16);
      await gateway.adapter.start(gateway.signal);
      await order(gateway, -11.04);
    }
    await using charger = await dialIn(gateway.url, { answers: { ...WILLING, GetCompositeSchedule: composite(9) } });
    await charger.call("BootNotification", BOOT_16);
    await waitFor("the notice", () => notices(gateway) !== "");
    expect(notices(gateway)).toContain("9.0 A holds, where 16.0 A was set");
  });

  test("explain a limit that is not followed, and what the charger says is not taken for the truth", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url);
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    await order(gateway, -4.14);
    const probe = async () => (await gateway.adapter.probe?.(gateway.signal)) ?? { text: "nothing" };
    charger.when("GetCompositeSchedule", composite(39));
    expect(await probe()).toEqual({
      text: "composite schedule says 39.0 A: an older profile with a higher stack level?",
      saysKW: -26.91,
    });
    charger.when("GetCompositeSchedule", composite(6));
    expect((await probe()).text).toBe("composite schedule says 6.0 A as well, and the charger does not keep to it");
    charger.when("GetCompositeSchedule", () => ({
      status: "Accepted",
      chargingSchedule: { chargingSchedulePeriod: [] },
    }));
    expect(await probe()).toEqual({ text: "the charger gives no composite schedule" });
    charger.when("GetCompositeSchedule", (_payload, id) => JSON.stringify([4, id, "NotImplemented", "", {}]));
    expect(await probe()).toEqual({ text: "the charger gives no composite schedule" });
  });

  test("are cleared by what they are for, with the policy `clear` before the second telling, and ours are set again", async () => {
    await using gateway = await openGateway({
      devices: [{ foreignProfiles: "clear", fallbackKW: -4.14, stackLevel: 3 }],
    });
    await using charger = await dialIn(gateway.url);
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    await order(gateway, -6.9);
    charger.when("GetCompositeSchedule", composite(39));
    await order(gateway, -6.9, true);
    expect(charger.of("ClearChargingProfile")).toEqual(
      expect.arrayContaining([
        { connectorId: 1, chargingProfilePurpose: "TxProfile" },
        { connectorId: 1, chargingProfilePurpose: "TxDefaultProfile" },
        { connectorId: 0, chargingProfilePurpose: "TxDefaultProfile" },
      ]),
    );
    expect(JSON.stringify(charger.of("ClearChargingProfile"))).not.toContain("ChargePointMaxProfile");
    const ids = charger
      .of("SetChargingProfile")
      .map(({ csChargingProfiles }) => (csChargingProfiles as { chargingProfileId: number }).chargingProfileId);
    expect(ids.slice(-2)).toEqual([7013, 7011]);
  });

  test("are left alone where the charger says that our limit holds: then another way is tried", async () => {
    await using gateway = await openGateway({ devices: [{ foreignProfiles: "clear", stackLevel: 3 }] });
    await using charger = await dialIn(gateway.url, { answers: { ...WILLING, GetCompositeSchedule: composite(10) } });
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    await order(gateway, -6.9);
    expect((await order(gateway, -6.9, true)).command).toContain("MaxProfile");
    expect(charger.of("ClearChargingProfile").every(({ id }) => id !== undefined)).toBe(true);
  });

  test("cannot be listed, and the technician is told so", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { answers: { ...WILLING, GetCompositeSchedule: composite(16) } });
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    const result = await command(gateway, "profiles", ["CP-1"]);
    expect(result.table?.rows).toEqual([["charger-1", "", "holds now", "", "16.0 A", ""]]);
    expect(result.text).toContain("no question for a list");
    await charger.hangUp();
    await expect(command(gateway, "profiles", ["CP-1"])).rejects.toThrow();
  });
});
