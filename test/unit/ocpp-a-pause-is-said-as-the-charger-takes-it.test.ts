import { describe, expect, test } from "vitest";
import type { OcppDevice } from "../../adapters/ocpp/index.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { BOOT_16, dialIn, type Gateway, openGateway, type RawCharger, WILLING } from "./ocpp-raw-charger.ts";

const limits = (charger: RawCharger) =>
  charger.of("SetChargingProfile").map((payload) => {
    const { csChargingProfiles } = payload as {
      csChargingProfiles: { chargingSchedule: { chargingSchedulePeriod: { limit: number }[] } };
    };
    return csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0]?.limit;
  });

const START = { connectorId: 1, idTag: "TAG", meterStart: 0, timestamp: new Date().toISOString() };

/** A charger that takes a limit only where `takes` says so, with a car that charges. */
async function open(device: Partial<OcppDevice>, takes: (limit: number) => boolean, memory = volatileMemory()) {
  const gateway = await openGateway({ devices: [{ stackLevel: 0, unit: "A", ...device }], memory });
  const charger = await dialIn(gateway.url, {
    answers: {
      ...WILLING,
      SetChargingProfile: () => ({ status: takes(limits(charger).at(-1) ?? Number.NaN) ? "Accepted" : "Rejected" }),
      RemoteStopTransaction: () => ({ status: "Accepted" }),
    },
  });
  await charger.call("BootNotification", BOOT_16);
  await gateway.adapter.start(gateway.signal);
  const [, , started] = await charger.call("StartTransaction", START);
  return {
    gateway,
    charger,
    transactionId: (started as { transactionId: number }).transactionId,
    async [Symbol.asyncDispose]() {
      await charger[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

const order = (gateway: Gateway, powerKW: number) =>
  gateway.adapter.apply({ setpointId: "s", powerKW, untilMs: Date.now() + 600_000 }, gateway.signal);

describe("no power", () => {
  test("is a limit of 0", async () => {
    await using story = await open({}, () => true);
    expect((await order(story.gateway, 0)).appliedKW).toBe(0);
    expect(limits(story.charger)).toEqual([0]);
  });

  test("is a limit under the least current for a charger that refuses 0, and that is remembered", async () => {
    const memory = volatileMemory();
    {
      await using story = await open({}, (limit) => limit > 0, memory);
      const acceptance = await order(story.gateway, -2);
      expect(acceptance.appliedKW).toBe(0);
      expect(acceptance.command).toContain("1.0 A x 3");
      expect(limits(story.charger)).toEqual([0, 1]);
      await order(story.gateway, -6.9);
      await order(story.gateway, 0);
      expect(limits(story.charger).slice(2)).toEqual([10, 1]);
    }
    await using other = await open({}, (limit) => limit > 0, memory);
    await order(other.gateway, 0);
    expect(limits(other.charger)).toEqual([1]);
  });

  test("is in watts what it is in amps", async () => {
    await using story = await open({ unit: "W" }, (limit) => limit > 0);
    await order(story.gateway, 0);
    expect(limits(story.charger)).toEqual([0, 690]);
  });

  test("ends no transaction where the config does not say so", async () => {
    await using story = await open({}, () => false);
    await expect(order(story.gateway, 0)).rejects.toMatchObject({ fault: "refused" });
    expect(story.charger.of("RemoteStopTransaction")).toEqual([]);
  });

  test("ends the transaction as the last way where the config says so, and never for less than no power", async () => {
    await using story = await open({ pause: "stop" }, () => false);
    await expect(order(story.gateway, -6.9)).rejects.toMatchObject({ fault: "refused" });
    expect(story.charger.of("RemoteStopTransaction")).toEqual([]);
    const acceptance = await order(story.gateway, 0);
    expect(acceptance).toMatchObject({ appliedKW: 0, endsByItself: true });
    expect(story.charger.of("RemoteStopTransaction")).toEqual([{ transactionId: story.transactionId }]);
  });

  test("is said in one way only where the config says which", async () => {
    await using zero = await open({ pause: "zero" }, (limit) => limit > 0);
    await expect(order(zero.gateway, 0)).rejects.toMatchObject({ fault: "refused" });
    await using below = await open({ pause: "below-min" }, () => true);
    await order(below.gateway, 0);
    expect(limits(below.charger)).toEqual([1]);
  });
});
