import { sfdiOf } from "../der/identity.ts";
import { canonicalHex, required } from "../der/values.ts";
import { childOf, parseXml, type XmlElement, XmlFault } from "../der/xml-in.ts";
import { group, leaf, type XmlNode } from "../der/xml-out.ts";
import { type Answer, refusal } from "./answer.ts";
import type { DerDocument, EndDevice } from "./device-book.ts";
import { derDocument, endDeviceDocument, registrationDocument } from "./documents.ts";
import { listPage } from "./list-page.ts";
import { documentIn, type UtilityRequest } from "./request.ts";
import { DEFAULT_PIN, type Utility } from "./utility.ts";

const DER_NAMES: Readonly<Record<DerDocument, string>> = {
  dercap: "DERCapability",
  derg: "DERSettings",
  ders: "DERStatus",
  dera: "DERAvailability",
};

export function endDeviceList(utility: Utility, request: UtilityRequest): Answer {
  if (request.method === "POST") return registerInBand(utility, request);
  const items = utility.devices.visibleTo(request.client).map((device) => deviceNode(utility, device));
  const attributes = { subscribable: 1, pollRate: utility.rates.edevListS };
  return { status: 200, document: listPage("EndDeviceList", "/edev", items, request.query, attributes) };
}

export function endDevice(utility: Utility, device: EndDevice): Answer {
  return { status: 200, document: deviceNode(utility, device) };
}

export function registration(utility: Utility, device: EndDevice): Answer {
  if (!utility.hasRegistrationLinks) return refusal(404, "no registration is served");
  return { status: 200, document: registrationDocument(device, utility.rates.edevListS) };
}

/** CSIP-AUS: the id of the connection point (NMI) behind which the device is. */
export function connectionPoint(device: EndDevice, request: UtilityRequest): Answer {
  if (request.method === "PUT" || request.method === "POST") {
    // CSIP-AUS's own namespace, so that the standard's schema has no word on it.
    const root = parseXml(request.body);
    if (root.name !== "ConnectionPoint" || !root.namespace.startsWith("https://csipaus.org/ns"))
      return refusal(400, "the document is no ConnectionPoint of CSIP-AUS");
    const id = root.children.find(({ name }) => name === "connectionPointId" || name === "id")?.text ?? "";
    if (id === "") return refusal(400, "ConnectionPoint lacks connectionPointId");
    device.connectionPointId = id;
    return { status: 204 };
  }
  const { connectionPointId } = device;
  const id = connectionPointId === undefined ? undefined : leaf("csipaus:connectionPointId", connectionPointId);
  return { status: 200, document: group("csipaus:ConnectionPoint", id) };
}

export function derList(utility: Utility, device: EndDevice, request: UtilityRequest): Answer {
  const attributes = { pollRate: utility.rates.derListS };
  const document = listPage("DERList", `/edev/${device.id}/der`, [derDocument(device)], request.query, attributes);
  return { status: 200, document };
}

export function derResource(device: EndDevice, kind: DerDocument, request: UtilityRequest): Answer {
  if (request.method === "PUT" || request.method === "POST") {
    device.der.set(kind, documentIn(request, DER_NAMES[kind]));
    return { status: 204 };
  }
  const kept = device.der.get(kind);
  if (kept === undefined) return refusal(404, `no ${DER_NAMES[kind]} was sent yet`);
  return { status: 200, document: nodeFrom(kept) };
}

export function logEvents(device: EndDevice, request: UtilityRequest): Answer {
  const href = `/edev/${device.id}/lel`;
  if (request.method === "POST") {
    device.logEvents.push(documentIn(request, "LogEvent"));
    if (device.logEvents.length > 200) device.logEvents.shift();
    return { status: 201, location: `${href}/${device.logEvents.length}` };
  }
  return { status: 200, document: listPage("LogEventList", href, device.logEvents.map(nodeFrom), request.query) };
}

function deviceNode(utility: Utility, device: EndDevice): XmlNode {
  return endDeviceDocument(device, {
    postRateS: utility.rates.edevPostS,
    assignments: utility.book.assignments().length,
    hasRegistrationLink: utility.hasRegistrationLinks,
  });
}

/** The LFDI must be the one of the certificate, the SFDI must follow from it, and nobody registers twice. */
function registerInBand(utility: Utility, request: UtilityRequest): Answer {
  if (!utility.inBandRegistration) return refusal(403, "devices are registered out of band");
  const root = documentIn(request, "EndDevice");
  const lfdi = childOf(root, "lFDI")?.text.toUpperCase() ?? request.client;
  if (!/^[0-9A-F]{2,40}$/.test(lfdi)) throw new XmlFault(`lFDI is "${lfdi}", not hexadecimal`);
  if (canonicalHex(lfdi) !== canonicalHex(request.client))
    return refusal(403, "lFDI is not the one of the client's certificate");
  if (required(root, "sFDI").text.replace(/^0+/, "") !== sfdiOf(request.client).replace(/^0+/, "")) {
    return refusal(400, "sFDI does not follow from lFDI");
  }
  const known = utility.devices.find(request.client);
  if (known !== undefined) return refusal(409, "this device is registered already");
  const deviceCategory = childOf(root, "deviceCategory")?.text;
  const device = utility.registerDevice({
    lfdi: request.client,
    pin: DEFAULT_PIN,
    ...(deviceCategory !== undefined && { deviceCategory }),
  });
  return { status: 201, location: `/edev/${device.id}` };
}

/** A document as it came, for those who ask what was kept. */
function nodeFrom(element: XmlElement): XmlNode {
  const isAus = element.namespace.startsWith("https://csipaus.org/");
  return {
    name: isAus ? `csipaus:${element.name}` : element.name,
    content: element.children.length > 0 ? element.children.map(nodeFrom) : element.text,
    attributes: Object.fromEntries(element.attributes),
  };
}
