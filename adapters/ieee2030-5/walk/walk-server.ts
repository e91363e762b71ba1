import { BadDocument, type XmlElement } from "../xml/xml-element.ts";
import { parseXml } from "../xml/xml-parse.ts";
import type { ServerAnswer } from "./server-link.ts";

/** Items of a list that are asked for at once; the largest page that common servers give. */
const PAGE = 255;

/** One resource of a server, or one item of a list, as it was found. */
export interface WalkedNode {
  /** How far below the first resource, in links. */
  readonly depth: number;
  /** Path and query; absent for an item without an address. */
  readonly href?: string;
  /** Root element of the document; absent where none could be read. */
  readonly name?: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Its values, those of inner structures as `interval.start`; of the items of a list nothing, since they are nodes. */
  readonly values: Readonly<Record<string, string>>;
  readonly fault?: string;
}

export interface Walk {
  /** In the order of a tree: what is linked from a resource stands below it. */
  readonly nodes: readonly WalkedNode[];
  /** True if there was more than `mostResources`. */
  readonly cut: boolean;
}

/** A resource to be fetched, and where it hangs. */
interface Link {
  readonly href: string;
  readonly isList: boolean;
}

/**
 * Follows a server's links from one resource on, each address once, and never to another server. No address is made by
 * hand but for the query of a list.
 */
export async function walkServer(
  start: URL,
  get: (url: URL) => Promise<ServerAnswer>,
  mostResources: number,
): Promise<Walk> {
  const nodes: WalkedNode[] = [];
  const seen = new Set<string>();
  let fetched = 0;
  let cut = false;

  const follow = async (link: Link, depth: number): Promise<void> => {
    const url = URL.canParse(link.href, start.href) ? new URL(link.href, start) : undefined;
    if (url === undefined || url.origin !== start.origin) {
      nodes.push({ depth, href: link.href, attributes: {}, values: {}, fault: "not on this server; not followed" });
      return;
    }
    const href = `${url.pathname}${url.search}`;
    if (seen.has(href)) return;
    seen.add(href);
    for (let first = 0; ; ) {
      if (fetched >= mostResources) {
        cut = true;
        return;
      }
      fetched += 1;
      const page = link.isList || first > 0 ? pageOf(url, first) : url;
      const { document, fault } = await fetchDocument(page, get);
      if (document === undefined) {
        nodes.push({ depth, href: `${page.pathname}${page.search}`, attributes: {}, values: {}, ...faultPart(fault) });
        return;
      }
      if (first === 0) nodes.push(nodeOf(document, depth, href));
      await below(document, depth);
      const results = document.name.endsWith("List") ? document.children.length : 0;
      first += results;
      if (results === 0 || first >= Number(document.attributes.get("all") ?? 0)) return;
    }
  };

  const below = async (document: XmlElement, depth: number): Promise<void> => {
    for (const child of document.children) {
      const href = child.attributes.get("href");
      if (child.name.endsWith("Link")) {
        if (href !== undefined) await follow({ href, isList: child.name.endsWith("ListLink") }, depth + 1);
      } else if (document.name.endsWith("List")) {
        const at = href === undefined ? undefined : new URL(href, start).pathname;
        if (at !== undefined) seen.add(at);
        nodes.push(nodeOf(child, depth + 1, at));
        await below(child, depth + 1);
      }
    }
  };

  await follow({ href: start.href, isList: false }, 0);
  return { nodes, cut };
}

function pageOf(url: URL, first: number): URL {
  const page = new URL(url.href);
  page.searchParams.set("s", String(first));
  page.searchParams.set("l", String(PAGE));
  return page;
}

async function fetchDocument(
  url: URL,
  get: (url: URL) => Promise<ServerAnswer>,
): Promise<{ readonly document?: XmlElement; readonly fault?: string }> {
  let answer: ServerAnswer;
  try {
    answer = await get(url);
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
  if (answer.status !== 200) return { fault: `answered ${answer.status}` };
  try {
    return { document: parseXml(answer.body) };
  } catch (error) {
    if (!(error instanceof BadDocument)) throw error;
    return { fault: `${answer.contentType ?? "no content type"}: ${error.message}` };
  }
}

function nodeOf(element: XmlElement, depth: number, href: string | undefined): WalkedNode {
  return {
    depth,
    ...(href !== undefined && { href }),
    name: element.name,
    attributes: Object.fromEntries([...element.attributes].filter(([name]) => name !== "href")),
    values: element.name.endsWith("List") ? {} : Object.fromEntries(valuesOf(element, "")),
  };
}

/** Every text within an element, with the way to it: `interval.start`. Links are nodes of their own. */
function valuesOf(element: XmlElement, above: string): [string, string][] {
  return element.children.flatMap((child): [string, string][] => {
    if (child.name.endsWith("Link")) return [];
    const path = `${above}${child.name}`;
    if (child.children.length > 0) return valuesOf(child, `${path}.`);
    return child.text === "" ? [] : [[path, child.text]];
  });
}

function faultPart(fault: string | undefined): { fault?: string } {
  return fault === undefined ? {} : { fault };
}
