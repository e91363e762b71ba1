import { isIP } from "node:net";

/**
 * Why a device may not be notified at this address, or nothing. It may name itself, and what the config gives it; anything
 * else would let a device make this gateway call on the neighbours that only the gateway can reach.
 *
 * @param peerAddress from which the device asks
 * @param allowedHost name or address from the config
 */
export function addressFault(
  notificationURI: string,
  peerAddress: string,
  allowedHost: string | undefined,
): string | undefined {
  if (!URL.canParse(notificationURI)) return "notificationURI is no address";
  const { protocol, hostname, username, password } = new URL(notificationURI);
  if (protocol !== "https:") return "notificationURI must begin with https";
  if (username !== "" || password !== "") return "notificationURI must hold no password";
  const host = plain(hostname);
  if (allowedHost !== undefined && host === plain(allowedHost)) return undefined;
  if (isIP(host) !== 0 && host === plain(peerAddress)) return undefined;
  return `notificationURI is at ${host.slice(0, 80)}, and this device asks from ${plain(peerAddress)}`;
}

/** One form for an address: without brackets, and an IPv4 address without its IPv6 dress. */
function plain(host: string): string {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, "");
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1] ?? bare;
}
