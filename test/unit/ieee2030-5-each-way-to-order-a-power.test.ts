import { describe, expect, test } from "vitest";
import type { ControlMode } from "../../adapters/ieee2030-5/controls/control-power.ts";
import type { ResourceKind } from "../../src/model/resource.ts";
import { PolledSite, sep } from "../support/polled-site.ts";

const CSIPAUS = "https://csipaus.org/ns";
const watts = (value: number) => `<multiplier>0</multiplier><value>${value}</value>`;

/** The DERControlBase that a device with this config finds when a power is ordered. */
async function baseFor(kind: ResourceKind, powerKW: number, config: object, capability?: string): Promise<string> {
  await using site = await PolledSite.open([{ kind, config }]);
  if (capability !== undefined) {
    const { status } = await site.ask("/edev/1/der/1/dercap", { method: "PUT", body: capability });
    expect(status).toBe(204);
  }
  const impatient = new AbortController();
  const target = { setpointId: "s1", powerKW, untilMs: Date.now() + 60_000 };
  const applying = site.adapters[0]?.apply(target, impatient.signal);
  const { body } = await site.ask("/edev/1/derp/1/derc?l=1");
  impatient.abort(new Error("seen"));
  await expect(applying).rejects.toThrow("seen");
  return /<DERControlBase.*<\/DERControlBase>/.exec(body)?.[0] ?? body;
}

const rated = { ratingKW: 5, maxChargeKW: 4 };

describe("by the config", () => {
  test.each<[ControlMode, ResourceKind, number, string]>([
    ["opModFixedW", "battery", -2, "<opModFixedW>-5000</opModFixedW>"],
    ["opModMaxLimW", "solar", 2, "<opModMaxLimW>4000</opModMaxLimW>"],
    ["opModTargetW", "battery", -2, `<opModTargetW>${watts(-2000)}</opModTargetW>`],
    ["opModConnect", "solar", 4.9, "<opModConnect>false</opModConnect>"],
    ["opModConnect", "solar", 5, "<opModConnect>true</opModConnect>"],
    ["opModEnergize", "load", 0, "<opModEnergize>false</opModEnergize>"],
  ])("%s, a %s at %d kW", async (control, kind, powerKW, expected) => {
    expect(await baseFor(kind, powerKW, { ...rated, control })).toBe(`<DERControlBase>${expected}</DERControlBase>`);
  });

  test("bounds of CSIP-AUS forbid the other direction where the device has it", async () => {
    const control = "opModGenLimW+opModLoadLimW";
    const base = (inner: string) => `<DERControlBase xmlns:csipaus="${CSIPAUS}">${inner}</DERControlBase>`;
    const bound = (name: string, value: number) => `<csipaus:${name}>${watts(value)}</csipaus:${name}>`;
    expect(await baseFor("battery", -2, { ...rated, control })).toBe(
      base(bound("opModGenLimW", 0) + bound("opModLoadLimW", 2000)),
    );
    expect(await baseFor("battery", 2, { ...rated, control })).toBe(
      base(bound("opModGenLimW", 2000) + bound("opModLoadLimW", 0)),
    );
    expect(await baseFor("solar", 2, { ratingKW: 5, control })).toBe(base(bound("opModGenLimW", 2000)));
    expect(await baseFor("battery", 0, { ...rated, control: "opModExpLimW+opModImpLimW" })).toBe(
      base(bound("opModImpLimW", 0) + bound("opModExpLimW", 0)),
    );
  });

  test("the storage target is of version 1.3, discharge positive, and the ramp stands before the extension", async () => {
    const config = { ...rated, control: "opModStorageTargetW", csipaus: "1.3", rampS: 12.5 };
    expect(await baseFor("battery", -3, config)).toBe(
      `<DERControlBase xmlns:csipaus="${CSIPAUS}/v1.3"><rampTms>1250</rampTms>` +
        `<csipaus:opModStorageTargetW>${watts(-3000)}</csipaus:opModStorageTargetW></DERControlBase>`,
    );
  });

  test("what holds without a control is what the config says, in the standard's order", async () => {
    const defaultControl = { maxPercent: 80, exportKW: 1.5, importKW: 40, loadKW: 0, rampPercentPerS: 0.27 };
    await using site = await PolledSite.open([{ kind: "battery", config: { ...rated, defaultControl } }]);
    const { body } = await site.ask("/edev/1/derp/1/dderc");
    expect(body).toContain(
      `<DERControlBase xmlns:csipaus="${CSIPAUS}"><opModMaxLimW>8000</opModMaxLimW>` +
        "<csipaus:opModImpLimW><multiplier>1</multiplier><value>4000</value></csipaus:opModImpLimW>" +
        `<csipaus:opModExpLimW>${watts(1500)}</csipaus:opModExpLimW>` +
        `<csipaus:opModLoadLimW>${watts(0)}</csipaus:opModLoadLimW></DERControlBase><setGradW>27</setGradW>`,
    );
  });
});

describe("by what the device says it knows", () => {
  const capability = (modes: string, extension = "", type = 4) =>
    `<DERCapability xmlns="urn:ieee:std:2030.5:ns" xmlns:csipaus="${CSIPAUS}"><modesSupported>${modes}</modesSupported>` +
    `<rtgMaxW>${watts(5000)}</rtgMaxW><type>${type}</type>${extension}</DERCapability>`;
  const doe = (bits: string) => `<csipaus:doeModesSupported>${bits}</csipaus:doeModesSupported>`;
  const vpp = "<csipaus:vppModesSupported>01</csipaus:vppModesSupported>";

  test.each<[string, ResourceKind, string, string]>([
    ["watts before percent", "solar", capability("00500080"), "opModTargetW"],
    ["percent before bounds", "solar", capability("00100080", doe("0F")), "opModFixedW"],
    ["the storage target of a battery", "battery", capability("0", vpp, 80), "opModStorageTargetW"],
    ["the bound of what it gives", "solar", capability("00100000", doe("0F")), "opModGenLimW"],
    ["the bound of its rating", "solar", capability("00100000", doe("03")), "opModMaxLimW"],
    ["percent where it knows nothing that orders a power", "solar", capability("0000000C"), "opModFixedW"],
  ])("%s", async (_, kind, document, expected) => {
    expect(await baseFor(kind, 2, {}, document)).toContain(expected);
  });

  test("what it has switched off in its settings is not used", async () => {
    await using site = await PolledSite.open([{ kind: "solar", config: { ratingKW: 5 } }]);
    const put = (what: string, body: string) => site.ask(`/edev/1/der/1/${what}`, { method: "PUT", body });
    await put("dercap", capability("00500080"));
    const settings = `<modesEnabled>00100080</modesEnabled><setGradW>0</setGradW><setMaxW>${watts(4000)}</setMaxW>`;
    const { status } = await put("derg", sep("DERSettings", `${settings}<updatedTime>1795473000</updatedTime>`));
    expect(status).toBe(204);
    site.adapters[0]?.plan?.([
      { setpointId: "s1", powerKW: 2, fromMs: Date.now() + 60_000, untilMs: Date.now() + 120_000 },
    ]);
    const { body } = await site.ask("/edev/1/derp/1/derc?l=1");
    expect(body).toContain("<currentStatus>0</currentStatus>");
    expect(body).toContain("<opModFixedW>5000</opModFixedW>");
  });
});
