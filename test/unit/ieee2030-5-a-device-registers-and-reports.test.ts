import { describe, expect, test } from "vitest";
import { Registration } from "../../adapters/ieee2030-5/registration.ts";
import { silentLog } from "../../src/log.ts";
import type { Report } from "../../src/model/adapter.ts";
import { PolledSite, sep } from "../support/polled-site.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

/** SFDI of an LFDI, after the standard: 36 bits in decimal, and a digit that makes the sum of digits a multiple of ten. */
function sfdiOf(lfdi: string): string {
  const short = String(Number.parseInt(lfdi.slice(0, 9), 16));
  const sum = [...short].reduce((total, digit) => total + Number(digit), 0);
  return `${short}${(10 - (sum % 10)) % 10}`;
}

const endDevice = (lfdi: string, sfdi = sfdiOf(lfdi)) =>
  sep("EndDevice", `<lFDI>${lfdi}</lFDI><sFDI>${sfdi}</sFDI><changedTime>1795473000</changedTime>`);
const post = (body: string) => ({ method: "POST", body });

describe("registration in band", () => {
  test("a configured device is on the list only after it has put itself there, and then sees its tree and PIN", async () => {
    await using site = await PolledSite.open([{ kind: "solar", config: { pin: 123455 } }, { kind: "solar" }], {
      registration: "in-band",
    });
    expect((await site.read("/dcap"))["DeviceCapability"]?.["EndDeviceListLink"][0].$.all).toBe("0");
    expect((await site.read("/edev?l=10"))["EndDeviceList"]?.$).toMatchObject({ all: "0", results: "0" });
    expect((await site.ask("/edev/1/fsa")).status).toBe(404);
    const registered = await site.ask("/edev", post(endDevice(site.lfdi())));
    expect([registered.status, registered.headers.location]).toEqual([201, "/edev/1"]);
    const list = (await site.read("/edev?l=10"))["EndDeviceList"];
    expect(list?.["EndDevice"][0].lFDI).toEqual([site.lfdi()]);
    expect((await site.read("/edev/1/rg"))["Registration"]?.["pIN"]).toEqual(["123455"]);
    expect((await site.ask("/edev", post(endDevice(site.lfdi())))).status).toBe(409);
    // The other one is where it was.
    expect((await site.read("/edev", 1))["EndDeviceList"]?.$["all"]).toBe("0");
    expect((await site.ask("/edev/1", { method: "DELETE" })).status).toBe(204);
    expect((await site.ask("/edev/1")).status).toBe(404);
  });

  test("nobody registers another, or with identifiers that are none or do not belong together", async () => {
    await using site = await PolledSite.open([{ kind: "solar" }, { kind: "solar" }], { registration: "in-band" });
    const cases: [string, number][] = [
      [endDevice(site.lfdi(1)), 403],
      [endDevice(site.lfdi(), sfdiOf(site.lfdi(1))), 409],
      [endDevice("ZZZZ", "123"), 400],
      [sep("EndDevice", `<lFDI>${site.lfdi()}</lFDI>`), 400],
      [sep("Time", ""), 400],
    ];
    for (const [body, status] of cases) expect((await site.ask("/edev", post(body))).status).toBe(status);
    expect((await site.read("/edev"))["EndDeviceList"]?.$["all"]).toBe("0");
  });

  test("it outlives a restart, until the device takes itself off the list", () => {
    const options = { mode: "in-band", memory: volatileMemory(), lfdi: "A".repeat(40), log: silentLog } as const;
    new Registration(options).add();
    expect(new Registration(options).isDone).toBe(true);
    expect(new Registration({ ...options, lfdi: "B".repeat(40) }).isDone).toBe(false);
    new Registration(options).remove();
    expect(new Registration(options).isDone).toBe(false);
  });

  test("out of band it is there from the start, and can neither come twice nor go", async () => {
    await using site = await PolledSite.open([{ kind: "solar" }]);
    expect((await site.ask("/edev", post(endDevice(site.lfdi())))).status).toBe(409);
    const gone = await site.ask("/edev/1", { method: "DELETE" });
    expect([gone.status, gone.headers.allow]).toEqual([405, "GET, HEAD"]);
  });
});

describe("what a device notes about itself", () => {
  const logEvent = (code: number, createdS: number, details = "") =>
    post(
      sep(
        "LogEvent",
        `<createdDateTime>${createdS}</createdDateTime>${details}<functionSet>11</functionSet>` +
          `<logEventCode>${code}</logEventCode><logEventID>1</logEventID><logEventPEN>0</logEventPEN><profileID>2</profileID>`,
      ),
    );

  test("is listed newest first, in pages and after a time, and lasts as a notice until it is over", async () => {
    await using site = await PolledSite.open([{ kind: "solar", config: { ratingKW: 5 } }]);
    const notices: string[][] = [];
    const over = new AbortController();
    const reading = (async () => {
      const reports: AsyncIterable<Report> | undefined = site.adapters[0]?.reports(over.signal);
      for await (const report of reports ?? []) if (report.kind === "notices") notices.push([...report.notices]);
    })();
    for (const code of [2, 6]) {
      const told = await site.ask("/edev/1/lel", logEvent(code, 1000 + code, "<details>L1</details>"));
      expect([told.status, told.headers.location]).toEqual([201, `/edev/1/lel/${code === 2 ? 1 : 2}`]);
    }
    await site.ask("/edev/1/lel", logEvent(3, 1010));
    const list = async (query: string) => (await site.read(`/edev/1/lel?${query}`))["LogEventList"];
    const codes = (page: Awaited<ReturnType<typeof list>>) =>
      page?.["LogEvent"].map((event: { logEventCode: string[] }) => event.logEventCode[0]);
    expect(codes(await list("l=10"))).toEqual(["3", "6", "2"]);
    const page = await list("s=1&l=1");
    expect([page?.$["all"], page?.$["results"], codes(page)]).toEqual(["3", "1", ["6"]]);
    expect(codes(await list("a=1002&l=10"))).toEqual(["3", "6"]);
    expect((await site.read("/edev/1/lel/1"))["LogEvent"]?.["logEventCode"]).toEqual(["2"]);
    await waitFor("the notices", () => notices.length === 3);
    expect(notices).toEqual([
      ["reports over voltage (L1) since 1970-01-01T00:16:42.000Z"],
      [
        "reports over voltage (L1) since 1970-01-01T00:16:42.000Z",
        "reports over frequency (L1) since 1970-01-01T00:16:46.000Z",
      ],
      ["reports over frequency (L1) since 1970-01-01T00:16:46.000Z"],
    ]);
    over.abort(new Error("over"));
    await reading.catch(() => {});
  });

  test("with a number missing or a hundred of them is refused, or pushes out the oldest", async () => {
    await using site = await PolledSite.open([{ kind: "solar" }]);
    const half = post(sep("LogEvent", "<createdDateTime>1</createdDateTime>"));
    expect((await site.ask("/edev/1/lel", half)).status).toBe(400);
    for (let n = 0; n < 70; n++) await site.ask("/edev/1/lel", logEvent(2, 1000 + n));
    expect((await site.read("/edev/1/lel"))["LogEventList"]?.$["all"]).toBe("64");
    expect((await site.ask("/edev/1/lel/1")).status).toBe(404);
  });
});

test("settings come back as they were put, the extension's too, and half of them are refused", async () => {
  await using site = await PolledSite.open([{ kind: "solar" }]);
  const settings = (more: string) =>
    '<DERSettings xmlns="urn:ieee:std:2030.5:ns" xmlns:au="https://csipaus.org/ns"><modesEnabled>12</modesEnabled>' +
    `<setGradW>1000</setGradW><setMaxW><multiplier>0</multiplier><value>10000</value></setMaxW>${more}` +
    "<au:doeModesEnabled>3</au:doeModesEnabled></DERSettings>";
  const put = (body: string) => site.ask("/edev/1/der/1/derg", { method: "PUT", body });
  expect((await put(settings(""))).status).toBe(400);
  expect((await put(settings("<updatedTime>1795473000</updatedTime>"))).status).toBe(204);
  const { DERSettings: shown } = await site.read("/edev/1/der/1/derg");
  expect(shown?.["modesEnabled"]).toEqual(["12"]);
  expect(shown?.$["xmlns:csipaus"]).toBe("https://csipaus.org/ns");
  expect(shown?.["csipaus:doeModesEnabled"]).toEqual(["3"]);
});

test("a Response is kept where it says it is, and one without a meaning is refused", async () => {
  await using site = await PolledSite.open([{ kind: "solar", config: { ratingKW: 5 } }]);
  const target = { setpointId: "s1", powerKW: 2, untilMs: Date.now() + 60_000 };
  const impatient = new AbortController();
  const first = site.adapters[0]?.apply(target, impatient.signal).catch(() => {});
  const mRID = /<mRID>(\w+)/.exec((await site.ask("/edev/1/derp/1/derc")).body)?.[1] ?? "";
  const response = (status: number, subject = mRID) =>
    post(
      sep(
        "DERControlResponse",
        `<endDeviceLFDI>${site.lfdi()}</endDeviceLFDI><status>${status}</status><subject>${subject}</subject>`,
      ),
    );
  for (const [status, subject] of [[0], [15], [200], [255], [2, "0BAD"]] as [number, string?][]) {
    expect((await site.ask("/rsps/1/rsp", response(status, subject))).status).toBe(400);
  }
  impatient.abort(new Error("asked again later"));
  await first;
  const applying = site.adapters[0]?.apply(target, site.signal);
  const told = await site.ask("/rsps/1/rsp", response(2));
  expect([told.status, told.headers.location]).toEqual([201, "/rsps/1/rsp/1"]);
  expect((await applying)?.command).toContain("Response 2, started");
  expect((await site.read("/rsps/1/rsp/1"))["Response"]?.["subject"]).toEqual([mRID]);
  expect((await site.adapters[0]?.probe?.(site.signal))?.text).toContain("Responses 2 (started)");
  expect((await site.read("/rsps"))["ResponseSetList"]?.["ResponseSet"][0].ResponseListLink[0].$.all).toBe("1");
});

test("the server says who it is itself", async () => {
  await using site = await PolledSite.open([{ kind: "solar" }]);
  const { SelfDevice: self } = await site.read("/sdev");
  const [lfdi = ""] = self?.["lFDI"] ?? [];
  expect(lfdi).toMatch(/^[0-9A-F]{40}$/);
  expect(self?.["sFDI"]).toEqual([sfdiOf(lfdi)]);
});
