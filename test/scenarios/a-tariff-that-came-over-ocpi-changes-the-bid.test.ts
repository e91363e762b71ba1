import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { Site } from "../support/site.ts";
import { waitFor } from "../support/wait-for.ts";

const TOKEN = "operator-token-0123456789";

test("an operator PUTs a tariff, and the charger is bid for up to its price; a newer one counts from then on", async () => {
  const curves: { price: number; powerKW: number }[][] = [];
  const market = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const { context, message } = JSON.parse(`${Buffer.concat(chunks)}`);
      if (context.action === "discover") curves.push(message.intent.bidCurve);
      response.writeHead(200, { "content-type": "application/json" }).end('{"message":{"ack":{"status":"ACK"}}}');
    });
  });
  await new Promise<void>((resolve) => market.listen(0, "127.0.0.1", resolve));
  await using site = new Site({
    devices: [
      {
        era: "ev",
        kind: "charger",
        ocpp: { identity: "EV", phases: 1, maxA: 32 },
        tariff: { timeZone: "Europe/Brussels", ocpi: { countryCode: "BE", partyId: "BEC", id: "DAY" } },
      },
    ],
    config: {
      ocpi: {
        ...{ port: 0, countryCode: "IN", partyId: "ECO", roles: ["EMSP"] },
        peers: [{ name: "cpo", token: TOKEN, parties: [{ countryCode: "BE", partyId: "BEC", role: "CPO" }] }],
      },
    },
    market: {
      bppUri: `http://127.0.0.1:${(market.address() as AddressInfo).port}/beckn`,
      participate: true,
      currency: "EUR",
    },
  });
  const put = async (price: number, at: string) => {
    const url = site.address("ocpi").replace(/versions$/, "2.2.1/receiver/tariffs/BE/BEC/DAY");
    const tariff = {
      ...{ country_code: "BE", party_id: "BEC", id: "DAY", currency: "EUR", last_updated: at },
      elements: [{ price_components: [{ type: "ENERGY", price, step_size: 1 }] }],
    };
    const headers = {
      "content-type": "application/json",
      authorization: `Token ${Buffer.from(TOKEN).toString("base64")}`,
    };
    const response = await fetch(url, { method: "PUT", headers, body: JSON.stringify(tariff) });
    expect(await response.json()).toMatchObject({ status_code: 1000 });
  };
  /** The dearest price at which the newest curve still takes something. */
  const limit = () => Math.max(...(curves.at(-1) ?? []).filter(({ powerKW }) => powerKW < 0).map(({ price }) => price));
  try {
    await site.start();
    await site.charger({ identity: "EV" });
    await waitFor("a bid without a tariff", () => curves.length > 0);
    expect(limit()).toBeLessThan(0.15);
    await put(0.31, "2026-06-15T10:00:00Z");
    await waitFor("a bid by the tariff", () => limit() === 0.31);
    await put(0.27, "2026-06-15T11:00:00Z");
    await waitFor("a bid by the newer one", () => limit() === 0.27);
  } finally {
    market.closeAllConnections();
    await new Promise((resolve) => market.close(resolve));
  }
});
