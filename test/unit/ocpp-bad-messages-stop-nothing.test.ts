import { describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn, openGateway, WILLING } from "./ocpp-raw-charger.ts";

const SOON = () => Date.now() + 60_000;

describe.each(["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] as const)("bad frames over %s", (version) => {
  test("each gets the answer that the standard has for it, and the next good one is served", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    const frameCode = version === "ocpp1.6" ? "GenericError" : "RpcFrameworkError";
    const payloadCode = version === "ocpp1.6" ? "FormationViolation" : "FormatViolation";

    charger.send("this is no JSON");
    expect((await charger.answerTo("-1"))[2]).toBe(frameCode);
    charger.send([2, "b1", 17, {}]);
    expect((await charger.answerTo("b1"))[2]).toBe(frameCode);
    charger.send([2, "b2", "Heartbeat", "text"]);
    expect((await charger.answerTo("b2"))[2]).toBe(payloadCode);
    expect((await charger.call("MakeCoffee", {}))[2]).toBe("NotImplemented");
    expect((await charger.call("__proto__", {}))[2]).toBe("NotImplemented");

    const answers = () => charger.frames.filter((frame) => frame[0] !== 2).length;
    const before = answers();
    charger.send("");
    charger.send([3, "nobody-asked", {}]);
    charger.send([4, "nobody-asked"]);
    charger.send([6, "x", "NotifyPeriodicEventStream", {}]);
    expect((await charger.call("Heartbeat", {}))[0]).toBe(3);
    expect(answers()).toBe(before + 1);
  });

  test("an oversized frame ends the connection and nothing else", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    charger.send(`[2,"1","Heartbeat",{"x":"${"y".repeat(1_100_000)}"}]`);
    await waitFor("the link to close", () => charger.socket.readyState === charger.socket.CLOSED);
    await using again = await dialIn(gateway.url, { version });
    expect((await again.call("Heartbeat", {}))[0]).toBe(3);
  });

  test("a hundred bad frames in a row end the connection", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url, { version });
    for (let n = 0; n < 100; n++) charger.send("{");
    await waitFor("the link to close", () => charger.socket.readyState === charger.socket.CLOSED);
  });
});

describe("calls to a charger", () => {
  test("are one at a time, and a late answer is not taken for another's", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url);
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    await waitFor("the set-up to end", () => charger.of("TriggerMessage").length === 2);

    const ids: string[] = [];
    charger.when("SetChargingProfile", (_payload, id) => {
      ids.push(id);
      return undefined;
    });
    const first = gateway.adapter.apply({ setpointId: "1", powerKW: -5, untilMs: SOON() }, gateway.signal);
    await expect(first).rejects.toMatchObject({ fault: "timeout" });
    const second = gateway.adapter.apply({ setpointId: "2", powerKW: -6, untilMs: SOON() }, gateway.signal);
    const caught = second.catch((error: unknown) => error);
    await waitFor("the second call", () => ids.length === 2);
    charger.when("SetChargingProfile", () => ({ status: "Rejected" }));
    charger.send([3, ids[0], { status: "Accepted" }]);
    charger.send([3, ids[1], { status: "Rejected" }]);
    expect(await caught).toMatchObject({ fault: "refused" });
  });

  test("a garbled answer is a protocol fault", async () => {
    await using gateway = await openGateway();
    await using charger = await dialIn(gateway.url);
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    const target = { setpointId: "1", powerKW: -5, untilMs: SOON() };
    for (const answer of ["]garbage[", { status: 42 }, {}] as const) {
      charger.when("SetChargingProfile", () => answer);
      await expect(gateway.adapter.apply(target, gateway.signal)).rejects.toMatchObject({ fault: "protocol" });
    }
    charger.when("SetChargingProfile", (_payload, id) => `[3,${JSON.stringify(id)},[1]]`);
    await expect(gateway.adapter.apply(target, gateway.signal)).rejects.toMatchObject({ fault: "protocol" });
  });

  test("a charger that never answers set-up questions still gets its command", async () => {
    await using gateway = await openGateway({ shared: { callTimeoutMs: 300 } });
    await using charger = await dialIn(gateway.url, {
      answers: { SetChargingProfile: WILLING["SetChargingProfile"] ?? (() => ({})) },
    });
    await gateway.adapter.start(gateway.signal);
    const acceptance = await gateway.adapter.apply({ setpointId: "1", powerKW: -6.9, untilMs: SOON() }, gateway.signal);
    expect(acceptance.appliedKW).toBeCloseTo(-6.9, 9);
    expect(charger.of("SetChargingProfile")).toHaveLength(1);
  });

  test("without a connection a command is unreachable, and a connection that breaks fails the call", async () => {
    await using gateway = await openGateway();
    const target = { setpointId: "1", powerKW: -5, untilMs: SOON() };
    await expect(gateway.adapter.apply(target, gateway.signal)).rejects.toMatchObject({ fault: "unreachable" });
    const charger = await dialIn(gateway.url);
    await charger.call("BootNotification", BOOT_16);
    await gateway.adapter.start(gateway.signal);
    charger.when("SetChargingProfile", () => {
      charger.socket.terminate();
      return undefined;
    });
    await expect(gateway.adapter.apply(target, gateway.signal)).rejects.toMatchObject({ fault: "unreachable" });
    await waitFor("the link to be reported down", () =>
      gateway.reports.some((report) => report.kind === "link" && !report.up),
    );
  });

  test("a charger that answers no ping is dropped", async () => {
    await using gateway = await openGateway({ shared: { pingIntervalS: 1 } });
    await using charger = await dialIn(gateway.url);
    charger.socket.pause();
    await waitFor("the link to be reported down", () =>
      gateway.reports.some((report) => report.kind === "link" && !report.up && report.detail.includes("ping")),
    );
  });
});
