import { isIPv4 } from "node:net";
import type { AltName } from "./certificate-parts.ts";

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** The name of a server as its certificate says it, or nothing for what is neither a host name nor an IPv4 address. */
export function serverName(name: string): AltName | undefined {
  if (isIPv4(name)) return { kind: "ip4", address: name };
  return HOST_NAME.test(name) && !/^[0-9.]+$/.test(name) ? { kind: "dns", name } : undefined;
}
