import { canonicalHex } from "../../simulators/der/values.ts";
import type { XmlElement } from "../../simulators/der/xml-in.ts";
import { memberOf } from "../client/der-contents.ts";
import { Failed } from "../outcome.ts";
import { type DeviceClient, documentOf, type Reply } from "./device-client.ts";

/** A resource as it was last seen. */
export interface Found {
  readonly href: string;
  readonly element: XmlElement;
  /** Of the program it belongs to, where it belongs to one. */
  readonly primacy?: number;
  /** Which assignment it belongs to, from 0, where it belongs to one. */
  readonly assignment?: number;
}

/** Where a resource is linked: in which other one, by which link; or which list it is an item of. */
const LINKED: Readonly<Record<string, { readonly in: string; readonly by: string } | { readonly itemOf: string }>> = {
  Time: { in: "DeviceCapability", by: "TimeLink" },
  MirrorUsagePointList: { in: "DeviceCapability", by: "MirrorUsagePointListLink" },
  MirrorUsagePoint: { itemOf: "MirrorUsagePointList" },
  EndDeviceList: { in: "DeviceCapability", by: "EndDeviceListLink" },
  EndDevice: { itemOf: "EndDeviceList" },
  Registration: { in: "EndDevice", by: "RegistrationLink" },
  SubscriptionList: { in: "EndDevice", by: "SubscriptionListLink" },
  Subscription: { itemOf: "SubscriptionList" },
  DERList: { in: "EndDevice", by: "DERListLink" },
  DER: { itemOf: "DERList" },
  FunctionSetAssignmentsList: { in: "EndDevice", by: "FunctionSetAssignmentsListLink" },
  FunctionSetAssignments: { itemOf: "FunctionSetAssignmentsList" },
  DERProgramList: { in: "FunctionSetAssignments", by: "DERProgramListLink" },
  DERProgram: { itemOf: "DERProgramList" },
  DERControlList: { in: "DERProgram", by: "DERControlListLink" },
  DERControl: { itemOf: "DERControlList" },
  DefaultDERControl: { in: "DERProgram", by: "DefaultDERControlLink" },
};

const PAGE = 50;
const MAX_PAGES = 20;

/** What one device has found at the server, by walking its links from the DeviceCapability on. */
export class DiscoveryWalk {
  readonly found = new Map<string, readonly Found[]>();
  readonly #client: DeviceClient;
  readonly #lfdi: string;
  /** How wide the last time answer was, for judging it. */
  time: Reply | undefined;

  constructor(client: DeviceClient, lfdi: string) {
    this.#client = client;
    this.#lfdi = lfdi;
  }

  /** All seen of one kind. */
  all(name: string): readonly Found[] {
    return this.found.get(name) ?? [];
  }

  /** Walks to each of the resources, anew from the start. @param limit items of a list; absent: all, page by page */
  async discover(names: readonly string[], limit?: number): Promise<void> {
    const fresh = new Set<string>();
    for (const name of names) await this.#fetch(name, fresh, limit);
  }

  async #fetch(name: string, fresh: Set<string>, limit: number | undefined): Promise<void> {
    if (fresh.has(name)) return;
    fresh.add(name);
    if (name === "DeviceCapability") {
      this.found.set(name, [await this.#get("/dcap", name)]);
      return;
    }
    const place = LINKED[name];
    if (place === undefined) throw new Failed(`nobody knows where ${name} is linked`);
    if ("itemOf" in place) {
      await this.#fetch(place.itemOf, fresh, limit);
      const items = this.all(place.itemOf).flatMap((list) => itemsOf(list, name));
      this.found.set(name, name === "EndDevice" ? items.filter(({ element }) => this.isOwn(element)) : items);
      return;
    }
    await this.#fetch(place.in, fresh, limit);
    const isList = name.endsWith("List");
    const seen: Found[] = [];
    for (const [index, parent] of this.all(place.in).entries()) {
      const href = memberOf(parent.element, place.by)?.attributes.get("href");
      if (href === undefined) continue;
      const primacy = Number(memberOf(parent.element, "primacy")?.text ?? Number.NaN);
      const one = isList ? await this.#getList(href, name, limit) : await this.#get(href, name);
      const assignment = place.in === "FunctionSetAssignments" ? index : parent.assignment;
      seen.push({
        ...one,
        ...(!Number.isNaN(primacy) && { primacy }),
        ...(assignment !== undefined && { assignment }),
      });
    }
    this.found.set(name, seen);
  }

  /** True for an EndDevice that names this device. */
  isOwn(element: XmlElement): boolean {
    return canonicalHex(memberOf(element, "lFDI")?.text ?? "") === canonicalHex(this.#lfdi);
  }

  async #get(href: string, name: string): Promise<Found> {
    const reply = await this.#client.send("GET", href);
    if (name === "Time") this.time = reply;
    if (reply.status !== 200) throw new Failed(`GET ${href}: status ${reply.status}`);
    const element = documentOf(reply);
    if (element.name !== name) throw new Failed(`GET ${href}: ${element.name}, not ${name}`);
    return { href, element };
  }

  async #getList(href: string, name: string, limit: number | undefined): Promise<Found> {
    const items: XmlElement[] = [];
    for (let page = 0; page < MAX_PAGES; page++) {
      const separator = href.includes("?") ? "&" : "?";
      const { element } = await this.#get(`${href}${separator}s=${items.length}&l=${limit ?? PAGE}`, name);
      const [all, results] = ["all", "results"].map((attribute) => Number(element.attributes.get(attribute)));
      if (results !== element.children.length)
        throw new Failed(`GET ${href}: results is ${results} and ${element.children.length} elements came`);
      items.push(...element.children);
      const isDone = limit !== undefined || items.length >= (all ?? 0) || element.children.length === 0;
      if (isDone) return { href, element: { ...element, children: items } };
    }
    throw new Failed(`GET ${href}: the list does not end`);
  }
}

function itemsOf({ element, primacy, assignment }: Found, name: string): Found[] {
  return element.children
    .filter((child) => child.name === name)
    .map((child) => ({
      href: child.attributes.get("href") ?? "",
      element: child,
      ...(primacy !== undefined && { primacy }),
      ...(assignment !== undefined && { assignment }),
    }));
}
