import { expect, test } from "vitest";
import type { Report } from "../../src/model/adapter.ts";
import { PolledSite } from "../support/polled-site.ts";
import { waitFor } from "../support/wait-for.ts";

const OLD = 'xmlns="http://ieee.org/2030.5"';
const watts = (value: number) => `<value>${value}</value><multiplier>0</multiplier>`;

test("the drafts' namespace, another order, unknown elements, prefixes and stripped zeros are all understood", async () => {
  await using site = await PolledSite.open([{ kind: "battery" }]);
  const put = (what: string, body: string) => site.ask(`/edev/1/der/1/${what}`, { method: "PUT", body });
  const capability =
    `<s:DERCapability xmlns:s="http://ieee.org/2030.5" xmlns:v="urn:vendor"><s:type>80</s:type>` +
    `<v:colour>red</v:colour><s:rtgMaxW><s:value>5000</s:value><s:multiplier>0</s:multiplier></s:rtgMaxW>` +
    "<s:rtgNew>7</s:rtgNew><s:modesSupported>500088</s:modesSupported></s:DERCapability>";
  expect((await put("dercap", capability)).status).toBe(204);
  const settings = `<updatedTime>1795473000</updatedTime><setMaxChargeRateW>${watts(4000)}</setMaxChargeRateW>`;
  expect((await put("derg", `<DERSettings ${OLD}>${settings}<setGradW>0</setGradW></DERSettings>`)).status).toBe(204);

  const target = { setpointId: "s1", powerKW: -2, untilMs: Date.now() + 60_000 };
  const applying = site.adapters[0]?.apply(target, site.signal);
  const { body } = await site.ask("/edev/1/derp/1/derc", { headers: { accept: "application/sep+xml; level=-S1" } });
  const mRID = /<mRID>(\w+)/.exec(body)?.[1] ?? "";
  const response =
    `<DERControlResponse ${OLD}><subject>${mRID.replace(/^0+/, "").toLowerCase()}</subject><status>2</status>` +
    `<endDeviceLFDI>${site.lfdi().replace(/^0+/, "").toLowerCase()}</endDeviceLFDI></DERControlResponse>`;
  const headers = { "content-type": "application/sep+xml; level=-S1" };
  expect((await site.ask("/rsps/1/rsp/", { method: "POST", body: response, headers })).status).toBe(201);
  expect((await applying)?.command).toContain("opModTargetW -2000e0 W");
});

test("what a device says of itself becomes its range, and what it could do now narrows it", async () => {
  await using site = await PolledSite.open([{ kind: "battery" }]);
  const [adapter] = site.adapters;
  const reports: Report[] = [];
  const over = new AbortController();
  const reading = (async () => {
    for await (const report of adapter?.reports(over.signal) ?? []) reports.push(report);
  })();
  const starting = adapter?.start(site.signal);
  const sent = async (what: string, name: string, content: string) =>
    (await site.ask(`/edev/1/der/1/${what}`, { method: "PUT", body: `<${name} ${OLD}>${content}</${name}>` })).status;
  const rated = `<modesSupported>00500088</modesSupported><rtgMaxChargeRateW>${watts(6000)}</rtgMaxChargeRateW>`;
  expect(await sent("dercap", "DERCapability", `${rated}<rtgMaxW>${watts(8000)}</rtgMaxW><type>80</type>`)).toBe(204);
  expect(await starting).toMatchObject({ minPowerKW: -6, maxPowerKW: 8, control: "setpoint" });

  const set = `<setGradW>100</setGradW><setMaxW>${watts(5000)}</setMaxW><updatedTime>1795473000</updatedTime>`;
  expect(await sent("derg", "DERSettings", `<setMaxChargeRateW>${watts(3000)}</setMaxChargeRateW>${set}`)).toBe(204);
  const now = `<availabilityDuration>3600</availabilityDuration><maxChargeDuration>0</maxChargeDuration>`;
  const readingTime = `<readingTime>${Math.floor(Date.now() / 1000)}</readingTime>`;
  expect(await sent("dera", "DERAvailability", `${now}${readingTime}<statWAvail>${watts(2500)}</statWAvail>`)).toBe(
    204,
  );
  await waitFor("the availability", () => reports.some(({ kind }) => kind === "availability"));
  over.abort(new Error("over"));
  await reading.catch(() => {});
  const capability = reports.find((report) => report.kind === "capability");
  // 1 % of 5 kW a second.
  expect(capability).toMatchObject({ capability: { minPowerKW: -3, maxPowerKW: 5, rampRateKWPerMin: 3 } });
  const availability = reports.find((report) => report.kind === "availability");
  expect(availability).toMatchObject({ availability: { minPowerKW: 0, maxPowerKW: 2.5 } });
});
