import { hexOf, required, wholeNumber } from "../der/values.ts";
import { XmlFault } from "../der/xml-in.ts";
import { type Answer, refusal } from "./answer.ts";
import type { DerDocument, EndDevice } from "./device-book.ts";
import {
  connectionPoint,
  derList,
  derResource,
  endDevice,
  endDeviceList,
  logEvents,
  registration,
} from "./device-routes.ts";
import { capabilityDocument, derDocument, timeDocument } from "./documents.ts";
import { mirrorList, mirrorPoint } from "./mirror-routes.ts";
import { assignmentList, programList, programResource } from "./program-routes.ts";
import { documentIn, type UtilityRequest } from "./request.ts";
import { subscriptionList, subscriptionResource } from "./subscription-routes.ts";
import type { Utility } from "./utility.ts";

/** One kind of resource: where it is, and what may be done with it. */
interface Route {
  readonly path: RegExp;
  readonly methods: string;
  readonly serve: (utility: Utility, request: UtilityRequest, parts: readonly string[]) => Answer;
}

/** A resource of one device: to be seen with the certificate that owns the device, and with no other. */
function ofDevice(
  serve: (utility: Utility, device: EndDevice, request: UtilityRequest, parts: readonly string[]) => Answer,
): Route["serve"] {
  return (utility, request, [id = "", ...parts]) => {
    const device = utility.devices.devices.find((one) => one.id === Number(id));
    if (device === undefined) return refusal(404, "there is no such device");
    if (device.owner !== request.client) return refusal(403, "the device is somebody else's");
    return serve(utility, device, request, parts);
  };
}

const ROUTES: readonly Route[] = [
  { path: /^\/dcap$/, methods: "GET", serve: capability },
  { path: /^\/tm$/, methods: "GET", serve: (utility) => ({ status: 200, document: timeDocument(utility.nowS()) }) },
  { path: /^\/edev$/, methods: "GET POST", serve: endDeviceList },
  { path: /^\/edev\/0\/sub$/, methods: "GET POST", serve: subscriptionList },
  {
    path: /^\/edev\/0\/sub\/(\d+)$/,
    methods: "GET DELETE",
    serve: (utility, request, [id]) => subscriptionResource(utility, Number(id), request),
  },
  { path: /^\/edev\/(\d+)$/, methods: "GET", serve: ofDevice(endDevice) },
  { path: /^\/edev\/(\d+)\/rg$/, methods: "GET", serve: ofDevice(registration) },
  {
    path: /^\/edev\/(\d+)\/cp$/,
    methods: "GET PUT POST",
    serve: ofDevice((_utility, device, request) => connectionPoint(device, request)),
  },
  {
    path: /^\/edev\/(\d+)\/lel$/,
    methods: "GET POST",
    serve: ofDevice((_utility, device, request) => logEvents(device, request)),
  },
  { path: /^\/edev\/(\d+)\/der$/, methods: "GET", serve: ofDevice(derList) },
  {
    path: /^\/edev\/(\d+)\/der\/1$/,
    methods: "GET",
    serve: ofDevice((_utility, device) => ({ status: 200, document: derDocument(device) })),
  },
  {
    path: /^\/edev\/(\d+)\/der\/1\/(dercap|derg|ders|dera)$/,
    methods: "GET PUT POST",
    serve: ofDevice((_utility, device, request, [kind]) => derResource(device, kind as DerDocument, request)),
  },
  { path: /^\/edev\/(\d+)\/fsa$/, methods: "GET", serve: ofDevice(assignmentList) },
  {
    path: /^\/edev\/(\d+)\/fsa\/(\d+)\/derp$/,
    methods: "GET",
    serve: ofDevice((utility, device, request, [fsaId]) => programList(utility, device, Number(fsaId), request)),
  },
  { path: /^\/edev\/(\d+)\/derp\/(\d+)\/?(.*)$/, methods: "GET", serve: ofDevice(program) },
  { path: /^\/edev\/(\d+)\/rsps\/site_control\/rsp$/, methods: "POST", serve: ofDevice(response) },
  { path: /^\/mup$/, methods: "GET POST", serve: mirrorList },
  {
    path: /^\/mup\/(\d+)$/,
    methods: "GET PUT POST DELETE",
    serve: (utility, request, [id]) => mirrorPoint(utility, Number(id), request),
  },
];

/** Answers one request. Never throws for what a client sent. */
export function serve(utility: Utility, request: UtilityRequest): Answer {
  if (utility.isOut) return refusal(500, "out of service");
  const method = request.method === "HEAD" ? "GET" : request.method;
  for (const route of ROUTES) {
    const match = route.path.exec(request.path);
    if (match === null) continue;
    const allow = route.methods.replaceAll(" ", ", ");
    if (!route.methods.split(" ").includes(method)) return { ...refusal(405, `${method} is not served`), allow };
    try {
      return route.serve(utility, { ...request, method }, match.slice(1));
    } catch (error) {
      if (error instanceof XmlFault) return refusal(400, error.message);
      if (error instanceof RangeError) return refusal(503, error.message);
      throw error;
    }
  }
  return refusal(404, "there is no such resource");
}

function capability(utility: Utility, { client }: UtilityRequest): Answer {
  const counts = {
    devices: utility.devices.visibleTo(client).length,
    mirrors: utility.mirrors.visibleTo(client).length,
  };
  return { status: 200, document: capabilityDocument(utility.rates, counts) };
}

function program(utility: Utility, device: EndDevice, request: UtilityRequest, parts: readonly string[]): Answer {
  const [id = "", rest = ""] = parts;
  const found = utility.book.programs.find((one) => one.id === Number(id));
  if (found === undefined) return refusal(404, "there is no such program");
  return programResource(utility, device, found, rest, request);
}

/** A Response must be about a control that was published here, and come from the device that it names. */
function response(utility: Utility, device: EndDevice, request: UtilityRequest): Answer {
  const root = documentIn(request, "DERControlResponse");
  const subject = hexOf(required(root, "subject"), 16);
  const about = utility.devices.find(required(root, "endDeviceLFDI").text);
  if (about !== device) return refusal(400, "endDeviceLFDI is not that of the device");
  const isKnown = utility.book.programs.some(({ controls }) => controls.some(({ mRID }) => sameHex(mRID, subject)));
  if (!isKnown) return refusal(400, "subject is no control that was published");
  const status = wholeNumber(required(root, "status"), 0, 255);
  utility.devices.addResponse({ deviceId: device.id, subject, status, atS: utility.nowS() });
  return { status: 201, location: `/edev/${device.id}/rsps/site_control/rsp/${utility.devices.responses.length}` };
}

function sameHex(mRID: string, canonical: string): boolean {
  return mRID.toUpperCase().replace(/^0+(?=.)/, "") === canonical;
}
