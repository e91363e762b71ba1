import type { Chance } from "./chance.ts";

const MOST_BYTES = 270_000;

const ODD_TEXTS: readonly ((chance: Chance) => string)[] = [
  () => "",
  () => " ",
  () => "-1",
  () => "NaN",
  () => "1e9",
  () => "0x10",
  () => "+000000000000000000001",
  () => "99999999999999999999",
  () => "-9223372036854775808",
  () => "true",
  () => "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
  () => "&lt;a&gt;&#x0;",
  () => "&#xD800;",
  () => "&lol9;",
  () => "\u0000",
  () => "\u202e\ufeff\u2028",
  () => "<![CDATA[<a>]]>",
  () => "<![CDATA[",
  () => "<!-- -- -->",
  () => "<?php ?>",
  () => "https://[::1]:99999/x",
  () => "../../..",
  () => "<b/>",
  (chance) => "9".repeat(mostlyFew(chance, 50_000)),
  (chance) => "&amp;".repeat(mostlyFew(chance, 20_000)),
  (chance) => String(chance.integer(-1_000_000, 1_000_000)),
];

const ODD_NAMES = ["value", "mRID", "__proto__", "constructor", "a:b", "xml", "DERControl", "Ωμ", "-x", "1x"] as const;

const NAMESPACES = [
  "http://ieee.org/2030.5",
  "urn:nobody",
  "",
  "http://www.w3.org/2000/xmlns/",
  "urn:ieee:std:2030.5:ns ",
];

/** One document with one to three things wrong with it, or none. The same chance makes the same one. */
export function mutateXml(xml: string, chance: Chance): Buffer {
  let text = xml;
  for (let times = chance.pick([0, 0, 1, 2]); times >= 0; times--) text = chance.pick(ELEMENT_MUTATIONS)(text, chance);
  const raw = chance.integer(0, 9);
  if (raw < 3) text = chance.pick(TEXT_MUTATIONS)(text, chance);
  const bytes = Buffer.from(text.slice(0, MOST_BYTES), "utf8");
  return raw === 9 ? chance.pick(BYTE_MUTATIONS)(bytes, chance) : bytes;
}

type Mutation = (text: string, chance: Chance) => string;

const ELEMENT_MUTATIONS: readonly Mutation[] = [
  // Nothing: a right document in between, so that what the others left behind is used.
  (text) => text,
  (text) => text,
  (text) => text,
  (text) => text,
  (text, chance) =>
    onLeaf(text, chance, (leaf) => leaf.replace(/>[^<]*</, () => `>${chance.pick(ODD_TEXTS)(chance)}<`)),
  (text, chance) =>
    onLeaf(text, chance, (leaf) => leaf.replace(/>[^<]*</, () => `>${chance.pick(ODD_TEXTS)(chance)}<`)),
  (text, chance) => onLeaf(text, chance, () => ""),
  (text, chance) => onLeaf(text, chance, (leaf) => leaf + leaf),
  (text, chance) => onLeaf(text, chance, (leaf) => leaf.repeat(chance.integer(2, 400))),
  (text, chance) => onLeaf(text, chance, (leaf) => `<x>${leaf}</x>`),
  (text, chance) => {
    const name = chance.pick(ODD_NAMES);
    return onLeaf(text, chance, (leaf) => leaf.replace(/^<\w+/, `<${name}`).replace(/<\/\w+>$/, `</${name}>`));
  },
  (text, chance) => {
    let taken = "";
    const without = onLeaf(text, chance, (leaf) => {
      taken = leaf;
      return "";
    });
    return without.replace(/>/, () => `>${taken}`);
  },
  (text, chance) =>
    onTag(text, chance, (tag) => `${tag} ${chance.pick(ODD_NAMES)}="${chance.pick(ODD_TEXTS)(chance)}"`),
  (text, chance) => onTag(text, chance, (tag) => `${tag} a="1" a="2"`),
  (text, chance) => onTag(text, chance, (tag) => tag + " xmlns:p='urn:p'".repeat(chance.integer(1, 3))),
  (text, chance) => onTag(text, chance, (tag) => tag + attributes(20 + mostlyFew(chance, 3000))),
  (text, chance) => text.replace("urn:ieee:std:2030.5:ns", chance.pick(NAMESPACES)),
  (text) => text.replace(/^<(\w+)/, '<p:$1 xmlns:p="urn:ieee:std:2030.5:ns"').replace(/<\/(\w+)>$/, "</p:$1>"),
  (text, chance) => text.replace(/^<\w+/, `<${chance.pick(["DERControl", "Resource", "MirrorUsagePoint", "x"])}`),
];

const TEXT_MUTATIONS: readonly Mutation[] = [
  (text, chance) => text.slice(0, chance.integer(0, text.length)),
  (text, chance) => text.slice(chance.integer(0, text.length)),
  (text, chance) => {
    const at = chance.integer(0, text.length);
    return text.slice(0, at) + String.fromCharCode(chance.integer(0, 0x7f)) + text.slice(at + chance.integer(0, 3));
  },
  (text) => text + text,
  (text) => `\ufeff<?xml version="1.0" encoding="UTF-8"?>\n${text}`,
  (text) => `<?xml version="1.1" encoding="UTF-16"?>${text}`,
  (text) => `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "${"&a;".repeat(1000)}">]>${text.replace(/>\d/, ">&b;")}`,
  (text) => `<!DOCTYPE x SYSTEM "file:///etc/hostname">${text}`,
  (text, chance) => inserted(text, chance, "<a>".repeat(mostlyFew(chance, 20_000))),
  (text, chance) => inserted(text, chance, nested(chance.integer(10, 60))),
  (text, chance) => inserted(text, chance, "<a/>".repeat(mostlyFew(chance, 30_000))),
  (text, chance) => inserted(text, chance, `<!--${"-x".repeat(mostlyFew(chance, 60_000))}-->`),
  (text, chance) => inserted(text, chance, "<![CDATA[]]>".repeat(mostlyFew(chance, 15_000))),
  (text, chance) => inserted(text, chance, "<?a b?>".repeat(mostlyFew(chance, 20_000))),
  (text, chance) => inserted(text, chance, " \n".repeat(mostlyFew(chance, 100_000))),
  (_text, chance) => `<a ${"b".repeat(mostlyFew(chance, 250_000))}`,
  (text) => text.replaceAll("><", "> \n <"),
];

const BYTE_MUTATIONS: readonly ((bytes: Buffer, chance: Chance) => Buffer)[] = [
  (bytes, chance) => flipped(bytes, chance, 7),
  (bytes, chance) => flipped(bytes, chance, 8),
  (bytes) => Buffer.from(bytes.toString("utf8"), "utf16le"),
  (_bytes, chance) => Buffer.alloc(chance.integer(0, 1000), chance.integer(0, 255)),
];

/** From 1 on; a hundredth of the most or less in half of all cases, so that time goes into many documents and not into few. */
function mostlyFew(chance: Chance, most: number): number {
  return chance.integer(1, chance.integer(0, 1) === 0 ? Math.ceil(most / 100) : chance.integer(1, most));
}

/** Changes one element that holds nothing but text. */
function onLeaf(text: string, chance: Chance, change: (leaf: string) => string): string {
  const leaves = [...text.matchAll(/<(\w+)>[^<]*<\/\1>/g)];
  return leaves.length === 0 ? text : replaced(text, chance.pick(leaves), change);
}

/** Changes the beginning of one start tag. */
function onTag(text: string, chance: Chance, change: (tag: string) => string): string {
  const tags = [...text.matchAll(/<\w+/g)];
  return tags.length === 0 ? text : replaced(text, chance.pick(tags), change);
}

function replaced(text: string, match: RegExpExecArray, change: (part: string) => string): string {
  return text.slice(0, match.index) + change(match[0]) + text.slice(match.index + match[0].length);
}

function inserted(text: string, chance: Chance, what: string): string {
  const at = chance.integer(0, text.length);
  return text.slice(0, at) + what + text.slice(at);
}

function attributes(count: number): string {
  return Array.from({ length: count }, (_, index) => ` a${index}="1"`).join("");
}

function nested(depth: number): string {
  return "<a>".repeat(depth) + "</a>".repeat(depth);
}

function flipped(bytes: Buffer, chance: Chance, bits: number): Buffer {
  const changed = Buffer.from(bytes);
  for (let flips = chance.integer(1, 4); flips > 0 && changed.length > 0; flips--) {
    const at = chance.integer(0, changed.length - 1);
    changed[at] = (changed[at] ?? 0) ^ (1 << chance.integer(0, bits - 1));
  }
  return changed;
}
