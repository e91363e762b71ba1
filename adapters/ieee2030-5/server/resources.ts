import type { Clock } from "../../../src/clock.ts";
import { controlDocument } from "../controls/control-document.ts";
import { type ControlEvent, EVENT_ACTIVE } from "../controls/control-event.ts";
import { DER_DOCUMENTS, type DerDocument } from "../der-record.ts";
import type { PolledDevice } from "../polled-device.ts";
import type { XmlElement } from "../xml/xml-element.ts";
import { echo, type OutElement } from "../xml/xml-write.ts";
import { type Answer, changed, created, failure, found } from "./answer.ts";
import {
  defaultControl,
  der,
  derProgram,
  deviceCapability,
  endDevice,
  functionSetAssignments,
  registration,
  timeDocument,
} from "./documents.ts";
import { type ListQuery, listDocument, pageOf, readListQuery } from "./list-page.ts";
import { DCAP, type DevicePaths, devicePaths, EDEV_LIST, MIRROR_LIST, TIME } from "./paths.ts";

/** What may be done with one resource. HEAD goes with GET. */
export interface Resource {
  readonly get?: (query: ListQuery) => Answer;
  readonly put?: (document: XmlElement) => Answer;
  readonly post?: (document: XmlElement) => Answer;
  readonly remove?: () => Answer;
}

type Method = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

/** A request of a device that is known, its body parsed. */
export interface DeviceRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Methods of a resource, for the Allow header. */
function allowed(resource: Resource): readonly Method[] {
  return [
    ...(resource.get === undefined ? [] : (["GET", "HEAD"] as const)),
    ...(resource.put === undefined ? [] : (["PUT"] as const)),
    ...(resource.post === undefined ? [] : (["POST"] as const)),
    ...(resource.remove === undefined ? [] : (["DELETE"] as const)),
  ];
}

/**
 * Finds what a device asks for. It sees itself and nobody else.
 * @returns the resource, or the refusal
 */
export function findResource(path: string, device: PolledDevice, clock: Clock): Resource | Answer {
  const paths = devicePaths(device.number);
  const owner = /^\/(?:edev|rsps)\/(\d{1,9})(?:\/|$)/.exec(path)?.[1];
  if (owner !== undefined && Number(owner) !== device.number) return failure(403, "belongs to another device");
  const resource = fixedResources(device, paths, clock).get(path) ?? numberedResource(path, device, paths);
  return resource ?? failure(404, "no such resource");
}

/** Runs a method of a resource. @throws BadDocument from PUT and POST */
export function useResource(resource: Resource, request: DeviceRequest, body: XmlElement | undefined): Answer {
  switch (request.method) {
    case "GET":
    case "HEAD": {
      const query = readListQuery(request.query);
      if (query === undefined) return failure(400, "s, l and a must be whole numbers");
      return resource.get?.(query) ?? notAllowed(resource);
    }
    case "PUT":
      return body === undefined ? notAllowed(resource) : (resource.put?.(body) ?? notAllowed(resource));
    case "POST":
      return body === undefined ? notAllowed(resource) : (resource.post?.(body) ?? notAllowed(resource));
    case "DELETE":
      return resource.remove?.() ?? notAllowed(resource);
    default:
      return notAllowed(resource);
  }
}

function notAllowed(resource: Resource): Answer {
  return { status: 405, allow: allowed(resource).join(", "), reason: "method not allowed" };
}

function fixedResources(device: PolledDevice, paths: DevicePaths, clock: Clock): ReadonlyMap<string, Resource> {
  const shown = (document: () => OutElement): Resource => ({ get: () => found(document()) });
  const polled = { pollRate: device.pollRateS };
  const single = (name: string, href: string, item: () => OutElement): Resource =>
    list(name, { href, ...polled }, () => [item()]);
  return new Map<string, Resource>([
    [DCAP, shown(() => deviceCapability(device))],
    [TIME, shown(() => timeDocument(clock.now()))],
    [EDEV_LIST, single("EndDeviceList", EDEV_LIST, () => endDevice(device, paths))],
    [paths.edev, shown(() => endDevice(device, paths))],
    [paths.registration, shown(() => registration(device, paths))],
    [paths.fsaList, single("FunctionSetAssignmentsList", paths.fsaList, () => functionSetAssignments(device, paths))],
    [paths.fsa, shown(() => functionSetAssignments(device, paths))],
    [paths.programList, single("DERProgramList", paths.programList, () => derProgram(device, paths))],
    [paths.program, shown(() => derProgram(device, paths))],
    [paths.defaultControl, shown(() => defaultControl(device, paths))],
    [paths.controlList, controlList(device, paths, paths.controlList, () => device.desk.controls())],
    [
      paths.activeControlList,
      controlList(device, paths, paths.activeControlList, () =>
        device.desk.controls().filter((event) => event.status === EVENT_ACTIVE),
      ),
    ],
    [paths.derList, single("DERList", paths.derList, () => der(paths))],
    [paths.der, shown(() => der(paths))],
    ...(Object.keys(DER_DOCUMENTS) as DerDocument[]).map((kind): [string, Resource] => [
      `${paths.der}/${kind}`,
      derDocument(kind, device, `${paths.der}/${kind}`),
    ]),
    [paths.responses, responses(device, paths)],
    [MIRROR_LIST, mirrorList(device)],
  ]);
}

function numberedResource(path: string, device: PolledDevice, paths: DevicePaths): Resource | undefined {
  const slash = path.lastIndexOf("/");
  const parent = path.slice(0, slash);
  const digits = path.slice(slash + 1);
  if (!/^\d{1,9}$/.test(digits)) return undefined;
  const id = Number(digits);
  if (parent === paths.controlList) {
    const event = device.desk.controls().find((candidate) => candidate.id === id);
    if (event === undefined) return undefined;
    return {
      get: () => {
        device.desk.fetched([event]);
        return found(controlElement(event, device, paths));
      },
    };
  }
  if (parent === MIRROR_LIST && device.mirrors.ids.includes(id)) return mirror(id, device);
  return undefined;
}

function list(name: string, attributes: OutElement["attributes"], items: () => readonly OutElement[]): Resource {
  return {
    get: (query) => {
      const { all, page } = pageOf(items(), query);
      return found(listDocument(name, attributes, all, page));
    },
  };
}

function controlList(
  device: PolledDevice,
  paths: DevicePaths,
  href: string,
  events: () => readonly ControlEvent[],
): Resource {
  return {
    get: (query) => {
      const { after } = query;
      const wanted = events().filter((event) => after === undefined || event.startS > after);
      const { all, page } = pageOf(wanted, query);
      device.desk.fetched(page);
      return found(
        listDocument(
          "DERControlList",
          { href },
          all,
          page.map((event) => controlElement(event, device, paths)),
        ),
      );
    },
  };
}

function controlElement(event: ControlEvent, device: PolledDevice, paths: DevicePaths): OutElement {
  const href = `${paths.controlList}/${event.id}`;
  return controlDocument(event, { href, replyTo: paths.responses, ...device.writing });
}

function derDocument(kind: DerDocument, device: PolledDevice, href: string): Resource {
  return {
    get: () => {
      const document = device.record.get(kind);
      return document === undefined ? failure(404, "not put yet") : found(echo(document, { href }));
    },
    put: (document) => {
      device.described(kind, document);
      return changed();
    },
  };
}

function responses(device: PolledDevice, paths: DevicePaths): Resource {
  return {
    post: (document) => {
      const number = device.responded(document);
      if (number === undefined) return failure(400, "subject is no event of this device");
      return created(`${paths.responses}/${number}`);
    },
  };
}

function mirrorList(device: PolledDevice): Resource {
  const items = () =>
    device.mirrors.ids
      .map((id) => device.mirrors.document(id, `${MIRROR_LIST}/${id}`, device.postRateS))
      .filter((item) => item !== undefined);
  return {
    ...list("MirrorUsagePointList", { href: MIRROR_LIST, pollRate: device.pollRateS }, items),
    post: (document) => {
      const { id, isNew, values } = device.mirrors.post(document);
      device.metered(values);
      const href = `${MIRROR_LIST}/${id}`;
      return isNew ? created(href) : changed(href);
    },
  };
}

function mirror(id: number, device: PolledDevice): Resource {
  const href = `${MIRROR_LIST}/${id}`;
  const take = (document: XmlElement, answer: Answer): Answer => {
    const values = device.mirrors.record(id, document);
    if (values === undefined) return failure(404, "no such usage point");
    device.metered(values);
    return answer;
  };
  return {
    get: () => {
      const document = device.mirrors.document(id, href, device.postRateS);
      return document === undefined ? failure(404, "no such usage point") : found(document);
    },
    put: (document) => take(document, changed()),
    post: (document) => take(document, created(href)),
    remove: () => (device.mirrors.remove(id) ? changed() : failure(404, "no such usage point")),
  };
}
