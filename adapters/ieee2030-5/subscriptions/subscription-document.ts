import { BadDocument, childOf, integerOf, requiredChild, type XmlElement } from "../xml/xml-element.ts";
import { element, type OutElement, tag } from "../xml/xml-write.ts";

/** What a device wants to be told, and where. */
export interface SubscriptionTerms {
  /** Path of the resource. */
  readonly resource: string;
  /** Most list items in one notification; 0 for none, only that something has changed. */
  readonly limit: number;
  /** Level of the schema that the device speaks, as it wrote it. */
  readonly level: string;
  readonly notificationURI: string;
}

const MOST_URI_LETTERS = 512;
const MOST_UINT32 = 4_294_967_295;
const MOST_LEVEL_LETTERS = 16;
const DEFAULT_LEVEL = "+S1";
const DEFAULT_LIMIT = 255;
/** Encoding of a notification: XML. 1 is EXI, which is not spoken here. */
const XML_ENCODING = 0;

/** @throws BadDocument where it is none, or asks for what is not done here */
export function readSubscription(document: XmlElement): SubscriptionTerms {
  if (document.name !== "Subscription") throw new BadDocument(`${document.name} where a Subscription was expected`);
  if (childOf(document, "Condition") !== undefined) {
    throw new BadDocument("Subscription.Condition: only readings have thresholds, and they are not subscribable here");
  }
  if ((integerOf(document, "encoding", 0, 255) ?? XML_ENCODING) !== XML_ENCODING) {
    throw new BadDocument("Subscription.encoding: only 0, XML, is sent");
  }
  const subscribed = uriOf(document, "subscribedResource");
  if (!URL.canParse(subscribed, "https://gateway")) {
    throw new BadDocument("Subscription.subscribedResource is no address");
  }
  return {
    resource: new URL(subscribed, "https://gateway").pathname,
    limit: integerOf(document, "limit", 0, MOST_UINT32) ?? DEFAULT_LIMIT,
    level: (childOf(document, "level")?.text ?? DEFAULT_LEVEL).slice(0, MOST_LEVEL_LETTERS),
    notificationURI: uriOf(document, "notificationURI"),
  };
}

export function subscriptionDocument(terms: SubscriptionTerms, href: string): OutElement {
  return tag("Subscription", { href }, [
    element("subscribedResource", terms.resource),
    element("encoding", XML_ENCODING),
    element("level", terms.level),
    element("limit", terms.limit),
    element("notificationURI", terms.notificationURI),
  ]);
}

function uriOf(document: XmlElement, name: string): string {
  const { text } = requiredChild(document, name);
  if (text === "" || text.length > MOST_URI_LETTERS) {
    throw new BadDocument(`Subscription.${name} has ${text.length} letters, expected 1 to ${MOST_URI_LETTERS}`);
  }
  return text;
}
