import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DerPushReceiver } from "../../simulators/der/push-receiver.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { waitFor } from "../support/wait-for.ts";

interface Pushed {
  readonly mRID?: string;
  readonly fixedW?: number;
  readonly status?: number;
  readonly startInS?: number;
  readonly durationS?: number;
  readonly createdAgoS?: number;
}

describe("a device that is told by PUT", () => {
  let receiver: DerPushReceiver;
  let url: string;
  const bornS = Math.floor(Date.now() / 1000);

  beforeEach(async () => {
    const battery = { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5, deadMs: 10, tauMs: 20 };
    const source = new Battery(systemClock, battery);
    receiver = new DerPushReceiver({ source, ratingKW: 5, clock: systemClock, log: silentLog });
    url = (await receiver.listen()).url;
  });

  afterEach(async () => {
    await receiver[Symbol.asyncDispose]();
  });

  function xml({
    mRID = "0101",
    fixedW = 7000,
    status = 1,
    startInS = 0,
    durationS = 60,
    createdAgoS = 5,
  }: Pushed = {}) {
    return (
      `<DERControl xmlns="urn:ieee:std:2030.5:ns"><mRID>${mRID}</mRID><creationTime>${bornS - createdAgoS}</creationTime>` +
      `<EventStatus><currentStatus>${status}</currentStatus><dateTime>${bornS}</dateTime>` +
      "<potentiallySuperseded>false</potentiallySuperseded></EventStatus>" +
      `<interval><duration>${durationS}</duration><start>${bornS + startInS}</start></interval>` +
      `<DERControlBase><opModFixedW>${fixedW}</opModFixedW></DERControlBase></DERControl>`
    );
  }

  const put = async (body: string, path = "/edev/100200300/der/dc", type = "application/sep+xml") => {
    const response = await fetch(url + path, {
      method: "PUT",
      body,
      headers: { "content-type": type },
      signal: AbortSignal.timeout(2000),
    });
    await response.text();
    return response.status;
  };
  const holds = (powerKW: number) => waitFor(`${powerKW} kW`, () => Math.abs(receiver.powerKW() - powerKW) < 0.02);

  test("it follows, shows it on its meter, and goes back when the control is cancelled", async () => {
    expect(await put(xml())).toBe(204);
    await holds(3.5);
    expect(receiver.underControl()).toBe(true);
    expect(await put(xml())).toBe(204);
    const read = async () => await (await fetch(`${url}/meter`)).text();
    await waitFor("the meter", async () => (await read()).includes("<value>-3500</value>"));
    const meter = await read();
    expect(meter).toContain("<flowDirection>1</flowDirection>");
    expect(await (await fetch(`${url}/edev/100200300/der/dc`)).text()).toBe(xml());
    expect(await put(xml({ status: 2 }))).toBe(204);
    await holds(0);
    expect(receiver.underControl()).toBe(false);
  });

  test("it ends a control by itself, and takes a newer one at once", async () => {
    const durationS = Math.ceil(Date.now() / 1000 - bornS) + 1;
    expect(await put(xml({ mRID: "0101", durationS, createdAgoS: 9 }))).toBe(204);
    expect(await put(xml({ mRID: "0102", durationS, createdAgoS: 8, fixedW: -2000 }))).toBe(204);
    await holds(-1);
    await waitFor("the end", () => !receiver.underControl());
    await holds(0);
  });

  test("a control that is deleted is given up", async () => {
    await put(xml(), "/a");
    await holds(3.5);
    expect((await fetch(`${url}/a`, { method: "DELETE" })).status).toBe(204);
    expect(receiver.underControl()).toBe(false);
    expect((await fetch(`${url}/a`, { method: "DELETE" })).status).toBe(404);
  });

  test("what is wrong is refused, and what contradicts is a conflict", async () => {
    expect(await put(xml({ fixedW: 12_000 }))).toBe(400);
    expect(await put("<DERControl/>")).toBe(400);
    expect(await put("{}")).toBe(400);
    expect(await put(xml({ status: 0, startInS: -30 }))).toBe(400);
    expect(await put(xml({ mRID: "0103", startInS: -300 }))).toBe(400);
    expect(await put(xml(), "/x", "application/json")).toBe(415);
    expect(await put(`${xml()}${" ".repeat(70_000)}`)).toBe(413);
    expect(receiver.underControl()).toBe(false);

    expect(await put(xml({ mRID: "0104" }))).toBe(204);
    expect(await put(xml({ mRID: "0104", fixedW: 100 }))).toBe(409);
    expect(await put(xml({ mRID: "0105", fixedW: 100 }))).toBe(409);
    expect(await put(xml({ mRID: "0104", status: 2 }))).toBe(204);
    expect(await put(xml({ mRID: "0104" }))).toBe(409);
    expect((await fetch(`${url}/x`, { method: "POST", body: xml() })).status).toBe(405);
    expect((await fetch(`${url}/meter`, { method: "DELETE" })).status).toBe(405);
  });

  test("the ways to misbehave can be switched on while it runs", async () => {
    receiver.behaviour.rejectsControls = true;
    expect(await put(xml({ mRID: "01" }))).toBe(400);
    receiver.behaviour.rejectsControls = false;

    receiver.behaviour.ignoresControls = true;
    expect(await put(xml({ mRID: "02" }))).toBe(204);
    await systemClock.sleep(150);
    expect(receiver.powerKW()).toBe(0);
    expect(receiver.underControl()).toBe(false);
    receiver.behaviour.ignoresControls = false;
    await holds(3.5);

    receiver.behaviour.talksNonsense = true;
    await expect(put(xml({ mRID: "03" }))).rejects.toThrow();
    receiver.behaviour.talksNonsense = false;

    receiver.behaviour.silent = true;
    await expect(fetch(`${url}/meter`, { signal: AbortSignal.timeout(150) })).rejects.toThrow();
    receiver.behaviour.silent = false;
    expect((await fetch(`${url}/meter`)).status).toBe(200);
  });
});
