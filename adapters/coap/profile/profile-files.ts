import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder with the CoAP profiles that come with the program: built, this file is one folder deeper. */
const folder = fileURLToPath(
  new URL(`${import.meta.url.endsWith(".ts") ? "../../../" : "../../../../"}config/profiles/coap/`, import.meta.url),
);

/** Ids of the CoAP profiles that come with the program, in order. */
export function profileIds(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort();
}

/** Where a profile that comes with the program is kept; undefined where there is none of this id. */
export function profileFileOf(id: string): string | undefined {
  if (!/^[a-z0-9-]+$/.test(id)) return undefined;
  const file = `${folder}${id}.yaml`;
  return existsSync(file) ? file : undefined;
}
