import { expect, test } from "vitest";
import { PolledSite, sep } from "../support/polled-site.ts";

const TYPE = "<ReadingType><flowDirection>1</flowDirection><uom>38</uom></ReadingType>";
const series = (mRID: string, more = TYPE) => `<mRID>${mRID}</mRID>${more}`;
const usagePoint = (lfdi: string, mRID: string, seriesMRID: string) =>
  sep(
    "MirrorUsagePoint",
    `<mRID>${mRID}</mRID><roleFlags>0049</roleFlags><serviceCategoryKind>0</serviceCategoryKind><status>1</status>` +
      `<deviceLFDI>${lfdi}</deviceLFDI><MirrorMeterReading>${series(seriesMRID)}</MirrorMeterReading>`,
  );

test("the mRID of a meter is its first device's, until that device takes it back", async () => {
  await using site = await PolledSite.open([{ kind: "solar" }, { kind: "solar" }]);
  const post = async (path: string, body: string, device: number, method = "POST") =>
    (await site.ask(path, { method, body }, device)).status;
  const [first, second] = [site.lfdi(0), site.lfdi(1)];
  expect(await post("/mup", usagePoint(first, "0A01", "0A02"), 0)).toBe(201);
  expect(await post("/mup", usagePoint(second, "0B01", "0B02"), 1)).toBe(201);

  // Under each name that it could come by: of a usage point, of a series in it, of one sent alone or in a list.
  const refused = await site.ask("/mup", { method: "POST", body: usagePoint(second, "0B01", "0A02") }, 1);
  expect(refused.status).toBe(409);
  expect(refused.body).toMatch(/^mRID 0{28}0A02 is that of another device's meter$/);
  expect(await post("/mup", usagePoint(second, "000A01", "0B03"), 1)).toBe(409);
  expect(await post("/mup", usagePoint(second, "0A02", "0B03"), 1)).toBe(409);
  expect(await post("/mup/1", sep("MirrorMeterReading", series("0a02")), 1)).toBe(409);
  expect(await post("/mup/1", usagePoint(second, "0B01", "0A02"), 1, "PUT")).toBe(409);
  const list = `<MirrorMeterReading>${series("0B02", "")}</MirrorMeterReading><MirrorMeterReading>${series("0A01")}</MirrorMeterReading>`;
  expect(await post("/mup/1", sep("MirrorMeterReadingList", list), 1)).toBe(409);
  const { body } = await site.ask("/mup/1", {}, 1);
  expect([body.match(/<mRID>\w+/g)]).toEqual([["<mRID>0B01", "<mRID>0B02"]]);

  // Its own ones it may send as often as it likes, and what the other gave up is free.
  expect(await post("/mup/1", sep("MirrorMeterReading", series("0B02")), 1)).toBe(201);
  expect(await post("/mup", usagePoint(first, "0A01", "0A02"), 0)).toBe(204);
  expect((await site.ask("/mup/1", { method: "DELETE" }, 0)).status).toBe(204);
  expect(await post("/mup", usagePoint(second, "0A01", "0A02"), 1)).toBe(201);
});
