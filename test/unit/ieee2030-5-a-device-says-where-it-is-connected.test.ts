import { describe, expect, test } from "vitest";
import { deviceSchema } from "../../adapters/ieee2030-5/config.ts";
import { ConnectionPoint } from "../../adapters/ieee2030-5/connection-point.ts";
import { nmiFault } from "../../adapters/ieee2030-5/nmi.ts";
import { silentLog } from "../../src/log.ts";
import { PolledSite, sep } from "../support/polled-site.ts";
import { volatileMemory } from "../support/volatile-memory.ts";

const AUS = "https://csipaus.org/ns";
const connectionPoint = (content: string, namespace = AUS) =>
  `<aus:ConnectionPoint xmlns:aus="${namespace}">${content}</aus:ConnectionPoint>`;
const named = (id: string) => connectionPoint(`<aus:connectionPointId>${id}</aus:connectionPointId>`);

describe("a device names the connection point that it is behind", () => {
  test("at the address that its EndDevice links, and reads it there, also after a restart", async () => {
    const memory = volatileMemory();
    const devices = [{ kind: "solar" as const }, { kind: "solar" as const, config: { csipaus: "1.3" } }];
    await using site = await PolledSite.open(devices, {}, memory);
    const { EndDevice: shown } = await site.read("/edev/1");
    expect(shown?.$["xmlns:csipaus"]).toBe(AUS);
    expect(Object.keys(shown ?? {}).at(-1)).toBe("csipaus:ConnectionPointLink");
    const href = shown?.["csipaus:ConnectionPointLink"][0].$.href;
    expect((await site.ask(href)).status).toBe(404);
    expect((await site.ask(href, { method: "PUT", body: named("20019857328") })).status).toBe(204);
    const { "csipaus:ConnectionPoint": kept } = await site.read(href);
    expect(kept?.["csipaus:connectionPointId"]).toEqual(["20019857328"]);
    // The first edition had another name for it, and some POST.
    const older = connectionPoint("<aus:id>NAAAMYS582</aus:id>");
    expect((await site.ask(href, { method: "POST", body: older })).status).toBe(204);
    expect((await site.ask(href)).body).toContain(">NAAAMYS582<");
    // Another device speaks another version, and sees nothing of it.
    expect((await site.read("/edev/2", 1))["EndDevice"]?.$["xmlns:csipaus"]).toBe(`${AUS}/v1.3`);
    expect((await site.ask(href, {}, 1)).status).toBe(403);
    expect((await site.ask("/edev/2/cp", {}, 1)).status).toBe(404);
    const afterRestart = (lfdi: string) => new ConnectionPoint(memory, lfdi, silentLog).id;
    expect([afterRestart(site.lfdi()), afterRestart(site.lfdi(1))]).toEqual(["NAAAMYS582", undefined]);
  });

  test("and is refused with a reason where that is no connection point", async () => {
    await using site = await PolledSite.open([{ kind: "solar" }]);
    const cases: [string, RegExp][] = [
      [named("NOTAVALIDID"), /^ConnectionPoint.connectionPointId: "NOTAVALIDID" is no NMI: expected digits/],
      [named("20019857327"), /its check digit is 7, expected 8/],
      [named("200198573"), /has 9 characters/],
      [named(""), /has 0 characters/],
      [named("A".repeat(100_000)), /^.{1,200}$/],
      [connectionPoint(""), /has no connectionPointId/],
      [connectionPoint("<aus:id>NAAAMYS582</aus:id><aus:id>2001985732</aus:id>"), /more than one/],
      [connectionPoint("<aus:id>NAAAMYS582</aus:id>", "urn:somebody"), /is in namespace "urn:somebody"/],
      [sep("Time", ""), /^Time where a ConnectionPoint was expected/],
    ];
    for (const [body, reason] of cases) {
      const answer = await site.ask("/edev/1/cp", { method: "PUT", body });
      expect([answer.status, answer.body]).toEqual([400, expect.stringMatching(reason)]);
    }
    expect((await site.ask("/edev/1/cp")).status).toBe(404);
    expect((await site.ask("/edev/1/cp", { method: "DELETE" })).headers.allow).toBe("GET, HEAD, PUT, POST");
    // And a ConnectionPoint is nothing else.
    expect((await site.ask("/edev/1/der/1/derg", { method: "PUT", body: named("20019857328") })).status).toBe(400);
  });
});

describe("a device of the standard alone", () => {
  const plain = { csipaus: "none", ratingKW: 5 };

  test("is written nothing of CSIP-AUS, whatever it says and an operator wants", async () => {
    const memory = volatileMemory();
    // What an operator set while it counted as one of CSIP-AUS.
    const get = (key: string) => (key.startsWith("defaultControl.") ? { exportKW: 1 } : memory.get(key));
    await using site = await PolledSite.open([{ kind: "solar", config: plain }], {}, { ...memory, get });
    const capability = sep(
      "DERCapability",
      [
        "<modesSupported>00000000</modesSupported><rtgMaxW><multiplier>0</multiplier><value>5000</value></rtgMaxW>",
        `<type>4</type><aus:doeModesSupported xmlns:aus="${AUS}">0F</aus:doeModesSupported>`,
      ].join(""),
    );
    expect((await site.ask("/edev/1/der/1/dercap", { method: "PUT", body: capability })).status).toBe(204);
    const order = { setpointId: "s1", powerKW: 2.5, untilMs: Date.now() + 60_000 };
    site.adapters[0]?.apply(order, site.signal).catch(() => {});
    const paths = ["/edev?l=9", "/edev/1", "/edev/1/derp/1/derc?l=9", "/edev/1/derp/1/dderc"];
    for (const path of paths) expect((await site.ask(path)).body).not.toContain("csipaus");
    expect((await site.ask("/edev/1/derp/1/derc?l=9")).body).toContain("<opModFixedW>5000<");
    expect((await site.ask("/edev/1/cp")).status).toBe(404);
    expect((await site.ask("/edev/1/cp", { method: "PUT", body: named("20019857328") })).status).toBe(404);
    const setDefault = (changes: object) => site.host.operations?.["default"]?.({ era: "der.1", changes }, site.signal);
    await expect(setDefault({ importKW: 1 })).rejects.toThrow("importKW is of CSIP-AUS, and der.1 has csipaus: none");
    await setDefault({ maxPercent: 40 });
    expect((await site.ask("/edev/1/derp/1/dderc")).body).toContain("<opModMaxLimW>4000<");
  });

  test("and a config that would order it in CSIP-AUS's terms is refused with the key", () => {
    const faultsOf = (part: object) =>
      deviceSchema
        .safeParse({ lfdi: "0".repeat(40), ...plain, ...part })
        .error?.issues.map(({ path, message }) => [path.join("."), message]);
    expect(faultsOf({ control: "opModGenLimW+opModLoadLimW" })).toEqual([
      ["control", "opModGenLimW+opModLoadLimW is of CSIP-AUS, and csipaus is none"],
    ]);
    expect(faultsOf({ control: "opModStorageTargetW" })?.[0]?.[0]).toBe("control");
    expect(faultsOf({ defaultControl: { maxPercent: 50, loadKW: 1 } })?.map(([path]) => path)).toEqual([
      "defaultControl.loadKW",
    ]);
    expect(faultsOf({ control: "opModConnect", defaultControl: { maxPercent: 50 } })).toBeUndefined();
  });
});

test("an NMI is known by its letters and its check digit", () => {
  // Check digits of the examples of AEMO's procedure.
  for (const nmi of ["20019857328", "20019857336", "63508884442", "NAAAMYS5826", "NBBBX111100", "QAAAVZZZZZ3"]) {
    expect(nmiFault(nmi)).toBeUndefined();
    expect(nmiFault(nmi.slice(0, 10))).toBeUndefined();
    const wrong = (Number(nmi.slice(10)) + 1) % 10;
    expect(nmiFault(nmi.slice(0, 10) + wrong)).toContain("check digit");
  }
  for (const letter of ["I", "O", "a", " ", "-", "é"]) expect(nmiFault(`NAAA${letter}YS582`)).toContain("is no NMI");
  expect(nmiFault("2001985732X")).toContain("check digit");
});
