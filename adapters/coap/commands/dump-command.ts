import { type AdapterCommand, OperationError } from "../../kind.ts";
import { CoapError } from "../link/coap-error.ts";
import type { CoapAsker, CoapRequest } from "../link/coap-link.ts";
import { parseLinkFormat } from "../link/link-format.ts";
import { LINK_FORMAT } from "../payload/format.ts";
import type { DumpedResource, ResourceDump } from "../profile/resource-dump.ts";
import { linkToUrl, pskOptions } from "./link-to-url.ts";

const CORE: CoapRequest = { method: "GET", path: "/.well-known/core", accept: LINK_FORMAT };
/** A device that lists more than this has most of it for something else. */
const MAX_RESOURCES = 200;

/** What a profile can be tried on where the device is not at hand. */
export const dumpCommand: AdapterCommand = {
  name: "dump",
  summary: "read what a CoAP device lists and what a profile names, as JSON for `coap profile test`",
  examples: ["coap dump coap://192.0.2.7 > heater.json", "coap dump coap://192.0.2.8 --profile shelly-em > meter.json"],
  arguments: [{ name: "<url>", description: "coap://HOST[:PORT] or coaps://HOST[:PORT]" }],
  options: [
    { flags: "--profile <profile>", description: "id or file of a profile whose resources are read first" },
    ...pskOptions,
  ],
  needs: "alone",
  run: async ({ args: [url = ""], options }, { clock, signal, progress }) => {
    const wanted = await requestsOf(options["profile"]);
    const link = await linkToUrl(url, options, clock);
    try {
      const dump = await dumpOf(link, wanted, new Date(clock.now()).toISOString(), progress, signal);
      return { json: dump, text: JSON.stringify(dump, null, 2) };
    } catch (error) {
      if (!(error instanceof CoapError)) throw error;
      throw new OperationError("unreachable", `${url}: ${error.message}`);
    } finally {
      link.close();
    }
  },
};

async function requestsOf(profile: string | boolean | undefined): Promise<readonly CoapRequest[]> {
  if (typeof profile !== "string") return [];
  const [{ findProfile }, { requestFor }] = await Promise.all([
    import("../profile/load-profile.ts"),
    import("../profile/device-reader.ts"),
  ]);
  return Object.values(findProfile(profile).resources).map(requestFor);
}

/** A refusal by the device is part of what is found; a device that is away ends it. @throws CoapError */
async function dumpOf(
  link: CoapAsker,
  wanted: readonly CoapRequest[],
  takenAt: string,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<ResourceDump> {
  const { dumpedAnswer } = await import("../profile/resource-dump.ts");
  const found = new Map<string, DumpedResource>();
  const read = async (request: CoapRequest): Promise<DumpedResource> => {
    progress(`${found.size + 1}: ${request.path}`);
    try {
      return dumpedAnswer(request, await link.ask(request, signal));
    } catch (error) {
      if (!(error instanceof CoapError) || error.code === undefined || !/^[45]/.test(error.code)) throw error;
      const { path, query } = request;
      return { path, ...(query === undefined ? {} : { query: [...query] }), code: error.code };
    }
  };
  const core = await read(CORE);
  const listed = linksIn(core.text ?? "").map((path): CoapRequest => ({ method: "GET", path }));
  for (const request of [...wanted, ...listed]) {
    const key = [request.path, ...(request.query ?? [])].join("?");
    if (found.has(key) || request.path === CORE.path || found.size >= MAX_RESOURCES) continue;
    found.set(key, await read(request));
  }
  return { format: "setpointd-coap-dump-1", takenAt, resources: [core, ...found.values()] };
}

function linksIn(text: string): readonly string[] {
  try {
    // What is absolute leads to another device.
    return parseLinkFormat(text).flatMap(({ path }) => (/^\/[^/?#][^?#]*$/.test(path) ? [path] : []));
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
