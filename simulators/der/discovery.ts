import type { SepClient } from "./sep-client.ts";
import { canonicalHex, required, uint32Of } from "./values.ts";
import { childOf, type XmlElement, XmlFault } from "./xml-in.ts";

/** Where a server keeps what concerns one device; every address came from a link. */
export interface Site {
  readonly time?: string;
  readonly programLists: readonly string[];
  readonly ders: readonly DerLinks[];
  readonly mirrors?: string;
  readonly subscriptions?: string;
  /** Seconds after which the walk is due again. */
  readonly renewS: number;
  /** Seconds between two uploads, if the server wishes for a number. */
  readonly postRateS?: number;
}

export interface DerLinks {
  readonly capability?: string;
  readonly settings?: string;
  readonly status?: string;
  readonly availability?: string;
}

export interface Identity {
  readonly lfdi: string;
  /** The number that the technician gave the device; the server must have the same. */
  readonly pin?: number;
}

const DEFAULT_POLL_S = 900;

/** Walks from the device capability down to everything that the server has for this device. */
export async function discover(
  client: SepClient,
  startUrl: string,
  identity: Identity,
  signal: AbortSignal,
): Promise<Site> {
  const start = await client.get(startUrl, "DeviceCapability", signal);
  const endDevices = hrefOf(start, "EndDeviceListLink");
  if (endDevices === undefined) throw new XmlFault("the server has no list of devices");
  const device = await findSelf(client, endDevices, identity.lfdi, signal);
  await checkRegistration(client, device, identity, signal);

  const ders = await readDers(client, device, signal);
  const assignments = await readAssignments(client, device, signal);
  const sources = assignments.length > 0 ? assignments : [start];
  const time = hrefOf(start, "TimeLink") ?? assignments.map((one) => hrefOf(one, "TimeLink")).find(Boolean);
  const mirrors = hrefOf(start, "MirrorUsagePointListLink");
  const subscriptions = hrefOf(device, "SubscriptionListLink");
  const postRate = childOf(device, "postRate");
  return {
    ...(time !== undefined && { time }),
    ...(mirrors !== undefined && { mirrors }),
    ...(subscriptions !== undefined && { subscriptions }),
    ...(postRate !== undefined && { postRateS: uint32Of(postRate) }),
    programLists: sources.map((one) => hrefOf(one, "DERProgramListLink")).filter((href) => href !== undefined),
    ders,
    renewS: pollRateS(start.attributes),
  };
}

/** The address in a link, if the link is there. */
export function hrefOf(element: XmlElement, link: string): string | undefined {
  return childOf(element, link)?.attributes.get("href");
}

/** Seconds that a server wants between two polls of a resource. */
export function pollRateS(attributes: ReadonlyMap<string, string>): number {
  const text = attributes.get("pollRate");
  if (text === undefined) return DEFAULT_POLL_S;
  if (!/^\d{1,10}$/.test(text)) throw new XmlFault(`pollRate is "${text}", not a number of seconds`);
  return Number(text);
}

async function findSelf(client: SepClient, href: string, lfdi: string, signal: AbortSignal): Promise<XmlElement> {
  const { items } = await client.getList(href, "EndDeviceList", signal);
  const self = items.find((item) => canonicalHex(childOf(item, "lFDI")?.text ?? "") === canonicalHex(lfdi));
  if (self === undefined) throw new XmlFault(`the server does not list this device, ${lfdi}`);
  if (childOf(self, "enabled")?.text === "false") throw new XmlFault("the server has disabled this device");
  return self;
}

async function checkRegistration(
  client: SepClient,
  device: XmlElement,
  { pin }: Identity,
  signal: AbortSignal,
): Promise<void> {
  const href = hrefOf(device, "RegistrationLink");
  if (href === undefined) return;
  const serverPin = uint32Of(required(await client.get(href, "Registration", signal), "pIN"));
  const digits = String(serverPin).padStart(6, "0");
  let sum = 0;
  for (const digit of digits.slice(0, 5)) sum += Number(digit);
  // The sixth digit checks the five before it (2030.5-2018, 6.3.5).
  if (digits.length !== 6 || Number(digits[5]) !== sum % 10)
    throw new XmlFault(`pIN ${serverPin} has a wrong check digit`);
  if (pin !== undefined && pin !== serverPin) throw new XmlFault("the server's pIN is not this device's");
}

async function readDers(client: SepClient, device: XmlElement, signal: AbortSignal): Promise<DerLinks[]> {
  const href = hrefOf(device, "DERListLink");
  if (href === undefined) return [];
  const { items } = await client.getList(href, "DERList", signal);
  return items.map((item) => {
    const links = {
      capability: hrefOf(item, "DERCapabilityLink"),
      settings: hrefOf(item, "DERSettingsLink"),
      status: hrefOf(item, "DERStatusLink"),
      availability: hrefOf(item, "DERAvailabilityLink"),
    };
    return Object.fromEntries(Object.entries(links).filter(([, link]) => link !== undefined));
  });
}

async function readAssignments(client: SepClient, device: XmlElement, signal: AbortSignal): Promise<XmlElement[]> {
  const href = hrefOf(device, "FunctionSetAssignmentsListLink");
  if (href === undefined) return [];
  return (await client.getList(href, "FunctionSetAssignmentsList", signal)).items;
}
