import { isIP } from "node:net";

/** True for an address that only this machine can reach. Other names than `localhost` may come to mean any address. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "::1" || host === "localhost";
}
