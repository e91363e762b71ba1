import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { expect, test } from "vitest";
import { PolledSite } from "../support/polled-site.ts";
import { waitFor } from "../support/wait-for.ts";

test("beyond what it answers at one time the server says 503 and when to come again, and recovers", async () => {
  await using site = await PolledSite.open([{ kind: "solar" }]);
  const agent = new Agent({ ...site.credentials[0], ca: site.ca, maxVersion: "TLSv1.2", maxSockets: 80 });
  const slow: ClientRequest[] = [];
  try {
    // Bodies that are announced and do not come.
    for (let count = 0; count < 64; count++) {
      const headers = { "content-type": "application/sep+xml", "content-length": 100 };
      const outgoing = request(site.url, { path: "/mup", method: "POST", headers, agent });
      outgoing.on("error", () => {});
      outgoing.flushHeaders();
      slow.push(outgoing);
    }
    let refused: IncomingMessage["headers"] | undefined;
    await waitFor("a refusal", async () => {
      const { status, headers } = await site.ask("/dcap");
      if (status === 503) refused = headers;
      return status === 503;
    });
    expect(refused?.["retry-after"]).toBe("5");
  } finally {
    for (const outgoing of slow) outgoing.destroy();
    agent.destroy();
  }
  await waitFor("an answer", async () => (await site.ask("/dcap")).status === 200);
});

test("a connection lives from poll to poll, so that clients that take its end for the end of the world go on", async () => {
  await using site = await PolledSite.open([{ kind: "solar" }], { pollRateS: 300 });
  const { headers } = await site.ask("/dcap", { headers: { connection: "keep-alive" } });
  const seconds = Number(/timeout=(\d+)/.exec(String(headers["keep-alive"]))?.[1]);
  expect(seconds).toBeGreaterThanOrEqual(600);
});
