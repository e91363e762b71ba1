import { type AdapterCommand, OperationError } from "../../kind.ts";
import { CoapError } from "../link/coap-error.ts";
import { parseLinkFormat } from "../link/link-format.ts";
import { LINK_FORMAT } from "../payload/format.ts";
import { linkToUrl, pskOptions } from "./link-to-url.ts";

/** What a technician looks at first: the resources that a device says it has. */
export const discoverCommand: AdapterCommand = {
  name: "discover",
  summary: "list the resources of a CoAP device (/.well-known/core)",
  examples: [
    "coap discover coap://192.0.2.7",
    "coap discover coaps://192.0.2.7:5684 --psk-identity gateway --psk-file device.psk",
  ],
  arguments: [{ name: "<url>", description: "coap://HOST[:PORT] or coaps://HOST[:PORT]" }],
  options: pskOptions,
  needs: "alone",
  run: async ({ args: [url = ""], options }, { clock, signal }) => {
    const link = await linkToUrl(url, options, clock);
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
