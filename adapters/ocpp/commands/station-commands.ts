import { type AdapterCommand, type CommandResult, OperationError } from "../../kind.ts";
import type { AcceptAnswer, StationsAnswer } from "../door/acceptance.ts";
import type { SecurityEvent } from "../door/security-log.ts";

const IDENTITY = { name: "<identity>", description: "the charger's identity, as `ocpp stations` shows it" };

/** `setpointd ocpp stations`: who is connected, who may, and who would like to. */
const stations: AdapterCommand = {
  name: "stations",
  summary: "chargers: connected, expected, unknown and rejected",
  examples: ["ocpp stations --config site.yaml", "ocpp stations --config site.yaml --json"],
  needs: "daemon",
  run: async (_input, { ask, clock }) => {
    const answer = (await ask("stations")) as StationsAnswer;
    return { json: { schemaVersion: 1, ...answer }, table: stationTable(answer, clock.now()) };
  },
};

/** `setpointd ocpp accept`: an unknown charger becomes a device of the site. */
const accept: AdapterCommand = {
  name: "accept",
  summary: "make an unknown charger a device of the site, without a restart",
  examples: [
    "ocpp accept DEPOT3-BAY4 --config site.yaml --password",
    "ocpp accept DEPOT3-BAY4 --config site.yaml --era de.depot3.bay-4 --phases 3 --max-a 32",
  ],
  arguments: [IDENTITY],
  options: [
    { flags: "--era <era>", description: "name for the market; default: the identity" },
    { flags: "--name <name>", description: "name for people" },
    { flags: "--connectors <count>", description: "connectors, each a device of its own", defaultValue: "1" },
    { flags: "--phases <count>", description: "lines it is wired to: 1, 2 or 3" },
    { flags: "--max-a <amps>", description: "most current on each line" },
    { flags: "--password", description: "make a password for it, and show it this once" },
  ],
  needs: "daemon",
  run: async ({ args, options }, { ask }) => {
    const answer = (await ask("accept", {
      identity: args[0],
      ...text("era", options["era"]),
      ...text("name", options["name"]),
      ...count("connectors", "--connectors", options["connectors"]),
      ...count("phases", "--phases", options["phases"]),
      ...count("maxA", "--max-a", options["maxA"]),
      password: options["password"] === true,
    })) as AcceptAnswer;
    const lines = [
      ...answer.devices.map(({ era, connector }) => `${answer.identity} connector ${connector} is now ${era}`),
      ...(answer.password === undefined
        ? []
        : [`password for the charger, shown this once: ${answer.password}`, "until it has it, it is turned away"]),
      ...(answer.note === undefined ? [] : [answer.note]),
    ];
    return { json: { schemaVersion: 1, ...answer }, text: lines.join("\n") };
  },
};

/** `setpointd ocpp reject`: not wanted, and no longer listed among those who wait. */
const reject: AdapterCommand = {
  name: "reject",
  summary: "refuse a charger from now on; one that was accepted is taken out of the site",
  examples: ["ocpp reject CP-9 --config site.yaml"],
  arguments: [IDENTITY],
  needs: "daemon",
  run: ({ args }, { ask }) => said(ask("reject", { identity: args[0] }), "is rejected"),
};

/** `setpointd ocpp forget`: as if nothing had been said about it. */
const forget: AdapterCommand = {
  name: "forget",
  summary: "take back what was said of a charger: accept, reject, or that it was seen",
  examples: ["ocpp forget DEPOT3-BAY4 --config site.yaml"],
  arguments: [IDENTITY],
  needs: "daemon",
  run: ({ args }, { ask }) => said(ask("forget", { identity: args[0] }), "is forgotten"),
};

/** `setpointd ocpp events`: what happened to the security of the chargers. */
const events: AdapterCommand = {
  name: "events",
  summary: "security events, told by chargers or seen here; newest first",
  examples: ["ocpp events --config site.yaml", "ocpp events DEPOT3-BAY4 --config site.yaml --limit 20"],
  arguments: [{ name: "[identity]", description: "only this charger" }],
  options: [{ flags: "--limit <count>", description: "at most so many", defaultValue: "50" }],
  needs: "daemon",
  run: async ({ args, options }, { ask, clock }) => {
    const [identity] = args;
    const asked = { ...(identity !== undefined && { identity }), ...count("limit", "--limit", options["limit"]) };
    const answer = (await ask("events", asked)) as { readonly events: readonly SecurityEvent[] };
    const nowMs = clock.now();
    const rows = answer.events.map(({ identity: charger, atMs, source, type, detail = "", count: times }) => [
      ago(nowMs - atMs),
      charger,
      source,
      times > 1 ? `${type} x ${times}` : type,
      detail,
    ]);
    return {
      json: { schemaVersion: 1, ...answer },
      table: { heading: ["WHEN", "CHARGER", "TOLD BY", "EVENT", "DETAIL"], rows },
    };
  },
};

export const stationCommands: readonly AdapterCommand[] = [stations, accept, reject, forget, events];

function stationTable({ stations: known, strangers, rejected }: StationsAnswer, nowMs: number) {
  const rows = [
    ...known.map(
      ({ identity, connection, device, accepted, securityProfile, lastMessageMs, clockSkewMs, refusals, backend }) => [
        identity,
        [
          connection === undefined ? "away" : "connected",
          ...(accepted ? ["accepted"] : []),
          ...(backend === undefined ? [] : [backend.up ? "backend up" : "backend away"]),
        ].join(", "),
        connection?.version ?? "",
        [device?.vendor, device?.model, device?.firmware].filter((part) => part !== undefined).join(" "),
        connection?.from ?? "",
        connection === undefined ? `needs ${securityProfile}` : `${connection.profile}${connection.tls ? " TLS" : ""}`,
        connection === undefined ? "" : ago(nowMs - connection.sinceMs),
        lastMessageMs === undefined ? "" : ago(nowMs - lastMessageMs),
        clockSkewMs === undefined ? "" : `${(clockSkewMs / 1000).toFixed(1)} s`,
        refusals === undefined ? "" : `${refusals.count}: ${refusals.reason}`,
      ],
    ),
    ...strangers.map(({ identity, from, attempts, lastSeenMs, reason }) =>
      unknownRow(identity, "unknown", from, ago(nowMs - lastSeenMs), `${attempts}: ${reason}`),
    ),
    ...rejected.map((identity) => unknownRow(identity, "rejected", "", "", "")),
  ];
  return {
    heading: ["CHARGER", "STATE", "VERSION", "DEVICE", "FROM", "PROFILE", "SINCE", "HEARD", "CLOCK", "REFUSED"],
    rows,
  };
}

function unknownRow(identity: string, state: string, from: string, heard: string, refused: string): readonly string[] {
  return [identity, state, "", "", from, "", "", heard, "", refused];
}

async function said(asking: Promise<unknown>, what: string): Promise<CommandResult> {
  const answer = (await asking) as { readonly identity: string };
  return { json: { schemaVersion: 1, ...answer }, text: `${answer.identity} ${what}` };
}

type OptionValue = string | boolean | undefined;

function text(key: string, value: OptionValue): Readonly<Record<string, string>> {
  return typeof value === "string" ? { [key]: value } : {};
}

function count(key: string, flag: string, value: OptionValue): Readonly<Record<string, number>> {
  if (typeof value !== "string") return {};
  const number = Number(value);
  if (value.trim() === "" || !Number.isFinite(number)) throw new OperationError("invalid", `${flag} must be a number`);
  return { [key]: number };
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
