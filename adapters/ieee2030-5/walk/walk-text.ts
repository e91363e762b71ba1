import type { Walk, WalkedNode } from "./walk-server.ts";

const LONGEST_VALUE = 48;
/** What a technician looks for; the rest is in the JSON. */
const SHOWN_ATTRIBUTES: readonly string[] = ["all", "pollRate", "subscribable"];

/** The tree for a person: one line a resource, indented by how it was reached. */
export function walkText({ nodes, cut }: Walk): string {
  const lines = nodes.map((node) => `${"  ".repeat(node.depth)}${line(node)}`);
  return [...lines, ...(cut ? ["... there is more; see --max"] : [])].join("\n");
}

function line(node: WalkedNode): string {
  const place = [node.name, node.href].filter((part) => part !== undefined).join(" ");
  if (node.fault !== undefined) return `${place}: ${printable(node.fault)}`;
  const attributes = SHOWN_ATTRIBUTES.flatMap((name) => {
    const value = node.attributes[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const values = Object.entries(node.values).map(([name, value]) => `${name} ${value.slice(0, LONGEST_VALUE)}`);
  const told = [attributes.join(" "), values.join(", ")].filter((part) => part !== "").join("; ");
  return printable(told === "" ? place : `${place} (${told})`);
}

/** What a server sent must not move the cursor of a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, " ");
}
