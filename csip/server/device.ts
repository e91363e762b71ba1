import { ownMrid, sfdiOf } from "../../simulators/der/identity.ts";
import { canonicalHex } from "../../simulators/der/values.ts";
import type { XmlElement } from "../../simulators/der/xml-in.ts";
import { group, leaf, writeXml, type XmlNode } from "../../simulators/der/xml-out.ts";
import type { Clock } from "../../src/clock.ts";
import { memberOf, numberIn } from "../client/der-contents.ts";
import { Failed, NotRun } from "../outcome.ts";
import { type DeviceClient, documentOf, type Reply } from "./device-client.ts";
import { DiscoveryWalk, type Found } from "./discovery-walk.ts";
import { type MeterPlan, readingsXml, usagePointXml } from "./meter-documents.ts";
import type { NotificationSink } from "./notification-sink.ts";

type Parameters = Readonly<Record<string, unknown>>;

/** A Response that was sent. */
export interface SentResponse {
  readonly subject: string;
  readonly status: number;
}

/** A device that does step by step what a procedure says, and keeps what it has seen. */
export class Device {
  readonly lfdi: string;
  readonly walk: DiscoveryWalk;
  readonly sent: SentResponse[] = [];
  readonly sink: NotificationSink;
  readonly #client: DeviceClient;
  readonly #clock: Clock;
  readonly #meters = new Map<string, { plan: MeterPlan; href: string }>();
  readonly #subscriptions = new Map<string, string>();
  /** How many notifications of a subscription were read. */
  readonly #read = new Map<string, number>();

  constructor(options: { lfdi: string; client: DeviceClient; sink: NotificationSink; clock: Clock }) {
    this.lfdi = options.lfdi;
    this.#client = options.client;
    this.#clock = options.clock;
    this.sink = options.sink;
    this.walk = new DiscoveryWalk(options.client, options.lfdi);
  }

  /**
   * @param other whose resources are meant, where that is not this device
   * @throws Failed for an answer that the procedure does not allow
   */
  async act(type: string, parameters: Parameters, other: Device): Promise<void> {
    const action = ACTIONS[type];
    if (action === undefined) throw new NotRun(`the action ${type} is not supported`);
    await action(this, parameters, other);
  }

  nowS(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  async pause(seconds: number): Promise<void> {
    await this.#clock.sleep(seconds * 1000);
  }

  /** Sends, and judges the answer. @throws Failed */
  async send(method: "GET" | "PUT" | "POST" | "DELETE", href: string, body?: string, mustFail = false): Promise<Reply> {
    const reply = await this.#client.send(method, href, body);
    const isRefused = reply.status >= 400 && reply.status < 500;
    const isTaken = reply.status >= 200 && reply.status < 300;
    if (mustFail ? !isRefused : !isTaken)
      throw new Failed(`${method} ${href}: status ${reply.status}${mustFail ? ", and it was to be refused" : ""}`);
    return reply;
  }

  /** Where a resource that was found is. @throws Failed */
  hrefOf(name: string): string {
    const href = this.walk.all(name)[0]?.href;
    if (href === undefined) throw new Failed(`no ${name} was found`);
    return href;
  }

  /** Where a link of a resource that was found leads. @throws Failed */
  linkOf(name: string, link: string): string {
    const [found] = this.walk.all(name);
    const href = found === undefined ? undefined : memberOf(found.element, link)?.attributes.get("href");
    if (href === undefined) throw new Failed(`${name} has no ${link}`);
    return href;
  }

  /** Takes note of what came for a subscription since the last look. */
  collect(subscription: string): void {
    this.#read.set(subscription, this.sink.received(subscription).length);
    for (const name of ["DERControl", "DefaultDERControl"]) {
      const items = this.notified(subscription, name);
      if (items.length > 0) this.walk.found.set(name, items);
    }
  }

  /** What came for a subscription and was looked at, oldest first. */
  collected(subscription: string): readonly XmlElement[] {
    return this.sink.received(subscription).slice(0, this.#read.get(subscription) ?? 0);
  }

  /** Items of the lists, or the resources, that came for a subscription and were looked at; the newest of each. */
  notified(subscription: string, name: string): readonly Found[] {
    const items = new Map<string, Found>();
    for (const resource of this.collected(subscription)) {
      const isWhole = name === "DefaultDERControl" && memberOf(resource, "DERControlBase") !== undefined;
      for (const element of isWhole ? [resource] : resource.children.filter((child) => child.name === name)) {
        const href = element.attributes.get("href") ?? "";
        items.set(canonicalHex(memberOf(element, "mRID")?.text ?? href), { href, element });
      }
    }
    return [...items.values()];
  }

  /** Puts a document and reads it back. @throws Failed where another one comes */
  async putAndRead(href: string, document: XmlNode, mustFail: boolean): Promise<void> {
    await this.send("PUT", href, writeXml(document), mustFail);
    if (mustFail || typeof document.content === "string") return;
    const kept = documentOf(await this.send("GET", href));
    for (const { name, content } of document.content) {
      if (typeof content === "string" && name !== "updatedTime" && name !== "readingTime") {
        const found = memberOf(kept, name.replace(/^.*:/, ""))?.text;
        if (found === undefined || !sameText(found, content))
          throw new Failed(`${href}: ${name} is ${found ?? "absent"}, not ${content}`);
      } else if (typeof content !== "string") {
        const value = numberIn(kept, name.replace(/^.*:/, ""));
        const wanted = numberOf(content);
        if (wanted !== undefined && value !== wanted)
          throw new Failed(`${href}: ${name} is ${value ?? "absent"}, not ${wanted}`);
      }
    }
  }

  async putMeter(parameters: Parameters): Promise<void> {
    const { mup_id, set_mup_mrid, location, reading_types, mmr_mrids, pow10_multiplier, expect_rejection } = parameters;
    const id = String(mup_id);
    const plan: MeterPlan = {
      lfdi: this.lfdi,
      mRID: typeof set_mup_mrid === "string" ? set_mup_mrid : ownMrid(this.lfdi, `mup/${id}`),
      location: String(location),
      readingTypes: listOf(reading_types),
      seriesMrids: listOf(mmr_mrids),
      multiplier: typeof pow10_multiplier === "number" ? pow10_multiplier : undefined,
    };
    const href = this.hrefOf("MirrorUsagePointList");
    const reply = await this.send("POST", href, usagePointXml(plan), expect_rejection === true);
    if (expect_rejection === true) return;
    const where = reply.location ?? this.#meters.get(id)?.href;
    if (where === undefined) throw new Failed(`POST ${href}: no Location`);
    this.#meters.set(id, { plan, href: where });
    await this.walk.discover(["MirrorUsagePoint"]);
  }

  async postReadings({ mup_id, values, expect_rejection }: Parameters): Promise<void> {
    const meter = this.#meters.get(String(mup_id));
    if (meter === undefined) throw new Failed(`the usage point ${String(mup_id)} was never created`);
    for (const [readingType, numbers] of Object.entries(values as Record<string, number[]>)) {
      const xml = readingsXml(meter.plan, readingType, numbers, this.nowS());
      await this.send("POST", meter.href, xml, expect_rejection === true);
    }
  }

  async subscribe(id: string, resource: string): Promise<void> {
    const target = this.hrefOf(resource);
    const xml = writeXml(
      group(
        "Subscription",
        leaf("subscribedResource", target),
        leaf("encoding", 0),
        leaf("level", "+S1"),
        leaf("limit", 50),
        leaf("notificationURI", this.sink.uriOf(id)),
      ),
    );
    const reply = await this.send("POST", this.hrefOf("SubscriptionList"), xml);
    const where = reply.location ?? this.#subscriptions.get(id);
    if (where === undefined) throw new Failed("the subscription has no Location");
    this.#subscriptions.set(id, where);
  }

  async unsubscribe(id: string): Promise<void> {
    const href = this.#subscriptions.get(id);
    if (href === undefined) throw new Failed(`${id} was never subscribed`);
    await this.send("DELETE", href);
  }

  /** Answers each control with what its status calls for, once. */
  async respond(): Promise<void> {
    await this.walk.discover(["DERControl"]);
    for (const { element } of this.walk.all("DERControl")) {
      for (const status of due(element)) await this.#respondOnce(element, status);
    }
    // What has vanished from the list after it was started has been completed.
    const listed = this.walk.all("DERControl").map(({ element }) => memberOf(element, "mRID")?.text);
    for (const { element } of this.#answered.values()) {
      const mRID = memberOf(element, "mRID")?.text ?? "";
      const isOpen = this.#hasSent(mRID, 2) && ![3, 6, 7].some((status) => this.#hasSent(mRID, status));
      if (isOpen && (!listed.includes(mRID) || endOf(element) <= this.nowS())) await this.#respondOnce(element, 3);
    }
  }

  readonly #answered = new Map<string, { readonly element: XmlElement }>();

  #hasSent(subject: string, status: number): boolean {
    return this.sent.some((one) => one.subject === subject && one.status === status);
  }

  async #respondOnce(element: XmlElement, status: number): Promise<void> {
    const subject = memberOf(element, "mRID")?.text ?? "";
    this.#answered.set(subject, { element });
    if (this.#hasSent(subject, status)) return;
    const replyTo = element.attributes.get("replyTo");
    if (replyTo === undefined) throw new Failed(`control ${subject} has no replyTo`);
    await this.send("POST", replyTo, responseXml(this, { subject, status }));
    this.sent.push({ subject, status });
  }
}

const ACTIONS: Readonly<Record<string, (device: Device, parameters: Parameters, other: Device) => Promise<void>>> = {
  discovery: (device, { resources, list_limit }) =>
    device.walk.discover(listOf(resources), typeof list_limit === "number" ? list_limit : undefined),
  "insert-end-device": async (device, { force_lfdi, expect_rejection }, other) => {
    const lfdi = typeof force_lfdi === "string" ? force_lfdi : other.lfdi;
    const xml = writeXml(
      group("EndDevice", leaf("lFDI", lfdi), leaf("sFDI", sfdiOf(other.lfdi)), leaf("changedTime", device.nowS())),
    );
    await device.walk.discover(["EndDeviceList"]);
    await device.send("POST", device.hrefOf("EndDeviceList"), xml, expect_rejection === true);
    await device.walk.discover(["EndDevice"]);
  },
  "upsert-mup": (device, parameters) => device.putMeter(parameters),
  "insert-readings": (device, parameters) => device.postReadings(parameters),
  "upsert-der-status": async (device, { genConnectStatus, operationalModeStatus, expect_rejection }, other) => {
    const dated = (name: string, value: unknown, isHex: boolean) =>
      value === undefined
        ? undefined
        : group(name, leaf("dateTime", device.nowS()), leaf("value", isHex ? hex(Number(value), 2) : Number(value)));
    const document = group(
      "DERStatus",
      dated("genConnectStatus", genConnectStatus, true),
      dated("operationalModeStatus", operationalModeStatus, false),
      leaf("readingTime", device.nowS()),
    );
    await device.putAndRead(other.linkOf("DER", "DERStatusLink"), document, expect_rejection === true);
  },
  "upsert-der-capability": async (device, { type, rtgMaxW, modesSupported, doeModesSupported }) => {
    const document = group(
      "DERCapability",
      leaf("modesSupported", hex(Number(modesSupported), 8)),
      watts("rtgMaxW", Number(rtgMaxW)),
      leaf("type", Number(type)),
      doeModesSupported === undefined
        ? undefined
        : leaf("csipaus:doeModesSupported", hex(Number(doeModesSupported), 2)),
    );
    await device.putAndRead(device.linkOf("DER", "DERCapabilityLink"), withAus(document), false);
  },
  "upsert-der-settings": async (device, { setMaxW, setGradW, modesEnabled, doeModesEnabled }) => {
    const document = group(
      "DERSettings",
      leaf("modesEnabled", hex(Number(modesEnabled), 8)),
      leaf("setGradW", Number(setGradW)),
      watts("setMaxW", Number(setMaxW)),
      leaf("updatedTime", device.nowS()),
      doeModesEnabled === undefined ? undefined : leaf("csipaus:doeModesEnabled", hex(Number(doeModesEnabled), 2)),
    );
    await device.putAndRead(device.linkOf("DER", "DERSettingsLink"), withAus(document), false);
  },
  "upsert-connection-point": async (device, { connectionPointId, expect_rejection }) => {
    const href = device.linkOf("EndDevice", "ConnectionPointLink");
    const document = withAus(
      group("csipaus:ConnectionPoint", leaf("csipaus:connectionPointId", String(connectionPointId))),
    );
    await device.putAndRead(href, document, expect_rejection === true);
  },
  "refresh-resource": async (device, { resource, expect_rejection, expect_rejection_or_empty }, other) => {
    const href = other.hrefOf(String(resource));
    if (expect_rejection_or_empty === true) {
      await device.walk.discover([String(resource)]).catch((error: unknown) => {
        if (!(error instanceof Failed && /status 4\d\d/.test(error.message))) throw error;
        device.walk.found.delete(String(resource));
      });
      const [list] = device.walk.all(String(resource));
      if (list !== undefined && list.element.children.length > 0)
        throw new Failed(`${href} is neither refused nor empty`);
      return;
    }
    await device.send("GET", href, undefined, expect_rejection === true);
    if (expect_rejection !== true) {
      const isList = String(resource) === "EndDeviceList";
      await device.walk.discover(isList ? ["EndDeviceList", "EndDevice"] : [String(resource)]);
    }
  },
  "create-subscription": (device, { sub_id, resource }) => device.subscribe(String(sub_id), String(resource)),
  "delete-subscription": (device, { sub_id }) => device.unsubscribe(String(sub_id)),
  notifications: async (device, { sub_id, collect, disable }) => {
    if (disable === true) device.sink.disabled.add(String(sub_id));
    if (disable === false) device.sink.disabled.delete(String(sub_id));
    if (collect === true) device.collect(String(sub_id));
  },
  "respond-der-controls": (device) => device.respond(),
  wait: (device, { duration_seconds }) => device.pause(Number(duration_seconds)),
  forget: async (device, { resources }) => {
    for (const name of listOf(resources)) device.walk.found.delete(name);
  },
  "send-malformed-der-settings": async (device, { updatedTime_missing }) => {
    if (updatedTime_missing !== true) throw new NotRun("only a missing updatedTime is supported");
    const document = group("DERSettings", leaf("setGradW", 27), watts("setMaxW", 10_000));
    await device.putAndRead(device.linkOf("DER", "DERSettingsLink"), document, true);
  },
  "send-malformed-response": async (device, { mrid_unknown, endDeviceLFDI_unknown, response_invalid }) => {
    const [control] = device.walk.all("DERControl");
    const replyTo = control?.element.attributes.get("replyTo");
    if (control === undefined || replyTo === undefined) throw new Failed("no control with replyTo was found");
    const subject = memberOf(control.element, "mRID")?.text ?? "";
    const xml = responseXml(device, {
      subject: mrid_unknown === true ? ownMrid(device.lfdi, "nobody's control") : subject,
      status: response_invalid === true ? 200 : 1,
      ...(endDeviceLFDI_unknown === true && { lfdi: "00112233445566778899AABBCCDDEEFF00112233" }),
    });
    await device.send("POST", replyTo, xml, true);
  },
};

export function isAction(type: string): boolean {
  return ACTIONS[type] !== undefined;
}

function responseXml(device: Device, response: { subject: string; status: number; lfdi?: string }): string {
  return writeXml(
    group(
      "DERControlResponse",
      leaf("createdDateTime", device.nowS()),
      leaf("endDeviceLFDI", response.lfdi ?? device.lfdi),
      leaf("status", response.status),
      leaf("subject", response.subject),
    ),
  );
}

/** Responses that the status of a control calls for. */
function due(element: XmlElement): number[] {
  const status = memberOf(element, "EventStatus");
  switch (status === undefined ? "" : memberOf(status, "currentStatus")?.text) {
    case "0":
      return [1];
    case "1":
      return [1, 2];
    case "2":
    case "3":
      return [6];
    case "4":
      return [7];
    default:
      return [];
  }
}

function endOf(element: XmlElement): number {
  const interval = memberOf(element, "interval");
  if (interval === undefined) return 0;
  return Number(memberOf(interval, "start")?.text) + Number(memberOf(interval, "duration")?.text);
}

function withAus(document: XmlNode): XmlNode {
  return { ...document, attributes: { "xmlns:csipaus": "https://csipaus.org/ns" } };
}

function watts(name: string, value: number): XmlNode {
  return group(name, leaf("multiplier", 0), leaf("value", value));
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

function numberOf(content: readonly XmlNode[]): number | undefined {
  const text = (name: string) => content.find((one) => one.name === name)?.content;
  const value = text("value");
  return typeof value === "string" ? Number(value) * 10 ** Number(text("multiplier") ?? 0) : undefined;
}

/** As the standard compares: hexadecimal without regard to leading zeros. */
function sameText(one: string, other: string): boolean {
  return one === other || canonicalHex(one) === canonicalHex(other);
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
