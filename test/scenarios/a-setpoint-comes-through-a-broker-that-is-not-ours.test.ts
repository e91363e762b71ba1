import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, describe, expect, test } from "vitest";
import { Site, windowFor } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

const mosquitto = spawnSync("mosquitto", ["-h"]).error === undefined;

let broker: ChildProcess | undefined;
let site: Site | undefined;
let client: MqttClient | undefined;

afterEach(async () => {
  await client?.endAsync(true);
  await site?.[Symbol.asyncDispose]();
  broker?.kill();
});

async function startMosquitto(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const port = typeof address === "object" && address !== null ? address.port : 0;
  // Without a config file it listens on loopback only, and anybody there may connect.
  broker = spawn("mosquitto", ["-p", String(port)], { stdio: "ignore" });
  return port;
}

describe.skipIf(!mosquitto)(
  `Mosquitto${mosquitto ? "" : " (skipped: the Debian package mosquitto is not installed)"}`,
  () => {
    test.each([4, 5] as const)("a market on MQTT version %i reaches a site behind NAT", async (protocolVersion) => {
      const port = await startMosquitto();
      const url = `mqtt://127.0.0.1:${port}`;
      const topics = { topicIn: "setpointd/site/in", topicOut: "setpointd/site/out" };
      site = new Site({
        devices: [{ era: "ev", kind: "charger", ocpp: { identity: "EV", phases: 1, maxA: 32, settleS: 2 } }],
        market: { webhook: undefined, mqtt: { url, ...topics } },
      });
      await site.start();
      const charger = await site.charger({ identity: "EV" });
      client = await connectAsync(url, { protocolVersion, reconnectPeriod: 100 });
      const answers: { message?: { ack?: { status?: string } } }[] = [];
      client.on("message", (_topic, payload) => answers.push(JSON.parse(payload.toString())));
      await client.subscribeAsync(topics.topicOut, { qos: 1 });
      await waitFor("the gateway at the broker", () => site?.gateway.status().market?.mqtt === "connected");

      const message = site.onConfirm({ era: "ev", setpointKW: -3, ...windowFor(60) });
      await client.publishAsync(topics.topicIn, JSON.stringify(site.envelope(message)), { qos: 1 });
      await waitFor("the ACK", () => answers.some((answer) => answer.message?.ack?.status === "ACK"));
      await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 3) < 0.1);

      await client.publishAsync(topics.topicIn, JSON.stringify(message), { qos: 1 });
      await waitFor("the unsigned one to be refused", () =>
        answers.some((answer) => answer.message?.ack?.status === "NACK"),
      );
      expect(site.device("ev").setpoints).toBe(1);
    });
  },
);
