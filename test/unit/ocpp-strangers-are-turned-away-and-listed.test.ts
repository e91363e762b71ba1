import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, basic, dialIn, openGateway } from "./ocpp-raw-charger.ts";

/** What the gateway answers to an upgrade request with this path, as written. */
function rawUpgrade(url: string, path: string, headers: readonly string[] = []): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        [
          `GET ${path} HTTP/1.1`,
          "Host: x",
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
          "Sec-WebSocket-Protocol: ocpp1.6",
          ...headers,
          "",
          "",
        ].join("\r\n"),
      );
    });
    socket.on("data", (data) => {
      text += data.toString();
      if (text.includes("101 Switching")) socket.destroy();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

describe("the handshake", () => {
  test("bad percent encoding is refused, and the gateway lives", async () => {
    await using gateway = await openGateway();
    for (const path of ["/ocpp/%", "/ocpp/%E0%A4%A", "/%", "/ocpp/", "/", "/elsewhere/CP-1"]) {
      expect(await rawUpgrade(gateway.url, path)).toMatch(/^HTTP\/1\.1 40[04] /);
    }
    await using charger = await dialIn(gateway.url);
    expect(await charger.call("Heartbeat", {})).toMatchObject([3, "c1", { currentTime: expect.any(String) }]);
  });

  test("an unknown charger gets 404 and is listed once, with its attempts counted", async () => {
    await using gateway = await openGateway();
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(dialIn(gateway.url, { identity: "CP-9" })).rejects.toThrow("404");
    }
    expect(gateway.strangers()).toMatchObject([{ identity: "CP-9", attempts: 3, reason: "unknown charger" }]);
  });

  test("the list of strangers has an end, and shows no control characters", async () => {
    await using gateway = await openGateway();
    for (let n = 0; n < 60; n++) await rawUpgrade(gateway.url, `/ocpp/CP%0A${n}`);
    expect(gateway.strangers()).toHaveLength(50);
    expect(gateway.strangers().at(-1)?.identity).toBe("CP?59");
  });

  test("a percent-encoded identity is decoded once", async () => {
    await using gateway = await openGateway({ devices: [{ identity: "RDAM|123" }] });
    await using charger = await dialIn(gateway.url, { identity: "RDAM%7C123" });
    expect(await charger.call("Heartbeat", {})).toMatchObject([3, "c1", {}]);
  });

  test("no subprotocol is refused, unless the config allows it and then it is 1.6", async () => {
    await using strict = await openGateway();
    await expect(dialIn(strict.url, { version: "none" })).rejects.toThrow("400");
    expect(await rawUpgrade(strict.url, "/ocpp/CP-1", ["Sec-WebSocket-Protocol: ocpp9"])).toContain("101");
    await using lenient = await openGateway({ shared: { allowNoSubprotocol: true } });
    await using charger = await dialIn(lenient.url, { version: "none" });
    await charger.call("BootNotification", BOOT_16);
    expect(lenient.adapter.protocol).toBe("ocpp1.6");
  });

  test("a browser is refused", async () => {
    await using gateway = await openGateway();
    expect(await rawUpgrade(gateway.url, "/ocpp/CP-1", ["Origin: https://example.org"])).toContain("403");
  });
});

describe("a second connection with the same identity", () => {
  test("is refused without a password while the first one answers", async () => {
    await using gateway = await openGateway();
    await using first = await dialIn(gateway.url);
    await expect(dialIn(gateway.url)).rejects.toThrow("409");
    expect(await first.call("Heartbeat", {})).toMatchObject([3, "c1", {}]);
  });

  test("takes over from a dead one", async () => {
    await using gateway = await openGateway();
    await using first = await dialIn(gateway.url);
    // A cut line: nothing is read any more, so no ping is answered.
    first.socket.pause();
    await using second = await dialIn(gateway.url);
    expect(await second.call("Heartbeat", {})).toMatchObject([3, "c1", {}]);
  });

  test("takes over from a living one where it has shown the password, and that is told", async () => {
    await using gateway = await openGateway({ devices: [{ password: "very-secret" }] });
    const headers = basic("CP-1", "very-secret");
    await using first = await dialIn(gateway.url, { headers });
    await using second = await dialIn(gateway.url, { headers });
    await waitFor("the first to be closed", () => first.socket.readyState === first.socket.CLOSED);
    expect(await second.call("Heartbeat", {})).toMatchObject([3, "c1", {}]);
    expect(await gateway.ask("events")).toMatchObject({
      events: [{ identity: "CP-1", source: "gateway", type: "ConnectionReplaced", detail: "from 127.0.0.1" }],
    });
  });

  test("takes over from a dead one in silence, with the password too", async () => {
    await using gateway = await openGateway({ devices: [{ password: "very-secret" }] });
    const headers = basic("CP-1", "very-secret");
    await using first = await dialIn(gateway.url, { headers });
    first.socket.pause();
    await using second = await dialIn(gateway.url, { headers });
    expect(await second.call("Heartbeat", {})).toMatchObject([3, "c1", {}]);
    expect(await gateway.ask("events")).toEqual({ events: [] });
  });

  test("never displaces anyone without the password, however often it tries", async () => {
    await using gateway = await openGateway({ devices: [{ password: "very-secret" }] });
    await using first = await dialIn(gateway.url, { headers: basic("CP-1", "very-secret") });
    for (let attempt = 0; attempt < 6; attempt++) {
      await expect(dialIn(gateway.url, { headers: basic("CP-1", `guess-${attempt}`) })).rejects.toThrow(/401|429/);
    }
    expect(await first.call("Heartbeat", {})).toMatchObject([3, "c1", {}]);
  });
});

test("two devices on one connector, or two passwords for one charger, are a fault of the config", async () => {
  await expect(openGateway({ devices: [{}, {}] })).rejects.toThrow("configured twice");
  await expect(openGateway({ devices: [{ password: "aaaaaaaa" }, { connector: 2 }] })).rejects.toThrow("same password");
});
