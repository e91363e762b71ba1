import { describe, expect, test } from "vitest";
import { ieee2030_5 } from "../../adapters/ieee2030-5/index.ts";
import { PolledDevice } from "../../adapters/ieee2030-5/polled-device.ts";
import { Rates } from "../../adapters/ieee2030-5/rates.ts";
import { findResource } from "../../adapters/ieee2030-5/server/resources.ts";
import type { XmlElement } from "../../adapters/ieee2030-5/xml/xml-element.ts";
import { parseXml } from "../../adapters/ieee2030-5/xml/xml-parse.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { checkOrder, hasSchemaOrder, schemaTypes } from "../support/schema-order.ts";
import { volatileMemory } from "../support/volatile-memory.ts";

const LFDI = "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5";

describe.skipIf(!hasSchemaOrder)("against the element order of 2030.5-2018 (skipped without ../shared)", () => {
  const types = schemaTypes();

  test.each([
    "/dcap",
    "/tm",
    "/edev",
    "/edev/1",
    "/edev/1/rg",
    "/edev/1/fsa",
    "/edev/1/fsa/1",
    "/edev/1/derp",
    "/edev/1/derp/1",
    "/edev/1/derp/1/dderc",
    "/edev/1/derp/1/derc",
    "/edev/1/derp/1/derc/1",
    "/edev/1/derp/1/actderc",
    "/edev/1/der",
    "/edev/1/der/1",
    "/edev/1/der/1/dercap",
    "/edev/1/lel",
    "/edev/1/lel/1",
    "/edev/1/sub",
    "/edev/1/sub/1",
    "/rsps",
    "/rsps/1",
    "/rsps/1/rsp",
    "/rsps/1/rsp/1",
    "/mup",
    "/mup/1",
  ])("%s", async (path) => {
    const device = await busyDevice();
    const faults: string[] = [];
    checkOrder(documentAt(path, device), types, faults);
    expect(faults).toEqual([]);
  });

  test("the check itself sees a wrong order, a missing element and an unknown one", () => {
    const faults: string[] = [];
    checkOrder(
      parse("<Time><quality>4</quality><currentTime>1</currentTime><colour>red</colour></Time>"),
      types,
      faults,
    );
    expect(faults.join(" ")).toContain("currentTime after quality");
    expect(faults.join(" ")).toContain("colour");
    expect(faults.join(" ")).toContain("dstOffset missing");
  });
});

function documentAt(path: string, device: PolledDevice): XmlElement {
  const resource = findResource(path, device, { nowMs: Date.now() });
  const answer = "status" in resource ? resource : resource.get?.({ start: 0, limit: 10 });
  expect(answer?.status).toBe(200);
  return parseXml(new TextEncoder().encode(answer?.document));
}

/** A device with a control in force, one superseded and one cancelled before it, a mirrored meter and a capability. */
async function busyDevice(): Promise<PolledDevice> {
  const device = new PolledDevice({
    era: "der.1",
    kind: "battery",
    device: ieee2030_5.deviceSchema.parse({ lfdi: LFDI, ratingKW: 5, maxChargeKW: 5 }),
    number: 1,
    rates: new Rates({ pollRateS: 60, postRateS: 60, memory: volatileMemory(), clock: systemClock }),
    clock: systemClock,
    log: silentLog,
    primacy: 1,
    registration: "out-of-band",
    random: () => 0.5,
    memory: volatileMemory(),
    show: () => undefined,
    notify: async () => 200,
    isOthersMeter: () => false,
    onClose: () => {},
  });
  const given = new AbortController();
  const apply = (powerKW: number) =>
    device.apply({ setpointId: "s", powerKW, untilMs: Date.now() + 60_000 }, given.signal).catch(() => {});
  const applying = [apply(1), apply(2)];
  given.abort(new Error("not waited for"));
  await Promise.all(applying);
  device.described(
    "dercap",
    parse(
      "<DERCapability><modesSupported>00500088</modesSupported><rtgMaxW><multiplier>0</multiplier><value>5000</value>" +
        "</rtgMaxW><type>80</type></DERCapability>",
    ),
  );
  device.subscribe({ resource: "/edev/1/derp", limit: 1, level: "+S1", notificationURI: "https://192.0.2.1/ntfy" });
  device.logged(
    parse(
      "<LogEvent><createdDateTime>1795473000</createdDateTime><functionSet>11</functionSet><logEventCode>2</logEventCode>" +
        "<logEventID>1</logEventID><logEventPEN>0</logEventPEN><profileID>2</profileID></LogEvent>",
    ),
  );
  device.responded(
    parse(
      `<DERControlResponse><endDeviceLFDI>${LFDI}</endDeviceLFDI><status>1</status>` +
        `<subject>${device.desk.active()?.mRID}</subject></DERControlResponse>`,
    ),
  );
  device.mirrors.post(
    parse(
      "<MirrorUsagePoint><mRID>0201</mRID><description>meter</description><roleFlags>0049</roleFlags>" +
        `<serviceCategoryKind>0</serviceCategoryKind><status>1</status><deviceLFDI>${LFDI}</deviceLFDI>` +
        "<MirrorMeterReading><mRID>0202</mRID><ReadingType><flowDirection>1</flowDirection><uom>38</uom></ReadingType>" +
        "</MirrorMeterReading></MirrorUsagePoint>",
    ),
  );
  return device;
}

function parse(text: string): XmlElement {
  return parseXml(new TextEncoder().encode(text.replace(/^<(\w+)/, '<$1 xmlns="urn:ieee:std:2030.5:ns"')));
}
