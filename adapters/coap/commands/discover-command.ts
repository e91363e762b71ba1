import { type AdapterCommand, OperationError } from "../../kind.ts";
import { CoapError } from "../link/coap-error.ts";
import { parseLinkFormat } from "../link/link-format.ts";
import { LINK_FORMAT } from "../payload/format.ts";
import { KeyFileError, readPsk } from "../psk-file.ts";

const DEADLINE_MS = 10_000;

/** What a technician looks at first: the resources that a device says it has. */
export const discoverCommand: AdapterCommand = {
  name: "discover",
  summary: "list the resources of a CoAP device (/.well-known/core)",
  examples: [
    "coap discover coap://192.0.2.7",
    "coap discover coaps://192.0.2.7:5684 --psk-identity gateway --psk-file device.psk",
  ],
  arguments: [{ name: "<url>", description: "coap://HOST[:PORT] or coaps://HOST[:PORT]" }],
  options: [
    { flags: "--psk-identity <name>", description: "for coaps: name under which the device knows the key" },
    { flags: "--psk-file <file>", description: "for coaps: file of mode 0600 with the key" },
  ],
  needs: "alone",
  run: async ({ args: [url = ""], options }, { clock, signal }) => {
    // The daemon has these commands too, and asks no device before one is configured.
    const { CoapLink } = await import("../link/coap-link.ts");
    const endpoint = endpointFrom(url, options["pskIdentity"], options["pskFile"]);
    const link = new CoapLink({ ...endpoint, deadlineMs: DEADLINE_MS, blockBytes: 1024 }, clock);
    try {
      const request = { method: "GET", path: "/.well-known/core", accept: LINK_FORMAT } as const;
      const links = parseLinkFormat((await link.ask(request, signal)).payload.toString("utf8"));
      return {
        json: links,
        table: {
          heading: ["path", "attributes"],
          rows: links.map(({ path, attributes }) => [
            path,
            Object.entries(attributes)
              .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
              .join(" "),
          ]),
        },
      };
    } catch (error) {
      if (!(error instanceof CoapError || error instanceof SyntaxError)) throw error;
      throw new OperationError("not-found", `${url}: ${error.message}`);
    } finally {
      link.close();
    }
  },
};

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
