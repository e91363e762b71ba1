import { type AdapterCommand, OperationError } from "../../kind.ts";
import { SEP2_GROUP } from "../commands/command-group.ts";
import { textOption, wholeOption } from "../commands/command-options.ts";

const MOST_RESOURCES = 200;
/** Of the exit codes: device not reachable. */
const UNREACHABLE = 5;

/** `setpointd 2030.5 walk URL`: what a server has for us, by its links alone. */
export const walkCommand: AdapterCommand = {
  group: SEP2_GROUP,
  name: "walk",
  summary: "follow a server's links from its DeviceCapability on and print the tree",
  examples: [
    "2030.5 walk https://utility.example/dcap --cert gw.crt --key gw.key --ca utility-ca.crt",
    "2030.5 walk https://192.0.2.1:8443/dcap --cert gw.crt --key gw.key --ca ca.crt --server-lfdi 3E4F...23E5 --json",
  ],
  arguments: [{ name: "<url>", description: "https address of the DeviceCapability" }],
  options: [
    { flags: "--cert <file>", description: "own certificate, PEM" },
    { flags: "--key <file>", description: "its key, PEM" },
    { flags: "--ca <file>", description: "authority of the server, PEM" },
    { flags: "--server-lfdi <lfdi>", description: "who the server must be, where its certificate has no host name" },
    { flags: "--max <count>", description: "resources to fetch at most", defaultValue: String(MOST_RESOURCES) },
  ],
  needs: "alone",
  run: async ({ args, options }, { clock, signal }) => {
    const url = httpsUrl(args[0]);
    const most = wholeOption(options, "max", 1, 10_000) ?? MOST_RESOURCES;
    const serverLfdi = textOption(options, "serverLfdi");
    if (serverLfdi !== undefined && !/^[0-9A-Fa-f]{40}$/.test(serverLfdi)) {
      throw new OperationError("invalid", `--server-lfdi is "${serverLfdi}", expected 40 hex digits`);
    }
    // The daemon has these commands too, and never walks.
    const [{ ServerLink }, { walkServer }, { walkText }, { readPem }] = await Promise.all([
      import("./server-link.ts"),
      import("./walk-server.ts"),
      import("./walk-text.ts"),
      import("../server/tls-files.ts"),
    ]);
    const read = async (name: string) => {
      try {
        return await readPem(`--${name}`, textOption(options, name));
      } catch (error) {
        throw new OperationError("invalid", error instanceof Error ? error.message : String(error));
      }
    };
    const [cert, key, ca] = await Promise.all([read("cert"), read("key"), read("ca")]);
    using link = new ServerLink(clock, { cert, key, ca }, serverLfdi);
    const walk = await walkServer(url, (wanted) => link.get(wanted, signal), most);
    return {
      json: { schemaVersion: 1, url: url.href, ...walk },
      text: walkText(walk),
      exitCode: walk.nodes[0]?.fault === undefined ? 0 : UNREACHABLE,
    };
  },
};

function httpsUrl(text = ""): URL {
  if (URL.canParse(text) && new URL(text).protocol === "https:") return new URL(text);
  throw new OperationError("invalid", `"${text}" is no https address, for example https://192.0.2.1:8443/dcap`);
}
