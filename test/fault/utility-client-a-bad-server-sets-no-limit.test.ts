import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ieee2030_5_client } from "../../adapters/ieee2030-5-client/index.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import type { MeteredDevice, UtilityDemand, UtilityLink } from "../../src/model/utility.ts";
import { aus, UtilityServer } from "../support/utility-server.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

const SEP = 'xmlns="urn:ieee:std:2030.5:ns"';

let folder: string;
let utility: UtilityServer;
let client: AsyncDisposable | undefined;
let stop: AbortController;
let demands: readonly UtilityDemand[];
let link: UtilityLink | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-utility-"));
  utility = await UtilityServer.open(folder);
  utility.register();
  stop = new AbortController();
  demands = [];
  link = undefined;
});

afterEach(async () => {
  stop.abort(new Error("over"));
  await client?.[Symbol.asyncDispose]();
  await utility[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function start(config: Record<string, unknown> = {}): Promise<void> {
  const devices: readonly MeteredDevice[] = [];
  const shared = { url: utility.url, ...utility.files, leastPollRateS: 1, ...config };
  const host = ieee2030_5_client.createHost(ieee2030_5_client.sharedSchema.parse(shared), {
    clock: systemClock,
    log: silentLog,
    random: () => 0.5,
    memory: volatileMemory(),
    utility: {
      oblige: (now) => {
        demands = now;
      },
      link: (now) => {
        link = now;
      },
      devices: () => devices,
    },
  });
  client = host;
  await host.start(stop.signal);
}

const importKW = () => demands[0]?.importKW;
const rounds = async (path: string, count: number) => {
  const before = utility.reads(path);
  await waitFor(`${count} more reads of ${path}`, () => utility.reads(path) >= before + count);
};

describe("a bad server sets no limit", () => {
  test("one with another certificate than the pinned one is not asked for anything", async () => {
    utility.event(aus("ImpLim", 1000));
    await start({ serverLfdi: "0123456789ABCDEF0123456789ABCDEF01234567" });
    await waitFor("the refusal", () => link?.linkDetail.includes("expected 0123") === true);
    expect(utility.requests).toEqual([]);
    expect(demands).toEqual([]);
  });

  test.each([
    ["that is cut off", "<DERControlList"],
    ["with a document type", `<!DOCTYPE a [<!ENTITY b "c">]><DERControlList ${SEP} all="0" results="0"/>`],
    ["without its counts", `<DERControlList ${SEP}/>`],
    ["longer than any", `<DERControlList ${SEP} all="0" results="0">${" ".repeat(300_000)}</DERControlList>`],
  ])("a list %s changes nothing of what held before", async (_what, body) => {
    utility.event(aus("ImpLim", 2000));
    await start();
    await waitFor("the limit", () => importKW() === 2);
    utility.overrides.set("/controls/north", { status: 200, body });
    await rounds("/controls/north", 2);
    expect(importKW()).toBe(2);
    utility.overrides.clear();
    utility.event(aus("ImpLim", 1000));
    await waitFor("the next limit", () => importKW() === 1);
  });

  test("an event that can't be read stands in nobody's way", async () => {
    utility.event("<opModMaxLimW>70000</opModMaxLimW>");
    utility.event(aus("ImpLim", 2000));
    await start();
    await waitFor("the other event's limit", () => importKW() === 2);
  });

  test("a list that claims more than it ever shows is given up", async () => {
    utility.event(aus("ImpLim", 2000));
    await start();
    await waitFor("the limit", () => importKW() === 2);
    const one = `<DERProgramList ${SEP} all="4000000000" results="1"><DERProgram href="/p"><mRID>01</mRID><primacy>1</primacy></DERProgram></DERProgramList>`;
    utility.overrides.set("/programs/site", { status: 200, body: one });
    await waitFor("the end of its patience", () => utility.reads("/programs/site") > 2000);
    utility.overrides.clear();
    utility.event(aus("ImpLim", 1500));
    await waitFor("the next limit", () => importKW() === 1.5, 40_000);
  });

  test("a link that leaves the server is not followed, and a redirect within it is", async () => {
    utility.event(aus("ImpLim", 2000));
    utility.overrides.set("/what-time", { status: 302, location: "https://192.0.2.1/tm" });
    utility.overrides.set("/start", { status: 307, location: "/begin" });
    utility.overrides.set("/begin", {
      status: 200,
      body: `<DeviceCapability ${SEP} pollRate="1"><TimeLink href="/what-time"/><EndDeviceListLink href="/who"/></DeviceCapability>`,
    });
    await start();
    await waitFor("the limit", () => importKW() === 2);
    await waitFor("a word about the other", () => link?.linkDetail.includes("leaves https://127.0.0.1") === true);
  });

  test("a server that asks to be left alone is, and a refused Response is not sent for ever", async () => {
    utility.overrides.set("/reply", { status: 400 });
    utility.event(aus("ImpLim", 2000));
    await start();
    await waitFor("the limit", () => importKW() === 2);
    utility.overrides.set("/controls/north", { status: 503, retryAfterS: 3600 });
    await rounds("/controls/north", 1);
    const asked = utility.reads("/controls/north");
    await rounds("/what-time", 3);
    expect(utility.reads("/controls/north")).toBe(asked);
    const replies = utility.requests.filter(({ path }) => path === "/reply");
    expect(replies.map(({ document }) => document.DERControlResponse.status)).toEqual(["1", "2"]);
  });

  test("nobody is registered: the client waits, says as whom, and makes nothing", async () => {
    utility.registered.clear();
    await start();
    await waitFor("what it waits for", () => link?.linkDetail.includes(utility.siteLfdi) === true);
    expect(link?.linkUp).toBe(true);
    expect(utility.requests.every(({ method }) => method === "GET")).toBe(true);
    utility.event(aus("ImpLim", 2000));
    utility.register();
    await waitFor("the limit", () => importKW() === 2);
  });
});
