import { readFile } from "node:fs/promises";
import { Agent, get } from "node:https";
import { describe, expect, test } from "vitest";
import { rateForInterval } from "../../adapters/ieee2030-5/rates.ts";
import { writePki } from "../../simulators/pki.ts";
import { lfdiOf } from "../support/polled-site.ts";
import { Site } from "../support/site.ts";

describe("a gateway whose config says nothing of rates", () => {
  test.each([
    ["15m", 60],
    ["5m", 60],
    ["1m", 12],
    ["10s", 5],
  ])("in a market of %s intervals tells devices to poll and to post every %i s", async (interval, rateS) => {
    expect(await ratesOf({ interval }, {})).toEqual({ pollRate: String(rateS), postRate: String(rateS) });
  });

  test("but one that says them keeps to its own", async () => {
    const rates = await ratesOf({ interval: "1m" }, { pollRateS: 7, postRateS: 90 });
    expect(rates).toEqual({ pollRate: "7", postRate: "90" });
  });
});

test("without a market it is once a minute", () => {
  expect(rateForInterval(undefined)).toBe(60);
});

async function ratesOf(market: object, shared: object): Promise<Record<string, string | undefined>> {
  await using site = new Site({ devices: [] });
  const { certFile, keyFile, caFile, device } = await writePki(site.folder);
  const credentials = await device("roof");
  site.change({
    devices: [{ era: "der.roof", kind: "solar", ieee2030_5: { lfdi: lfdiOf(credentials.cert) } }],
    config: { ieee2030_5: { port: 0, certFile, keyFile, caFile, ...shared } },
    market: { ...market },
  });
  await site.start();
  const agent = new Agent({ ...credentials, ca: await readFile(caFile, "utf8"), maxVersion: "TLSv1.2" });
  const read = (path: string) =>
    new Promise<string>((resolve, reject) => {
      get(new URL(path, site.address("ieee2030_5")), { agent }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => resolve(text));
      }).on("error", reject);
    });
  try {
    return {
      pollRate: /pollRate="(\d+)"/.exec(await read("/edev/1/derp"))?.[1],
      postRate: /<postRate>(\d+)/.exec(await read("/edev/1"))?.[1],
    };
  } finally {
    agent.destroy();
  }
}
