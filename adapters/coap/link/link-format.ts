/** One link of `/.well-known/core`. */
export interface ResourceLink {
  readonly path: string;
  /** `rt`, `if`, `ct`, `obs` and whatever else the device says; an attribute without a value is "". */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A list longer than this is cut; a constrained device has a handful. */
const MAX_LINKS = 500;

const LINK = /<([^>]*)>((?:;(?:[^;,"]|"(?:[^"\\]|\\.)*")*)*)(?:,|$)/y;
const ATTRIBUTE = /;\s*([^=;,\s]+)(?:=("(?:[^"\\]|\\.)*"|[^;,]*))?/g;

/**
 * Reads CoRE link format (RFC 6690, 2). Devices write it loosely, so that blanks and an end in a comma are taken.
 * @throws SyntaxError where it is none
 */
export function parseLinkFormat(text: string): ResourceLink[] {
  const links: ResourceLink[] = [];
  const whole = text.replace(/[\r\n\t]/g, "").trim();
  let at = 0;
  while (at < whole.length && links.length < MAX_LINKS) {
    while (whole[at] === " ") at += 1;
    LINK.lastIndex = at;
    const match = LINK.exec(whole);
    if (match === null) throw new SyntaxError(`no link format at "${whole.slice(at, at + 20)}"`);
    const [matched, path = "", rest = ""] = match;
    links.push({ path: path.startsWith("/") ? path : `/${path}`, attributes: attributesOf(rest) });
    at += matched.length;
  }
  return links;
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [, name = "", value = ""] of text.matchAll(ATTRIBUTE)) {
    attributes[name] = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value.trim();
  }
  return attributes;
}
