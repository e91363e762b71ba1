import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent, get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Credentials, writePki } from "../../simulators/pki.ts";
import { run, start } from "../support/command-line.ts";
import { lfdiOf } from "../support/polled-site.ts";
import { waitFor } from "../support/wait-for.ts";

let folder: string;
let config: string;
let ca: string;
let roof: Credentials;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "setpointd-2030-5-"));
  config = join(folder, "site.yaml");
  const { certFile, keyFile, caFile, device } = await writePki(folder);
  ca = await readFile(caFile, "utf8");
  roof = await device("roof");
  writeFileSync(
    config,
    `
api: { port: 0 }
ieee2030_5: { port: 0, certFile: ${certFile}, keyFile: ${keyFile}, caFile: ${caFile} }
devices:
  - era: der.roof
    kind: solar
    ieee2030_5: { lfdi: ${lfdiOf(roof.cert)}, ratingKW: 5, defaultControl: { exportKW: 4 } }
`,
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sep = (...args: string[]) => run("2030.5", ...args, "--config", config);

/** Where the daemon listens, as its status says. */
async function address(): Promise<string> {
  let url = "";
  await waitFor("the daemon", async () => {
    const { code, stdout } = await run("status", "--config", config, "--json");
    url =
      code === 0 ? ((JSON.parse(stdout) as { addresses: Record<string, string> }).addresses["ieee2030_5"] ?? "") : "";
    return url !== "";
  });
  return url;
}

function read(url: string, path: string): Promise<string> {
  const agent = new Agent({ ...roof, ca, maxVersion: "TLSv1.2" });
  return new Promise<string>((resolve, reject) => {
    get(new URL(path, url), { agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  }).finally(() => agent.destroy());
}

test("defaults and rates are shown, changed and still so after a restart", async () => {
  let mRID = "";
  const first = start("run", "--config", config);
  try {
    const url = await address();
    const shown = await sep("default");
    expect(shown.stdout).toMatch(/der\.roof +export 4 kW +config/);
    const changed = await sep(
      "default",
      "der.roof",
      "--export-kw",
      "none",
      "--load-kw",
      "2.5",
      "--ramp-percent-per-s",
      "1",
    );
    expect([changed.code, changed.stderr]).toEqual([0, ""]);
    expect(changed.stdout).toMatch(/der\.roof +load 2\.5 kW, ramp 1 %\/s +operator/);
    const document = await read(url, "/edev/1/derp/1/dderc");
    expect(document).toMatch(/opModLoadLimW><multiplier>0<\/multiplier><value>2500</);
    expect(document).not.toContain("opModExpLimW");

    const rates = await sep("rates", "--poll", "120", "--poll-of", "DERProgramList=20", "--post", "30", "--json");
    expect(JSON.parse(rates.stdout)).toMatchObject({
      rates: { setBy: "operator", pollRatesS: { DERProgramList: 20, DERList: 120 }, postRateS: 30 },
    });
    const ordered = await sep("order", "der.roof", "--export-kw", "0.5", "--connect", "true", "--for", "600", "--json");
    expect([ordered.code, ordered.stderr]).toEqual([0, ""]);
    mRID = (JSON.parse(ordered.stdout) as { orders: { mRID: string }[] }).orders[0]?.mRID ?? "";
    expect(await read(url, "/edev/1/derp/1/derc")).toContain(`<mRID>${mRID}</mRID><description>operator<`);
    const wrong = await Promise.all([
      sep("order", "der.roof", "--connect", "maybe", "--for", "60"),
      sep("order", "der.roof", "--export-kw", "1"),
      sep("cancel", "der.roof", "5C41A7E09B3D6F2288C1D4A000000000"),
      sep("default", "der.roof", "--export-kw", "lots"),
      sep("default", "der.barn"),
      sep("rates", "--poll-of", "Time=5"),
    ]);
    expect(wrong.map(({ code }) => code)).toEqual([2, 2, 8, 2, 8, 2]);
    expect(wrong.map(({ stderr }) => stderr).join("\n")).toMatch(
      /--connect is "maybe"[\s\S]*--for is missing[\s\S]*no open order[\s\S]*--export-kw is "lots"[\s\S]*"der\.barn"[\s\S]*"Time=5"/,
    );
  } finally {
    first.child.kill("SIGTERM");
    await first.ended;
  }
  const second = start("run", "--config", config);
  try {
    const url = await address();
    expect(await read(url, "/edev/1/derp/1/dderc")).toContain("<value>2500<");
    expect(await read(url, "/edev/1/derp")).toContain('pollRate="20"');
    expect(await read(url, "/edev/1/derp/1/derc")).toContain(mRID);
    const controls = await sep("controls");
    expect(controls.stdout).toMatch(
      new RegExp(`operator +active .* ${mRID} +opModConnect true, opModExpLimW 500e0 W +it f`),
    );
    const cancelled = await sep("cancel", "der.roof", "all");
    expect(cancelled.stdout).toMatch(new RegExp(`operator +cancelled .*${mRID}`));
    const back = await sep("default", "der.roof", "--as-configured", "--json");
    expect(JSON.parse(back.stdout)).toMatchObject({ defaults: [{ setBy: "config", bounds: { exportKW: 4 } }] });
  } finally {
    second.child.kill("SIGTERM");
    await second.ended;
  }
}, 120_000);
