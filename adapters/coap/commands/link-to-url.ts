import type { Clock } from "../../../src/clock.ts";
import { OperationError } from "../../kind.ts";
import type { CoapLink } from "../link/coap-link.ts";
import { KeyFileError, readPsk } from "../psk-file.ts";

const DEADLINE_MS = 10_000;

/** The options of every command that asks a device. */
export const pskOptions = [
  { flags: "--psk-identity <name>", description: "for coaps: name under which the device knows the key" },
  { flags: "--psk-file <file>", description: "for coaps: file of mode 0600 with the key" },
] as const;

/** A link to what a person wrote as a URL. @throws OperationError `invalid` */
export async function linkToUrl(
  url: string,
  options: Readonly<Record<string, string | boolean | undefined>>,
  clock: Clock,
): Promise<CoapLink> {
  const endpoint = endpointFrom(url, options["pskIdentity"], options["pskFile"]);
  // The daemon has these commands too, and asks no device before one is configured.
  const { CoapLink } = await import("../link/coap-link.ts");
  return new CoapLink({ ...endpoint, deadlineMs: DEADLINE_MS, blockBytes: 1024 }, clock);
}

function endpointFrom(text: string, identity: unknown, keyFile: unknown) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["coap:", "coaps:"].includes(url.protocol) || url.hostname === "")
    throw new OperationError("invalid", `expected coap://HOST[:PORT] or coaps://HOST[:PORT], got "${text}"`);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isSecure = url.protocol === "coaps:";
  const port = url.port === "" ? (isSecure ? 5684 : 5683) : Number(url.port);
  if (!isSecure) return { host, port };
  if (typeof identity !== "string" || typeof keyFile !== "string")
    throw new OperationError("invalid", "coaps needs --psk-identity NAME and --psk-file FILE");
  try {
    return { host, port, psk: { identity, key: readPsk(keyFile) } };
  } catch (cause) {
    if (!(cause instanceof KeyFileError)) throw cause;
    throw new OperationError("invalid", cause.message);
  }
}
