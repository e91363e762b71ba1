import { describe, expect, test } from "vitest";
import { ControlDesk } from "../../adapters/ieee2030-5/controls/control-desk.ts";
import { ControlLedger } from "../../adapters/ieee2030-5/controls/control-ledger.ts";
import { limitOfOrder } from "../../adapters/ieee2030-5/controls/operator-order.ts";
import { newMRID } from "../../adapters/ieee2030-5/identity.ts";
import { ieee2030_5 } from "../../adapters/ieee2030-5/index.ts";
import { OperatorOrders } from "../../adapters/ieee2030-5/operator-orders.ts";
import { DerSimulator } from "../../simulators/der/der-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock } from "../../src/clock.ts";
import { DeviceLane } from "../../src/dispatch/device-lane.ts";
import { silentLog } from "../../src/log.ts";
import type { Setpoint } from "../../src/model/setpoint.ts";
import { HandClock } from "../support/hand-clock.ts";
import { PolledSite } from "../support/polled-site.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

interface Order {
  readonly mRID: string;
  readonly status: string;
  readonly by: string;
  readonly order: string;
}

async function order(site: PolledSite, input: object): Promise<readonly Order[]> {
  const answer = await site.host.operations?.["order"]?.({ era: "der.1", ...input }, site.signal);
  return (answer as { orders: readonly Order[] }).orders;
}

/** Controls as the device reads them: whose, status and start, and what they order. */
async function listed(site: PolledSite) {
  const { DERControlList: list } = await site.read("/edev/1/derp/1/derc?l=50");
  const events = list?.["DERControl"] ?? [];
  // biome-ignore lint/suspicious/noExplicitAny: a document as xml2js reads it
  return events.map(({ description, EventStatus, DERControlBase, interval }: any) => ({
    whose: description[0],
    status: Number(EventStatus[0].currentStatus[0]),
    endS: Number(interval[0].start[0]) + Number(interval[0].duration[0]),
    names: Object.keys(DERControlBase[0])
      .filter((name) => name !== "$")
      .map((name) => name.replace("csipaus:", "")),
  }));
}

describe("an operator's order", () => {
  test("lists several kinds of control at a time; a later one supersedes it, and it can be taken back", async () => {
    await using site = await PolledSite.open([{ kind: "battery", config: { ratingKW: 5 } }]);
    const connected = await order(site, { order: { connect: true }, durationS: 60 });
    expect(connected).toMatchObject([{ by: "operator", status: "active", order: "opModConnect true" }]);
    const all = { exportKW: 2.5, generationKW: 0, importKW: 2.5, loadKW: 0, energize: false, connect: false };
    await order(site, { order: all, durationS: 90 });
    // What a later one does not name stays as the other has it.
    const later = { maxPercent: 50 };
    const start = new Date(Date.now() + 30_000).toISOString();
    const orders = await order(site, { order: later, start, durationS: 60 });
    const names = ["opModConnect", "opModEnergize", "opModImpLimW", "opModExpLimW", "opModGenLimW", "opModLoadLimW"];
    expect(await listed(site)).toMatchObject([
      { status: 1, names },
      { status: 4, names: ["opModConnect"] },
      { status: 0, names: ["opModMaxLimW"] },
    ]);
    expect((await site.read("/edev/1/derp/1"))["DERProgram"]?.["ActiveDERControlListLink"][0].$.all).toBe("1");
    await order(site, { cancel: orders[0]?.mRID });
    expect((await listed(site)).map(({ status }: { status: number }) => status)).toEqual([2, 4, 0]);
    await order(site, { cancel: "all" });
    expect((await listed(site)).map(({ status }: { status: number }) => status)).toEqual([2, 4, 2]);
    await expect(order(site, { cancel: orders[0]?.mRID })).rejects.toThrow(/no open order/);
  });

  test("that is none is refused with the fault", async () => {
    await using site = await PolledSite.open([{ kind: "solar", config: { csipaus: "none" } }]);
    const cases: [object, RegExp][] = [
      [{ era: "der.9", order: { connect: true }, durationS: 5 }, /no device "der.9"/],
      [{ order: {}, durationS: 5 }, /orders nothing/],
      [{ order: { connect: true } }, /needs an end/],
      [{ order: { maxPercent: 101 }, durationS: 5 }, /maxPercent/],
      [{ order: { targetKW: 1, fixedPercent: 5 }, durationS: 5 }, /more than one power/],
      [{ order: { exportKW: 1 }, durationS: 5 }, /opModExpLimW is of CSIP-AUS, and der.1 has csipaus: none/],
      [{ order: { connect: true }, durationS: 700_000 }, /durationS/],
      [{ order: { connect: true }, durationS: 5, start: "2020-01-01T00:00:00Z" }, /would have ended/],
      [{ order: { connect: true }, durationS: 5, start: "2999-01-01T00:00:00Z" }, /no more than a week/],
      [{ order: { connect: true }, durationS: 5, cancel: "all" }, /either/],
    ];
    for (const [input, reason] of cases) await expect(order(site, input)).rejects.toThrow(reason);
    for (let count = 0; count < 16; count++) await order(site, { order: { connect: true }, durationS: 60 });
    await expect(order(site, { order: { connect: true }, durationS: 60 })).rejects.toThrow(/16 orders are listed/);
    expect(await listed(site)).toHaveLength(16);
  });

  test("stands in place of the market's where both are about the same, and beside it where they are not", async () => {
    const config = { ratingKW: 5, maxChargeKW: 5, control: "opModTargetW" };
    await using site = await PolledSite.open([{ kind: "battery", config }]);
    const [adapter] = site.adapters;
    const untilMs = Date.now() + 60_000;
    const market = (setpointId: string, powerKW: number) =>
      adapter?.apply({ setpointId, powerKW, untilMs }, site.signal);
    market("s1", -3)?.catch(() => {});
    await order(site, { order: { importKW: 1 }, durationS: 40 });
    expect(await listed(site)).toMatchObject([
      { whose: "operator", status: 1 },
      { whose: "s1", status: 1 },
    ]);
    // A power against a power: even a share against watts.
    const orders = await order(site, { order: { fixedPercent: 40 }, durationS: 30 });
    const power = orders.find((one) => one.order.startsWith("opModFixedW"));
    expect((await listed(site)).map(({ whose, status }: Order & { whose: string }) => `${whose} ${status}`)).toEqual([
      "operator 1",
      "operator 1",
      "s1 2",
    ]);
    await expect(market("s2", -1)).rejects.toThrow(/the operator's DERControl .* opModFixedW 4000 .* goes before it/);
    // What it leaves is what it has ordered, and that the device has already.
    expect((await market("s3", 2))?.command).toContain(`the operator's DERControl ${power?.mRID ?? "?"}`);
    expect((await listed(site)).filter(({ status }: { status: unknown }) => status === 1)).toHaveLength(2);
    await order(site, { cancel: power?.mRID });
    // The device gets back what the market ordered last.
    expect(await listed(site)).toContainEqual(expect.objectContaining({ whose: "s3", status: 1 }));
  });

  test("that begins later ends the market's there, also what is planned", async () => {
    const config = { ratingKW: 5, maxChargeKW: 5, control: "opModTargetW" };
    await using site = await PolledSite.open([{ kind: "battery", config }]);
    const nowS = Math.floor(Date.now() / 1000);
    const at = (s: number) => (nowS + s) * 1000;
    site.adapters[0]?.plan?.([
      { setpointId: "s1", powerKW: 1, fromMs: at(60), untilMs: at(120) },
      { setpointId: "s2", powerKW: 2, fromMs: at(120), untilMs: at(180) },
      { setpointId: "s3", powerKW: 3, fromMs: at(180), untilMs: at(240) },
    ]);
    await order(site, { order: { targetKW: -1 }, start: new Date(at(90)).toISOString(), durationS: 90 });
    const open = (await listed(site)).filter(({ status }: { status: number }) => status < 2);
    expect(open.map(({ whose, endS }: { whose: string; endS: number }) => [whose, endS - nowS])).toEqual([
      ["s1", 90],
      ["operator", 180],
      ["s3", 240],
    ]);
    site.adapters[0]?.apply({ setpointId: "s0", powerKW: 4, untilMs: at(120) }, site.signal).catch(() => {});
    expect(await listed(site)).toContainEqual(expect.objectContaining({ whose: "s0", status: 1, endS: nowS + 90 }));
  });

  test("outlives a restart under its mRID, as does its cancellation, until its end", async () => {
    const clock = new HandClock();
    const memory = volatileMemory();
    const opened = () => {
      const desk = new ControlDesk({ era: "der.1", clock, pollRateS: () => 1 });
      return { desk, orders: new OperatorOrders(desk, memory, "AB", clock.now()) };
    };
    const before = opened();
    const endS = (s: number) => Math.floor(clock.now() / 1000) + s;
    const kept = await before.orders.add({ exportKW: 1.5, connect: true }, undefined, endS(60));
    const cancelled = await before.orders.add({ loadKW: 0 }, endS(10), endS(30));
    await before.orders.cancel(cancelled?.mRID ?? "");
    const after = opened();
    expect(after.desk.controls()).toEqual(before.desk.controls());
    expect(after.desk.controls().map(({ mRID, status }) => [mRID, status])).toEqual([
      [kept?.mRID, 1],
      [cancelled?.mRID, 2],
    ]);
    expect(after.desk.responded(kept?.mRID ?? "", 2)).toBe(true);
    // A new one is a new one, and made later.
    const next = await after.orders.add({ exportKW: 1, connect: true }, undefined, endS(60));
    expect(next?.creationTimeS).toBeGreaterThan(kept?.creationTimeS ?? 0);
    expect(after.desk.controls().map(({ status }) => status)).toEqual([1, 4, 2]);
    await clock.advance(61_000);
    expect(opened().desk.controls()).toEqual([]);
  });
});

test("an operator may have a program of its own, stronger than the market's, with its own default and controls", async () => {
  const config = { ratingKW: 5, control: "opModMaxLimW", defaultControl: { exportKW: 4 } };
  const devices = [{ kind: "solar" as const, config }];
  await using site = await PolledSite.open(devices, { primacy: 3, operatorPrimacy: 1 });
  await site.host.operations?.["default"]?.({ era: "der.1", changes: { loadKW: 2, exportKW: null } }, site.signal);
  await order(site, { order: { connect: true }, durationS: 60 });
  site.adapters[0]?.apply({ setpointId: "s1", powerKW: 2, untilMs: Date.now() + 60_000 }, site.signal).catch(() => {});
  const { FunctionSetAssignmentsList: assignments } = await site.read("/edev/1/fsa?l=9");
  expect((await site.read("/edev/1"))["EndDevice"]?.["FunctionSetAssignmentsListLink"][0].$.all).toBe("2");
  const seen = [];
  const mRIDs = new Set<string>();
  for (const assignment of assignments?.["FunctionSetAssignments"] ?? []) {
    const { DERProgramList: list } = await site.read(assignment.DERProgramListLink[0].$.href);
    const [program] = list?.["DERProgram"] ?? [];
    const { DefaultDERControl: fallback } = await site.read(program.DefaultDERControlLink[0].$.href);
    const { DERControlList: controls } = await site.read(`${program.DERControlListLink[0].$.href}?l=9`);
    const active = await site.read(`${program.ActiveDERControlListLink[0].$.href}?l=9`);
    const [control] = controls?.["DERControl"] ?? [];
    expect((await site.read(control.$.href))["DERControl"]?.["mRID"]).toEqual(control.mRID);
    const what = [program.primacy[0], control.description[0], active["DERControlList"]?.$["all"]];
    seen.push([...what, Object.keys(fallback?.["DERControlBase"][0]).slice(1)]);
    for (const { mRID } of [assignment, program, fallback, control]) mRIDs.add(mRID[0]);
  }
  expect(seen).toEqual([
    ["1", "operator", "1", ["csipaus:opModLoadLimW"]],
    ["3", "s1", "1", ["csipaus:opModLoadLimW"]],
  ]);
  expect(mRIDs.size).toBe(8);
  expect(ieee2030_5.sharedSchema.safeParse({ primacy: 1, operatorPrimacy: 1 }).error?.issues[0]?.message).toContain(
    "less than primacy",
  );
});

test("a market's setpoint is cut by an operator's order, judged by what is left, and comes back when the order ends", async () => {
  const config = { control: "opModTargetW", settleS: 1 };
  await using site = await PolledSite.open([{ kind: "battery", config }]);
  const [adapter] = site.adapters;
  const [identity] = site.credentials;
  if (adapter === undefined || identity === undefined) throw new Error("no device");
  const source = new Battery(systemClock, {
    capacityKWh: 10,
    socPercent: 60,
    maxChargeKW: 5,
    maxDischargeKW: 5,
    deadMs: 10,
    tauMs: 20,
  });
  const options = { ...identity, ca: site.ca, url: site.url, source, ratingKW: 5, clock: systemClock };
  await using device = new DerSimulator({ ...options, log: silentLog });
  await device.start();
  const lane = new DeviceLane({
    adapter,
    clock: systemClock,
    log: silentLog,
    random: () => 0.5,
    mayCommand: () => true,
    limits: () => [],
    onJudgement: () => {},
    onReport: () => {},
    onTarget: () => {},
  });
  const stop = new AbortController();
  const running = lane.run(stop.signal);
  const ticking = setInterval(() => lane.evaluate(), 100);
  try {
    const nowMs = Date.now();
    const setpoint: Setpoint = {
      id: "s1",
      era: "der.1",
      powerKW: -3,
      validFromMs: nowMs,
      validUntilMs: nowMs + 60_000,
      receivedAtMs: nowMs,
      source: { kind: "market", orderId: "o1" } as Setpoint["source"],
    };
    lane.submit([setpoint]);
    const judged = (verdict: string) => () => lane.snapshot().judgement?.verdict === verdict;
    await waitFor("effective", judged("effective"), 15_000);
    // A bound, beside the market's power; then a power, in its place.
    for (const [ordered, leftKW] of [
      [{ importKW: 1 }, -1],
      [{ fixedPercent: 40 }, 2],
    ] as const) {
      const given = await order(site, { order: ordered, durationS: 40 });
      const mRID = given.find(({ status }) => status === "active")?.mRID;
      await waitFor("partial", judged("partial"), 15_000);
      expect(lane.snapshot()).toMatchObject({ targetKW: leftKW, boundBy: { source: "operator" } });
      expect(lane.snapshot().judgement?.reason).toContain(`the operator limit allows ${leftKW.toFixed(2)} kW`);
      expect(device.powerKW()).toBeCloseTo(leftKW, 1);
      await order(site, { cancel: mRID });
      await waitFor("the market's again", judged("effective"), 15_000);
      expect(device.powerKW()).toBeCloseTo(-3, 1);
    }
  } finally {
    clearInterval(ticking);
    stop.abort(new Error("test over"));
    await running;
  }
}, 90_000);

test("nothing that a market orders later supersedes an operator's order", () => {
  const ledger = new ControlLedger(newMRID);
  ledger.order({ exportKW: 1, importKW: 1 }, undefined, 60, 0);
  const limits = (["opModExpLimW", "opModImpLimW"] as const).map((name) => {
    return { name, watts: { value: 9, multiplier: 3 } };
  });
  ledger.publish("s1", { mode: "opModExpLimW+opModImpLimW", limits, appliedKW: 9 }, 60_000, 2000);
  expect(ledger.orders(3000).map(({ status }) => status)).toEqual([1]);
});

test("what an order leaves of a device's power is the tightest of what it says", () => {
  const bases = { generationKW: 5, chargeKW: 4, maxKW: 10 };
  const source = "operator";
  expect(limitOfOrder({ exportKW: 3, generationKW: 2, importKW: 1, loadKW: 0 }, bases)).toEqual({
    source,
    minPowerKW: 0,
    maxPowerKW: 2,
  });
  expect(limitOfOrder({ maxPercent: 20 }, bases)).toEqual({ source, maxPowerKW: 2 });
  expect(limitOfOrder({ fixedPercent: -50 }, bases)).toEqual({ source, minPowerKW: -2, maxPowerKW: -2 });
  expect(limitOfOrder({ targetKW: 3, exportKW: 1 }, bases)).toEqual({ source, minPowerKW: 3, maxPowerKW: 1 });
  expect(limitOfOrder({ connect: false, targetKW: 3 }, bases)).toEqual({ source, minPowerKW: 0, maxPowerKW: 0 });
  expect(limitOfOrder({ connect: true, energize: true }, bases)).toBeUndefined();
});
