import { canonicalHex, required } from "../der/values.ts";
import { leaf, type XmlNode } from "../der/xml-out.ts";
import { type Answer, refusal } from "./answer.ts";
import { withAttributes } from "./documents.ts";
import { listPage } from "./list-page.ts";
import type { UsagePoint } from "./mirror-book.ts";
import { documentIn, type UtilityRequest } from "./request.ts";
import type { Utility } from "./utility.ts";

export function mirrorList(utility: Utility, request: UtilityRequest): Answer {
  if (request.method === "POST") {
    const root = documentIn(request, "MirrorUsagePoint");
    const device = utility.devices.find(required(root, "deviceLFDI").text);
    if (device === undefined || device.owner !== request.client)
      return refusal(400, "deviceLFDI is not that of a device of this client");
    const { point, isNew } = utility.mirrors.put(root, request.client);
    return { status: isNew ? 201 : 204, location: `/mup/${point.id}` };
  }
  const items = utility.mirrors.visibleTo(request.client).map((point) => pointNode(utility, point));
  const attributes = { pollRate: utility.rates.mupPostS };
  return { status: 200, document: listPage("MirrorUsagePointList", "/mup", items, request.query, attributes) };
}

export function mirrorPoint(utility: Utility, id: number, request: UtilityRequest): Answer {
  const point = utility.mirrors.visibleTo(request.client).find((one) => one.id === id);
  if (point === undefined) return refusal(404, "there is no such usage point");
  if (request.method === "DELETE") {
    utility.mirrors.remove(point);
    return { status: 204 };
  }
  if (request.method === "PUT") {
    const root = documentIn(request, "MirrorUsagePoint");
    if (canonicalHex(required(root, "mRID").text) !== point.mRID) return refusal(400, "mRID never changes");
    utility.mirrors.put(root, request.client);
    return { status: 204 };
  }
  if (request.method === "POST") {
    const root = documentIn(request, "MirrorMeterReading", "MirrorMeterReadingList");
    for (const element of root.name === "MirrorMeterReading" ? [root] : root.children)
      utility.mirrors.addReadings(point, element);
    return { status: 201, location: `/mup/${point.id}` };
  }
  return { status: 200, document: pointNode(utility, point) };
}

function pointNode(utility: Utility, point: UsagePoint): XmlNode {
  const kept = point.element.children
    .filter(({ name }) => !["MirrorMeterReading", "postRate"].includes(name))
    .map(({ name, text }) => leaf(name, text));
  const node = { name: "MirrorUsagePoint", content: [...kept, leaf("postRate", utility.rates.mupPostS)] };
  return withAttributes(node, { href: `/mup/${point.id}` });
}
