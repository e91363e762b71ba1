import { createHash, randomUUID, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createSigningKey, seedOf } from "../../simulators/market/signature.ts";
import { MARKET_ID, SITE_ID, Site } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

test("the market confirms after the gateway was restarted, with the signature of the bid from before", async () => {
  const bids: { signature: string; transactionId: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const signature = /signature="([^"]+)"/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      const { context } = JSON.parse(`${Buffer.concat(chunks)}`);
      if (context.action === "confirm") bids.push({ signature, transactionId: context.transactionId });
      response.writeHead(200, { "content-type": "application/json" }).end('{"message":{"status":"ACK"}}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const ours = createSigningKey(MARKET_ID, "k1");
  const site = new Site({
    devices: [{ era: "ev", kind: "charger", ocpp: { identity: "EV", phases: 1, maxA: 32, settleS: 2 } }],
    market: {
      bppUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/beckn`,
      participate: true,
      dialect: "deg",
      sign: { deg: "import-positive" },
      need: { resourceId: "need-1", offerId: "offer-1" },
      trustedKeys: [{ subscriberId: MARKET_ID, keyId: "k1", publicKey: ours.publicKey }],
      signingKey: { keyId: "site-1", privateKeyFile: "site.key" },
    },
  });
  writeFileSync(join(site.folder, "site.key"), seedOf(createSigningKey(SITE_ID, "site-1")), { mode: 0o600 });
  try {
    await site.start();
    const charger = await site.charger({ identity: "EV" });
    await waitFor("the bid", () => bids.length > 0);
    await waitFor("its acknowledgement", () => (site.gateway.status().market?.sent ?? 0) > 0);
    const [bid] = bids;
    await site.stop();
    await site.start();

    const start = new Date(Date.now() - 1_000).toISOString();
    const body = JSON.stringify({
      context: {
        ...{ version: "2.0.0", action: "on_confirm", timestamp: new Date().toISOString(), messageId: randomUUID() },
        ...{ transactionId: bid?.transactionId, bapId: SITE_ID, bppId: MARKET_ID, ttl: "PT30S" },
      },
      message: {
        contract: {
          id: "contract-1",
          status: { code: "ACTIVE" },
          commitments: [
            {
              commitmentAttributes: {
                intervalPeriod: { start, duration: "PT60S" },
                intervals: [{ id: 0, payloads: [{ type: "CAPACITY_CLEARED", values: [3] }] }],
              },
            },
          ],
        },
      },
    });
    const send = async (covered: string) => {
      const createdS = Math.floor(Date.now() / 1000);
      const digest = createHash("blake2b512").update(body).digest("base64");
      const lines = [`(created): ${createdS}`, `(expires): ${createdS + 60}`, `digest: BLAKE-512=${digest}`];
      const text = [...lines, `request-signature: ${covered}`].join("\n");
      const signature = sign(null, Buffer.from(text), ours.privateKey).toString("base64");
      const authorization =
        `Signature keyId="${MARKET_ID}|k1|ed25519",algorithm="ed25519",created="${createdS}",` +
        `expires="${createdS + 60}",headers="(created) (expires) digest request-signature",signature="${signature}"`;
      const headers = { "content-type": "application/json", authorization };
      const response = await fetch(`${site.address("webhook")}/on_confirm`, { method: "POST", headers, body });
      return { status: response.status, text: await response.text() };
    };
    const forged = await send(Buffer.alloc(64).toString("base64"));
    expect(forged).toMatchObject({ status: 401, text: expect.stringContaining("SIGNATURE_BAD") });
    expect(await send(bid?.signature ?? "")).toMatchObject({ status: 200 });
    await waitFor("the car to follow", () => Math.abs(charger.powerKW() + 3) < 0.1);
  } finally {
    await site[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
