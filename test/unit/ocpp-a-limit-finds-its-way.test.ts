import { describe, expect, test } from "vitest";
import type { AdapterMemory } from "../../adapters/kind.ts";
import type { OcppDevice } from "../../adapters/ocpp/index.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, type Gateway, openGateway, type RawCharger, WILLING } from "./ocpp-raw-charger.ts";

interface Profile {
  readonly connectorId: number;
  readonly csChargingProfiles: {
    readonly chargingProfileId: number;
    readonly stackLevel: number;
    readonly chargingProfilePurpose: string;
    readonly chargingProfileKind: string;
    readonly chargingSchedule: {
      readonly chargingRateUnit: string;
      readonly chargingSchedulePeriod: readonly { limit: number }[];
    };
  };
}

const sent = (charger: RawCharger) => charger.of("SetChargingProfile") as unknown as Profile[];
const way = ({ csChargingProfiles: profile }: Profile) =>
  [
    profile.chargingProfilePurpose,
    profile.chargingProfileKind,
    profile.chargingSchedule.chargingRateUnit,
    profile.stackLevel,
  ].join(" ");
const limit = (profile: Profile | undefined) =>
  profile?.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0]?.limit;

const UNTIL_MS = Date.now() + 600_000;
const order = (gateway: Gateway, powerKW: number, index = 0, correction = false) =>
  (gateway.adapters[index] ?? gateway.adapter).apply(
    { setpointId: "s", powerKW, untilMs: UNTIL_MS, ...(correction ? { correction: true } : {}) },
    gateway.signal,
  );

const keys = (values: Readonly<Record<string, string>>) => () => ({
  configurationKey: Object.entries(values).map(([key, value]) => ({ key, readonly: true, value })),
});

/** A charger that takes only what `takes` says. */
async function open(
  takes: (profile: Profile) => boolean,
  options: {
    devices?: readonly Partial<OcppDevice>[];
    memory?: AdapterMemory;
    says?: Readonly<Record<string, string>>;
    boot?: typeof BOOT_16;
  } = {},
) {
  const gateway = await openGateway({
    devices: options.devices ?? [{}],
    ...(options.memory === undefined ? {} : { memory: options.memory }),
  });
  const charger = await dialIn(gateway.url, {
    answers: {
      ...WILLING,
      GetConfiguration: keys(options.says ?? { ChargeProfileMaxStackLevel: "8", NumberOfConnectors: "1" }),
      SetChargingProfile: (payload) => ({
        status: takes(payload as unknown as Profile) ? "Accepted" : "Rejected",
      }),
    },
  });
  await charger.call("BootNotification", options.boot ?? BOOT_16);
  await gateway.adapter.start(gateway.signal);
  return {
    gateway,
    charger,
    async [Symbol.asyncDispose]() {
      await charger[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

const START = { connectorId: 1, idTag: "TAG", meterStart: 0, timestamp: new Date().toISOString() };

describe("a limit that is refused", () => {
  test("is tried at stack level 0, as the other kind, in the other unit, then as another purpose", async () => {
    await using story = await open(() => false);
    const refusal = await order(story.gateway, -6.9).catch((error: unknown) => String(error));
    expect(sent(story.charger).map(way)).toEqual([
      "TxDefaultProfile Absolute A 8",
      "TxDefaultProfile Absolute A 0",
      "TxDefaultProfile Relative A 8",
      "TxDefaultProfile Relative A 0",
      "TxDefaultProfile Absolute W 8",
      "TxDefaultProfile Absolute W 0",
      "TxDefaultProfile Relative W 8",
      "TxDefaultProfile Relative W 0",
      "ChargePointMaxProfile Absolute A 8",
      "ChargePointMaxProfile Absolute A 0",
      "ChargePointMaxProfile Absolute W 8",
      "ChargePointMaxProfile Absolute W 0",
    ]);
    expect(refusal).toContain("MaxProfile Absolute in W at stack level 0: Rejected");
  });

  test("begins with the transaction's own profile while one runs", async () => {
    await using story = await open(() => false, {
      devices: [{ unit: "A", profileKind: "Relative", stackLevel: 3 }],
    });
    await story.charger.call("StartTransaction", START);
    await order(story.gateway, -6.9).catch(() => {});
    expect(sent(story.charger).map(way).slice(0, 5)).toEqual([
      "TxProfile Relative A 3",
      "TxProfile Relative A 0",
      "TxProfile Absolute A 3",
      "TxProfile Absolute A 0",
      "TxDefaultProfile Relative A 3",
    ]);
  });

  test("is in the unit that the charger names, and only in that", async () => {
    await using story = await open(() => false, {
      says: { chargingscheduleallowedchargingrateunit: ' "Power" ', ChargeProfileMaxStackLevel: "0" },
    });
    await order(story.gateway, -6.9).catch(() => {});
    expect(new Set(sent(story.charger).map((one) => way(one).split(" ")[2]))).toEqual(new Set(["W"]));
    expect(limit(sent(story.charger)[0])).toBe(6900);
  });

  test("by a charger that does not know the call is not tried on and on", async () => {
    await using story = await open(() => true);
    story.charger.when("SetChargingProfile", (_payload, id) =>
      JSON.stringify([4, id, "NotImplemented", "no such thing", {}]),
    );
    await expect(order(story.gateway, -6.9)).rejects.toThrow("NotImplemented");
    expect(sent(story.charger)).toHaveLength(1);
  });

  test("because it came too soon is sent again in a while", async () => {
    await using gateway = await openGateway();
    let refusals = 0;
    await using charger = await dialIn(gateway.url, {
      version: "ocpp2.0.1",
      answers: {
        ...WILLING,
        SetChargingProfile: () =>
          refusals++ === 0
            ? { status: "Rejected", statusInfo: { reasonCode: "RateLimitExceeded" } }
            : { status: "Accepted" },
      },
    });
    await charger.call("BootNotification", {
      reason: "PowerUp",
      chargingStation: { vendorName: "V", model: "M" },
    });
    await gateway.adapter.start(gateway.signal);
    expect((await order(gateway, -6.9)).appliedKW).toBe(-6.9);
    const [first, second] = charger.of("SetChargingProfile");
    const levelOf = (one: unknown) => (one as { chargingProfile: { stackLevel: number } }).chargingProfile.stackLevel;
    expect(levelOf(second)).toBe(levelOf(first));
  });
});

describe("what worked", () => {
  const RELATIVE_AT_0 = (profile: Profile) =>
    profile.csChargingProfiles.chargingProfileKind === "Relative" && profile.csChargingProfiles.stackLevel === 0;

  test("is tried first after a restart, by every charger of that model, also for one that does not boot", async () => {
    const memory = volatileMemory();
    {
      await using first = await open(RELATIVE_AT_0, { memory });
      await order(first.gateway, -6.9);
      expect(sent(first.charger).length).toBeGreaterThan(1);
    }
    {
      await using other = await open(RELATIVE_AT_0, { memory, devices: [{ identity: "CP-1" }, { identity: "CP-2" }] });
      await using second = await dialIn(other.gateway.url, {
        identity: "CP-2",
        answers: { ...WILLING, GetConfiguration: keys({ ChargeProfileMaxStackLevel: "8" }) },
      });
      await second.call("BootNotification", BOOT_16);
      await other.gateway.adapters[1]?.start(other.gateway.signal);
      await order(other.gateway, -6.9, 1);
      expect(sent(second).map(way)).toEqual(["TxDefaultProfile Relative A 0"]);
    }
    // After our own restart a charger that only lost the line says nothing of itself.
    await using gateway = await openGateway({ memory });
    await using silent = await dialIn(gateway.url);
    await gateway.adapter.start(gateway.signal);
    await order(gateway, -6.9);
    expect(sent(silent).map(way)).toEqual(["TxDefaultProfile Relative A 0"]);
    expect((await gateway.adapter.start(gateway.signal)).identity).toMatchObject({ vendor: "Maker", model: "Box" });
  });

  test("with one firmware is not taken to work with the next", async () => {
    const memory = volatileMemory();
    {
      await using story = await open(RELATIVE_AT_0, { memory });
      await order(story.gateway, -6.9);
    }
    await using story = await open(() => true, { memory, boot: { ...BOOT_16, firmwareVersion: "2.0" } });
    await order(story.gateway, -6.9);
    expect(sent(story.charger).map(way)).toEqual(["TxDefaultProfile Absolute A 8"]);
  });

  test("is forgotten when it works no more", async () => {
    const memory = volatileMemory();
    {
      await using story = await open(RELATIVE_AT_0, { memory });
      await order(story.gateway, -6.9);
    }
    const absolute = ({ csChargingProfiles: profile }: Profile) => profile.chargingProfileKind === "Absolute";
    await using story = await open(absolute, { memory });
    await order(story.gateway, -6.9);
    await order(story.gateway, -5);
    expect(sent(story.charger).map(way)).toEqual([
      "TxDefaultProfile Relative A 0",
      "TxDefaultProfile Absolute A 8",
      "TxDefaultProfile Absolute A 8",
    ]);
  });

  test("and was accepted but not followed gives way to the next, and what comes after begins with that one", async () => {
    await using story = await open(() => true);
    await story.charger.call("StartTransaction", START);
    await order(story.gateway, -6.9);
    await order(story.gateway, -6.9, 0, true);
    await order(story.gateway, -5);
    expect(sent(story.charger).map(way)).toEqual([
      "TxProfile Absolute A 8",
      "TxDefaultProfile Absolute A 8",
      "TxDefaultProfile Absolute A 8",
    ]);
    // The profile that was not followed is out of the way.
    expect(story.charger.of("ClearChargingProfile")).toContainEqual({ id: 7012 });
  });
});

describe("the most of a whole station", () => {
  const ONLY_MAX = ({ csChargingProfiles: profile }: Profile) =>
    profile.chargingProfilePurpose === "ChargePointMaxProfile";

  test("is set on connector 0, absolute, where there is only one connector", async () => {
    await using story = await open(ONLY_MAX);
    const acceptance = await order(story.gateway, -6.9);
    expect(acceptance.command).toContain("MaxProfile 10.0 A x 3");
    expect(sent(story.charger).at(-1)).toMatchObject({
      connectorId: 0,
      csChargingProfiles: { chargingProfileId: 7001, chargingProfileKind: "Absolute" },
    });
    await story.gateway.adapter.release(story.gateway.signal);
    expect(story.charger.of("ClearChargingProfile")).toContainEqual({ id: 7001 });
  });

  test("is not used where a connector that we do not know would be bound by it", async () => {
    await using story = await open(ONLY_MAX, { says: { NumberOfConnectors: "2", ChargeProfileMaxStackLevel: "0" } });
    await expect(order(story.gateway, -6.9)).rejects.toMatchObject({ fault: "refused" });
  });

  test("is the sum of all where each connector has its target, and follows when a neighbour's changes", async () => {
    const devices = [
      { connector: 1, unit: "A" as const, stackLevel: 0 },
      { connector: 2, unit: "A" as const, stackLevel: 0 },
    ];
    const takes = (profile: Profile) => profile.connectorId === 2 || ONLY_MAX(profile);
    await using story = await open(takes, { devices, says: { NumberOfConnectors: "2" } });
    const { gateway, charger } = story;
    // The neighbour is free to take all it can, so a sum would not bind ours.
    await expect(order(gateway, -4.14)).rejects.toMatchObject({ fault: "refused" });
    await order(gateway, -6.9, 1);
    await order(gateway, -4.14);
    expect(sent(charger).at(-1)).toMatchObject({ connectorId: 0 });
    expect(limit(sent(charger).at(-1))).toBe(16);
    await order(gateway, -11.04, 1);
    const maxima = () => sent(charger).filter((one) => one.connectorId === 0);
    await waitFor("the sum to follow", () => limit(maxima().at(-1)) === 22);
    await gateway.adapters[0]?.release(gateway.signal);
    expect(charger.of("ClearChargingProfile")).toContainEqual({ id: 7001 });
  });

  test("leaves out a connector that is taken out of the site", async () => {
    const devices = [{ connector: 1 }, { connector: 2 }];
    await using story = await open((profile) => profile.connectorId === 2 || ONLY_MAX(profile), { devices });
    const { gateway, charger } = story;
    await order(gateway, -6.9, 1);
    await order(gateway, -4.14);
    expect(limit(sent(charger).at(-1))).toBe(16);
    await gateway.adapters[1]?.[Symbol.asyncDispose]();
    await order(gateway, -4.14);
    expect(limit(sent(charger).at(-1))).toBe(6);
  });
});

describe("a vendor's own way", () => {
  const KEY = { changeConfiguration: { key: "MaxAvailableCurrent", unit: "mA" as const }, when: "last" as const };

  test("is taken where no profile is, ends only with us, and says so", async () => {
    await using story = await open(() => false, { devices: [{ vendor: KEY, fallbackKW: -4.14 }] });
    const { gateway, charger } = story;
    const acceptance = await order(gateway, -7);
    expect(acceptance).toMatchObject({ command: "ChangeConfiguration MaxAvailableCurrent=10100", endsByItself: false });
    expect(acceptance.appliedKW).toBeCloseTo(-6.969, 6);
    const failsafes = () =>
      gateway.reports.flatMap((one) => (one.kind === "capability" ? one.capability.failsafe : []));
    await waitFor("the failsafe to be told", () => failsafes().at(-1) === "gateway-only");
    await gateway.adapter.release(gateway.signal).catch(() => {});
    expect(charger.of("ChangeConfiguration").at(-1)).toEqual({ key: "MaxAvailableCurrent", value: "6000" });
  });

  test("that needs a restart of the charger is no way", async () => {
    await using story = await open(() => false, { devices: [{ vendor: { ...KEY, when: "only" } }] });
    story.charger.when("ChangeConfiguration", () => ({ status: "RebootRequired" }));
    await expect(order(story.gateway, -7)).rejects.toThrow("RebootRequired");
    expect(sent(story.charger)).toHaveLength(0);
  });

  test("is a message with the power filled in, rounded down", async () => {
    const dataTransfer = { vendorId: "ABL", messageId: "SetLimit", data: "logicalid={connector};value={A}" };
    await using story = await open(() => true, { devices: [{ vendor: { dataTransfer, when: "first" } }] });
    story.charger.when("DataTransfer", () => ({ status: "Accepted" }));
    const acceptance = await order(story.gateway, -7.2);
    expect(story.charger.of("DataTransfer")).toEqual([
      { vendorId: "ABL", messageId: "SetLimit", data: "logicalid=1;value=10" },
    ]);
    expect(acceptance.appliedKW).toBe(-6.9);
    story.charger.when("DataTransfer", () => ({ status: "UnknownVendorId" }));
    expect((await order(story.gateway, -6)).command).toContain("TxDefaultProfile");
  });

  test("that would bind the neighbours is not used, unless it names the connector", async () => {
    const devices = [
      { connector: 1, vendor: { ...KEY, when: "only" as const } },
      {
        connector: 2,
        vendor: { changeConfiguration: { key: "Limit{connector}", unit: "W" as const }, when: "only" as const },
      },
    ];
    await using story = await open(() => true, { devices });
    await expect(order(story.gateway, -7)).rejects.toMatchObject({ fault: "refused" });
    expect((await order(story.gateway, -7, 1)).command).toBe("ChangeConfiguration Limit2=7000");
  });
});
