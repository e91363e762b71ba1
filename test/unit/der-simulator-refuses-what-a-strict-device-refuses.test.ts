import { describe, expect, test } from "vitest";
import { readControl } from "../../simulators/der/control.ts";
import type { ControlMode } from "../../simulators/der/control-modes.ts";
import { checkShape } from "../../simulators/der/schema.ts";
import { parseXml } from "../../simulators/der/xml-in.ts";

const ALL: readonly ControlMode[] = ["opModFixedW", "opModMaxLimW", "opModTargetW"];
const SOUND =
  '<DERControl xmlns="urn:ieee:std:2030.5:ns" href="/c/7" replyTo="/r" responseRequired="03">' +
  "<mRID>00000000000000000000010100009F1C</mRID><description>market 10:00</description><version>0</version>" +
  "<creationTime>1795473000</creationTime>" +
  "<EventStatus><currentStatus>0</currentStatus><dateTime>1795473000</dateTime>" +
  "<potentiallySuperseded>false</potentiallySuperseded></EventStatus>" +
  "<interval><duration>3600</duration><start>1795476600</start></interval>" +
  "<randomizeDuration>0</randomizeDuration><randomizeStart>0</randomizeStart>" +
  "<DERControlBase><opModFixedW>7000</opModFixedW><rampTms>1000</rampTms></DERControlBase>" +
  "<deviceCategory>02000000</deviceCategory></DERControl>";

const read = (xml: string, supported = ALL) => readControl(parseXml(xml), supported);

describe("the simulated DER reads a DERControl as the 2018 schema has it", () => {
  test("a sound control is taken, with its mRID in one form", () => {
    expect(read(SOUND)).toMatchObject({
      id: "10100009F1C",
      addressee: { mRID: "00000000000000000000010100009F1C", replyTo: "/r", wanted: 3 },
      creationTimeS: 1795473000,
      startS: 1795476600,
      durationS: 3600,
      modes: { fixedW: 7000 },
    });
    const prefixed = SOUND.replaceAll(/<(\/?)(\w)/g, "<$1s:$2").replace("xmlns=", "xmlns:s=");
    expect(read(prefixed)).toMatchObject({ id: "10100009F1C", modes: { fixedW: 7000 } });
  });

  test("a power above 32767 W comes with a multiplier", () => {
    const target = "<opModTargetW><multiplier>1</multiplier><value>-4000</value></opModTargetW>";
    expect(read(SOUND.replace("<opModFixedW>7000</opModFixedW>", target))).toMatchObject({
      modes: { targetW: -40000 },
    });
  });

  const without = (name: string) => SOUND.replace(new RegExp(`<${name}>.*?</${name}>`), "");
  const base = (xml: string) =>
    SOUND.replace(/<DERControlBase>.*<\/DERControlBase>/, `<DERControlBase>${xml}</DERControlBase>`);
  test.each([
    ["no mRID", without("mRID"), "DERControl lacks mRID"],
    ["no creationTime", without("creationTime"), "DERControl lacks creationTime"],
    ["no EventStatus", without("EventStatus"), "DERControl lacks EventStatus"],
    ["no potentiallySuperseded", without("potentiallySuperseded"), "EventStatus lacks potentiallySuperseded"],
    ["no interval", without("interval"), "DERControl lacks interval"],
    ["no start", without("start"), "interval lacks start"],
    ["no DERControlBase", without("DERControlBase"), "DERControl lacks DERControlBase"],
    [
      "start before duration",
      SOUND.replace(/(<duration>\d+<\/duration>)(<start>\d+<\/start>)/, "$2$1"),
      "duration is out of order",
    ],
    ["rampTms first", base("<rampTms>1</rampTms><opModFixedW>1</opModFixedW>"), "opModFixedW is out of order"],
    [
      "TargetW before MaxLimW",
      base("<opModTargetW><multiplier>0</multiplier><value>1</value></opModTargetW><opModMaxLimW>1</opModMaxLimW>"),
      "opModMaxLimW is out of order",
    ],
    ["opModFixedW twice", base("<opModFixedW>1</opModFixedW><opModFixedW>1</opModFixedW>"), "stands twice"],
    ["opModFixedW of 12000", base("<opModFixedW>12000</opModFixedW>"), "outside -10000 to 10000"],
    ["opModFixedW of -10001", base("<opModFixedW>-10001</opModFixedW>"), "outside -10000 to 10000"],
    ["opModFixedW of 70.5", base("<opModFixedW>70.5</opModFixedW>"), "not a whole number"],
    ["opModMaxLimW below 0", base("<opModMaxLimW>-1</opModMaxLimW>"), "outside 0 to 10000"],
    [
      "opModTargetW of 40000 W",
      base("<opModTargetW><multiplier>0</multiplier><value>40000</value></opModTargetW>"),
      "outside -32768 to 32767",
    ],
    [
      "value before multiplier",
      base("<opModTargetW><value>1</value><multiplier>0</multiplier></opModTargetW>"),
      "multiplier is out of order",
    ],
    [
      "two orders at once",
      base("<opModFixedW>1</opModFixedW><opModTargetW><multiplier>0</multiplier><value>1</value></opModTargetW>"),
      "contradict",
    ],
    ["an unknown element", base("<opModBanana>1</opModBanana>"), "must not contain opModBanana"],
    [
      "the seed's own startTime",
      SOUND.replace("</DERControl>", "<startTime>1</startTime></DERControl>"),
      "must not contain startTime",
    ],
    ["a duration of 0", SOUND.replace("3600", "0"), "lasts 0 s"],
    ["an odd mRID", SOUND.replace("00009F1C<", "00009F1<"), "mRID is"],
    ["an mRID of letters", SOUND.replace("00009F1C<", "00009FXY<"), "mRID is"],
    [
      "a randomizeStart of two hours",
      SOUND.replace("<randomizeStart>0", "<randomizeStart>7200"),
      "outside -3600 to 3600",
    ],
    ["a strange namespace", SOUND.replace("urn:ieee:std:2030.5:ns", "http://ieee.org/2030.5"), "is in the namespace"],
  ])("%s is answered with 253", (_what, xml, reason) => {
    expect(xml).not.toBe(SOUND);
    const refused = read(xml);
    expect(refused).toMatchObject({ status: 253, addressee: { replyTo: "/r", wanted: 3 } });
    expect("reason" in refused && refused.reason).toContain(reason);
  });

  test.each([
    ["a mode that it did not name", SOUND, ["opModMaxLimW"] as const, "opModFixedW is not supported"],
    ["no mode at all", base("<rampTms>1</rampTms>"), ALL, "holds no control"],
    [
      "a mode of an extension",
      base(
        '<c:opModExpLimW xmlns:c="https://csipaus.org/ns"><multiplier>0</multiplier><value>1</value></c:opModExpLimW>',
      ),
      ALL,
      "opModExpLimW is not supported",
    ],
  ])("%s is answered with 252", (_what, xml, supported, reason) => {
    const refused = read(xml, [...supported]);
    expect(refused).toMatchObject({ status: 252 });
    expect("reason" in refused && refused.reason).toContain(reason);
  });

  test.each([
    ["nothing", ""],
    ["no XML", "{}"],
    ["an open end", SOUND.slice(0, -3)],
    ["a second root", `${SOUND}${SOUND}`],
    ["a second, strange root", `${SOUND}<a/>`],
    ["trailing text", `${SOUND}x`],
    ["an unbound prefix", SOUND.replaceAll("opModFixedW", "x:opModFixedW")],
    ["a document type", `<!DOCTYPE a>${SOUND}`],
    ["an external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>${SOUND.replace("market", "&x;")}`],
    ["an endless nesting", `${"<a>".repeat(100)}${"</a>".repeat(100)}`],
  ])("%s is no document", (_what, xml) => {
    expect(() => read(xml)).toThrow(/well-formed|root element|declaration|empty|nested/);
  });

  test("lists must count themselves, and links must lead somewhere", () => {
    const list = (attributes: string, inner = "") =>
      parseXml(`<DERProgramList xmlns="urn:ieee:std:2030.5:ns" ${attributes}>${inner}</DERProgramList>`);
    expect(() => checkShape(list('all="0" results="0"'))).not.toThrow();
    expect(() => checkShape(list('all="0"'))).toThrow("lacks the attribute results");
    const program = "<DERProgram><mRID>01</mRID><DERControlListLink/><primacy>1</primacy></DERProgram>";
    expect(() => checkShape(list('all="1" results="1"', program))).toThrow("DERControlListLink has no href");
    expect(() => checkShape(list('all="1" results="1"', "<DERProgram><mRID>01</mRID></DERProgram>"))).toThrow(
      "DERProgram lacks primacy",
    );
  });
});
