import { describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, type Gateway, openGateway, type RawCharger, WILLING } from "./ocpp-raw-charger.ts";

interface Sent {
  readonly connectorId: number;
  readonly csChargingProfiles: {
    readonly chargingProfileId: number;
    readonly transactionId?: number;
    readonly stackLevel: number;
    readonly chargingProfilePurpose: string;
    readonly validTo: string;
    readonly chargingSchedule: {
      readonly startSchedule: string;
      readonly duration: number;
      readonly chargingSchedulePeriod: readonly { limit: number; numberPhases: number; startPeriod: number }[];
    };
  };
}

const sent = (charger: RawCharger) => charger.of("SetChargingProfile") as unknown as Sent[];
const purposes = (charger: RawCharger) => sent(charger).map((one) => one.csChargingProfiles.chargingProfilePurpose);
const limits = (charger: RawCharger) =>
  sent(charger).map((one) => one.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0]?.limit);

const START = { connectorId: 1, idTag: "TAG", meterStart: 0, timestamp: "2026-11-23T14:00:00Z" };
const UNTIL_MS = Date.now() + 600_000;

async function booted(gateway: Gateway): Promise<RawCharger> {
  const charger = await dialIn(gateway.url);
  await charger.call("BootNotification", BOOT_16);
  await gateway.adapter.start(gateway.signal);
  return charger;
}

const order = (gateway: Gateway, powerKW: number, untilMs = UNTIL_MS) =>
  gateway.adapter.apply({ setpointId: "s", powerKW, untilMs }, gateway.signal);

describe("a target on the wire", () => {
  test("ends by the charger's own clock at its end, and has begun even where that clock is slow", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    const acceptance = await order(gateway, -11);
    expect(acceptance.appliedKW).toBeCloseTo(-10.971, 6);
    expect(acceptance.endsByItself).toBe(true);
    expect(acceptance.command).toContain("15.9 A x 3");
    const profile = sent(charger)[0]?.csChargingProfiles;
    const schedule = profile?.chargingSchedule;
    const startMs = Date.parse(schedule?.startSchedule ?? "");
    expect(startMs).toBeLessThanOrEqual(Date.now() - 59_000);
    expect(Math.abs(startMs + (schedule?.duration ?? 0) * 1000 - UNTIL_MS)).toBeLessThanOrEqual(1000);
    expect(Math.abs(Date.parse(profile?.validTo ?? "") - UNTIL_MS)).toBeLessThanOrEqual(1000);
    expect(schedule?.chargingSchedulePeriod).toEqual([{ startPeriod: 0, limit: 15.9, numberPhases: 3 }]);
  });

  test("generation is refused before anything is sent", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    await expect(order(gateway, 3)).rejects.toThrow("cannot discharge");
    await expect(order(gateway, 3)).rejects.toMatchObject({ fault: "refused" });
    expect(sent(charger)).toHaveLength(0);
  });

  test("a target that has ended is refused", async () => {
    await using gateway = await openGateway();
    await using _charger = await booted(gateway);
    await expect(order(gateway, -5, Date.now() - 1)).rejects.toMatchObject({ fault: "refused" });
  });
});

describe("an accepted target", () => {
  test("goes to the transaction when one starts, and to the default again when it is over", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    await order(gateway, -6.9);
    const [, , answer] = await charger.call("StartTransaction", START);
    const { transactionId } = answer as { transactionId: number };
    await waitFor("the target to be sent again", () => sent(charger).length === 2);
    expect(sent(charger)[1]?.csChargingProfiles).toMatchObject({ chargingProfilePurpose: "TxProfile", transactionId });
    await order(gateway, -8.28);
    await charger.call("StopTransaction", { transactionId, meterStop: 1, timestamp: "2026-11-23T15:00:00Z" });
    await waitFor("the target to be sent again", () => sent(charger).length === 4);
    expect(purposes(charger)).toEqual(["TxDefaultProfile", "TxProfile", "TxProfile", "TxDefaultProfile"]);
    expect(limits(charger)).toEqual([10, 10, 12, 12]);
  });

  test("is sent again after a boot and after a mere reconnect", async () => {
    await using gateway = await openGateway();
    const first = await booted(gateway);
    await order(gateway, -6.9);
    await first.call("BootNotification", BOOT_16);
    await waitFor("the target after the boot", () => sent(first).length === 2);
    await first.hangUp();
    await using second = await dialIn(gateway.url);
    await second.call("Heartbeat", {});
    await waitFor("the target after the reconnect", () => sent(second).length === 1);
    await second.hangUp();
    await using silent = await dialIn(gateway.url);
    await waitFor("the target, though the charger said nothing", () => sent(silent).length === 1);
    expect([...limits(first), ...limits(second), ...limits(silent)]).toEqual([10, 10, 10, 10]);
  });

  test("is not sent again once released, nor after its end", async () => {
    await using gateway = await openGateway();
    const first = await booted(gateway);
    await order(gateway, -6.9);
    await gateway.adapter.release(gateway.signal);
    expect(first.of("ClearChargingProfile")).toEqual([{ id: 7012 }, { id: 7011 }]);
    await order(gateway, -6.9, Date.now() + 300);
    await first.hangUp();
    await waitFor("the target to end", () => new Promise((resolve) => setTimeout(() => resolve(true), 320)));
    await using second = await dialIn(gateway.url);
    await second.call("BootNotification", BOOT_16);
    await waitFor("the set-up to end", () => second.of("TriggerMessage").length === 2);
    expect(sent(second)).toHaveLength(0);
  });

  test("stands where a newer one was refused", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    await order(gateway, -6.9);
    charger.when("SetChargingProfile", () => ({ status: "Rejected" }));
    await expect(order(gateway, -8.28)).rejects.toMatchObject({ fault: "refused" });
    charger.when("SetChargingProfile", () => ({ status: "Accepted" }));
    await charger.call("BootNotification", BOOT_16);
    await waitFor("the target after the boot", () => limits(charger).at(-1) === 10);
  });

  test("a release that the charger did not hear of is made up for", async () => {
    await using gateway = await openGateway();
    const first = await booted(gateway);
    await order(gateway, -6.9);
    await first.hangUp();
    await waitFor("the link to be down", () => gateway.reports.some((report) => report.kind === "link" && !report.up));
    await expect(gateway.adapter.release(gateway.signal)).rejects.toMatchObject({ fault: "unreachable" });
    await using second = await dialIn(gateway.url);
    await second.call("BootNotification", BOOT_16);
    await waitFor("the profiles to be cleared", () => second.of("ClearChargingProfile").length === 2);
    expect(sent(second)).toHaveLength(0);
  });
});

describe("transactions", () => {
  test("a repeated StartTransaction gets the same id, another one another", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    const id = async (payload: object) =>
      ((await charger.call("StartTransaction", { ...payload }))[2] as { transactionId: number }).transactionId;
    const first = await id(START);
    expect(await id(START)).toBe(first);
    expect(await id({ ...START, timestamp: "2026-11-23T14:05:00Z" })).not.toBe(first);
  });

  test("one that began before the gateway did is taken from the meter values", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    await order(gateway, -6.9);
    const meterValue = [{ timestamp: new Date().toISOString(), sampledValue: [{ value: "1" }] }];
    await charger.call("MeterValues", { connectorId: 1, transactionId: 815, meterValue });
    await waitFor("the target for the transaction", () => sent(charger).length === 2);
    expect(sent(charger)[1]?.csChargingProfiles).toMatchObject({
      chargingProfilePurpose: "TxProfile",
      transactionId: 815,
    });
  });

  test("one that is only named in samples of an outage is not taken for the one that runs", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    const timestamp = new Date(Date.now() - 300_000).toISOString();
    const meterValue = [{ timestamp, sampledValue: [{ value: "1" }] }];
    await charger.call("MeterValues", { connectorId: 1, transactionId: 815, meterValue });
    await order(gateway, -6.9);
    expect(purposes(charger)).toEqual(["TxDefaultProfile"]);
  });

  test("the end of one that nobody knows is answered and ends nothing", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    await charger.call("StartTransaction", START);
    expect((await charger.call("StopTransaction", { transactionId: -1, meterStop: 0, timestamp: "x" }))[0]).toBe(3);
    await order(gateway, -6.9);
    expect(purposes(charger)).toEqual(["TxProfile"]);
  });
});

describe("a charger that says no", () => {
  const MAX_LEVEL = () => ({
    configurationKey: [{ key: "chargeProfileMaxStackLevel", readonly: true, value: " 8 " }],
  });
  type Profile = { csChargingProfiles: { stackLevel: number; chargingProfilePurpose: string } };

  test("to its own highest stack level is asked with 0, and the next time with 0 at once", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, {
      answers: {
        ...WILLING,
        GetConfiguration: MAX_LEVEL,
        SetChargingProfile: (payload) => ({
          status: (payload as Profile).csChargingProfiles.stackLevel === 0 ? "Accepted" : "Rejected",
        }),
      },
    });
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    await order(gateway, -6.9);
    await order(gateway, -8.28);
    expect(sent(charger).map((one) => one.csChargingProfiles.stackLevel)).toEqual([8, 0, 0]);
  });

  test("to a profile for the transaction is asked with the default", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    await charger.call("StartTransaction", START);
    charger.when("SetChargingProfile", (payload) => ({
      status:
        (payload as Profile).csChargingProfiles.chargingProfilePurpose === "TxProfile" ? "NotSupported" : "Accepted",
    }));
    expect((await order(gateway, -6.9)).command).toContain("TxDefaultProfile");
  });

  test("to everything has its words in the error, also where it says it with a CALLERROR", async () => {
    await using gateway = await openGateway();
    await using charger = await booted(gateway);
    charger.when("SetChargingProfile", () => ({ status: "NotSupported" }));
    await expect(order(gateway, -6.9)).rejects.toThrow("NotSupported");
    charger.when("SetChargingProfile", (_payload, id) => JSON.stringify([4, id, "InternalError", "relay stuck", {}]));
    const fault = await order(gateway, -6.9).catch((error: unknown) => error);
    expect(fault).toMatchObject({ fault: "refused", era: "charger-1" });
    expect(String(fault)).toContain("relay stuck");
  });
});

describe("a fallback", () => {
  const withLevel = (value: string) => ({
    ...WILLING,
    GetConfiguration: () => ({ configurationKey: [{ key: "ChargeProfileMaxStackLevel", readonly: true, value }] }),
  });

  test("is installed for good under the targets, and a release leaves it there", async () => {
    await using gateway = await openGateway({ devices: [{ fallbackKW: -4.14 }] });
    await using charger = await dialIn(gateway.url, { answers: withLevel("3") });
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    await waitFor("the fallback", () => sent(charger).length === 1);
    const fallback = sent(charger)[0]?.csChargingProfiles;
    expect(fallback).toMatchObject({
      chargingProfileId: 7013,
      stackLevel: 0,
      chargingProfilePurpose: "TxDefaultProfile",
    });
    expect(fallback).not.toHaveProperty("validTo");
    expect(fallback?.chargingSchedule).not.toHaveProperty("duration");
    await order(gateway, -6.9);
    expect(sent(charger)[1]?.csChargingProfiles).toMatchObject({ chargingProfileId: 7011, stackLevel: 3 });
  });

  test("follows the target in one profile where the charger has only one level", async () => {
    await using gateway = await openGateway({ devices: [{ fallbackKW: -4.14 }] });
    await using charger = await dialIn(gateway.url, { answers: withLevel("0") });
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    await waitFor("the fallback", () => sent(charger).length === 1);
    await order(gateway, -6.9);
    const profile = sent(charger)[1]?.csChargingProfiles;
    expect(profile).toMatchObject({ chargingProfileId: 7013, stackLevel: 0 });
    expect(profile).not.toHaveProperty("validTo");
    const periods = profile?.chargingSchedule.chargingSchedulePeriod ?? [];
    expect(periods.map((period) => period.limit)).toEqual([10, 6]);
    const endMs = Date.parse(profile?.chargingSchedule.startSchedule ?? "") + (periods[1]?.startPeriod ?? 0) * 1000;
    expect(Math.abs(endMs - UNTIL_MS)).toBeLessThanOrEqual(1000);
  });

  test("shares its profile with the target in a charger that has room for only one", async () => {
    await using gateway = await openGateway({ devices: [{ fallbackKW: -4.14 }] });
    await using charger = await dialIn(gateway.url, {
      answers: {
        ...WILLING,
        GetConfiguration: () => ({
          configurationKey: [
            { key: "MaxChargingProfilesInstalled", readonly: true, value: "1" },
            { key: "ChargeProfileMaxStackLevel", readonly: true, value: "8" },
          ],
        }),
      },
    });
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    await charger.call("StartTransaction", START);
    await order(gateway, -6.9);
    const ids = new Set(sent(charger).map((one) => one.csChargingProfiles.chargingProfileId));
    expect(ids).toEqual(new Set([7013]));
    expect(sent(charger).at(-1)?.csChargingProfiles.chargingSchedule.chargingSchedulePeriod).toHaveLength(2);
  });

  test("that the charger refuses in every way is told to a technician, and holds up no target", async () => {
    await using gateway = await openGateway({ devices: [{ fallbackKW: -4.14 }] });
    await using charger = await dialIn(gateway.url, {
      answers: {
        ...withLevel("3"),
        SetChargingProfile: (payload) => {
          const { stackLevel } = (payload as unknown as Sent).csChargingProfiles;
          return { status: stackLevel === 0 ? "Rejected" : "Accepted" };
        },
      },
    });
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    const notices = () => gateway.reports.flatMap((one) => (one.kind === "notices" ? one.notices : []));
    await waitFor("the notice", () => notices().some((text) => text.includes("falls back to its own default")));
    expect((await order(gateway, -6.9)).appliedKW).toBeCloseTo(-6.9, 6);
  });
});
