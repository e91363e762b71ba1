import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { Backlog } from "../../adapters/ocpp/link/backlog.ts";
import { InboundPace } from "../../adapters/ocpp/link/inbound-pace.ts";
import { systemClock } from "../../src/clock.ts";
import { HandClock } from "../support/hand-clock.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, basic, dialIn, openGateway } from "./ocpp-raw-charger.ts";

const isClosed = (charger: { socket: { readyState: number; CLOSED: number } }) =>
  charger.socket.readyState === charger.socket.CLOSED;

describe("the rate of one charger", () => {
  test("may be ten times as high for a moment, and is what was set for long", () => {
    const pace = new InboundPace(20, 0);
    for (let n = 0; n < 200; n++) expect(pace.waitMs(100, 0)).toBe(0);
    expect(pace.waitMs(100, 0)).toBe(50);
    expect(pace.waitMs(100, 50)).toBe(0);
    let handled = 0;
    for (let nowMs = 60; nowMs <= 10_060; nowMs += 10) if (pace.waitMs(100, nowMs) === 0) handled += 1;
    expect(handled).toBe(200);
  });

  test("lets the whole burst through at once, however its times are rounded", () => {
    for (const perS of [3, 5, 7, 20, 99]) {
      const pace = new InboundPace(perS, 12_345.678);
      for (let n = 0; n < 10 * perS; n++) expect(pace.waitMs(100, 12_345.678)).toBe(0);
      expect(pace.waitMs(100, 12_345.678)).toBeGreaterThan(0);
    }
  });

  test("counts a long frame as many", () => {
    const pace = new InboundPace(20, 0);
    expect(pace.waitMs(1024 * 1024, 0)).toBe(0);
    expect(pace.waitMs(1024 * 1024, 0)).toBeGreaterThan(2000);
    expect(new InboundPace(1, 0).waitMs(1024 * 1024, 0)).toBe(0);
  });

  test("is kept by one that waits for each answer: it is held up, loses nothing, and stays connected", async () => {
    await using gateway = await openGateway({ shared: { maxMessagesPerS: 5 } });
    await using charger = await dialIn(gateway.url);
    for (let n = 0; n < 53; n++) expect((await charger.call("Heartbeat", { n }))[0]).toBe(3);
    expect(gateway.counted("misconduct_total", "rate-limited")).toBeGreaterThan(0);
    expect(gateway.counted("misconduct_total", "flood")).toBe(0);
    expect(charger.socket.readyState).toBe(charger.socket.OPEN);
  });

  test("that is exceeded without waiting for answers ends the link, and others are served", async () => {
    await using gateway = await openGateway({ shared: { maxMessagesPerS: 5 }, devices: [{}, { identity: "CP-2" }] });
    await using flood = await dialIn(gateway.url);
    await using other = await dialIn(gateway.url, { identity: "CP-2" });
    for (let n = 0; n < 500; n++) flood.send([2, `f${n}`, "Heartbeat", {}]);
    await waitFor("the link to end", () => isClosed(flood));
    expect(gateway.counted("misconduct_total", "flood")).toBe(1);
    expect((await other.call("Heartbeat", {}))[0]).toBe(3);
    expect(await gateway.ask("events")).toMatchObject({
      events: [{ identity: "CP-1", type: "HungUp", detail: "flood" }],
    });
  });

  test("that goes on for minutes without a pause ends the link", async () => {
    const clock = new HandClock();
    const pace = new InboundPace(1, 0);
    for (let n = 0; n < 10; n++) pace.waitMs(10, 0);
    const backlog = new Backlog(clock, pace);
    backlog.add("frame");
    expect(backlog.isFlood).toBe(false);
    clock.advance(301_000);
    expect(backlog.isFlood).toBe(true);
  });
});

test("whoever is hung up on again and again has to wait before it may come back", async () => {
  await using gateway = await openGateway({ shared: { maxMessagesPerS: 1000 } });
  for (let round = 0; round < 4; round++) {
    await using charger = await dialIn(gateway.url);
    for (let n = 0; n < 100; n++) charger.send("{");
    await waitFor("the link to end", () => isClosed(charger));
  }
  await expect(dialIn(gateway.url)).rejects.toThrow("429");
  expect(gateway.counted("refused_total", "misconduct")).toBe(1);
  expect(gateway.counted("misconduct_total", "bad-frame")).toBe(400);
});

describe("the same message again", () => {
  test("gets the same answer, and nothing happens twice", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url);
    await charger.call("BootNotification", BOOT_16);
    const sample = { value: "7360", measurand: "Power.Active.Import", unit: "W" };
    const meterValue = [{ timestamp: new Date().toISOString(), sampledValue: [sample] }];
    const frame = [2, "again", "MeterValues", { connectorId: 1, meterValue }];
    for (let n = 0; n < 3; n++) charger.send(frame);
    const answers = () => charger.frames.filter((one) => one[1] === "again");
    await waitFor("three answers", () => answers().length === 3);
    expect(new Set(answers().map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(gateway.reports.filter((report) => report.kind === "reading")).toHaveLength(1);
  });

  test("is another one when only its id is the same: some chargers never count", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url);
    for (const watts of ["7360", "7361"]) {
      const sample = { value: watts, measurand: "Power.Active.Import", unit: "W" };
      const meterValue = [{ timestamp: new Date().toISOString(), sampledValue: [sample] }];
      charger.send([2, "1", "MeterValues", { connectorId: 1, meterValue }]);
    }
    await waitFor("both", () => gateway.reports.filter((report) => report.kind === "reading").length === 2);
  });
});

describe("connections that come to nothing", () => {
  const portOf = (url: string) => Number(new URL(url).port);
  const ended = (socket: Socket) => waitFor("the socket to be closed", () => socket.closed);

  test("are closed in time, whether they say nothing, half a request or never end their headers", async () => {
    await using gateway = await openGateway({ shared: { handshakeTimeoutS: 1 } });
    const sockets = ["", "GET /ocpp/CP-1 HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1\r\n"].map((text) => {
      const socket = connect(portOf(gateway.url), "127.0.0.1", () => socket.write(text));
      socket.on("error", () => {});
      return socket;
    });
    await Promise.all(sockets.map(ended));
    expect(gateway.counted("refused_total", "timeout")).toBeGreaterThan(0);
    await using charger = await dialIn(gateway.url);
    expect((await charger.call("Heartbeat", {}))[0]).toBe(3);
  });

  test("are bounded for one address; when they are gone there is room again", async () => {
    await using gateway = await openGateway({ shared: { handshakeTimeoutS: 2 } });
    const sockets = Array.from({ length: 60 }, () => {
      const socket = connect(portOf(gateway.url), "127.0.0.1");
      socket.on("error", () => {});
      return socket;
    });
    await waitFor("the bound", () => gateway.counted("refused_total", "connections") === 60 - 33);
    await Promise.all(sockets.map(ended));
    await using charger = await dialIn(gateway.url);
    expect((await charger.call("Heartbeat", {}))[0]).toBe(3);
  });

  test("a link on which no OCPP ever comes is closed, though it answers each ping", async () => {
    await using gateway = await openGateway({ shared: { bootTimeoutS: 1, pingIntervalS: 1 } });
    await using charger = await dialIn(gateway.url, { answers: {} });
    await waitFor("the link to end", () => isClosed(charger));
    expect(gateway.counted("misconduct_total", "silent")).toBe(1);
  });

  test("and one on which it came once stays, though nothing more is said", async () => {
    await using gateway = await openGateway({ shared: { bootTimeoutS: 1, pingIntervalS: 0 } });
    await using charger = await dialIn(gateway.url, { answers: {} });
    await charger.call("Heartbeat", {});
    await systemClock.sleep(2500);
    expect(charger.socket.readyState).toBe(charger.socket.OPEN);
  });
});

test("per-message compression is not agreed to", async () => {
  await using gateway = await openGateway({ devices: [{ password: "very-secret" }] });
  await using charger = await dialIn(gateway.url, { headers: basic("CP-1", "very-secret") });
  expect(charger.socket.extensions).toBe("");
});
