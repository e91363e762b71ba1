import { type AdapterCommand, OperationError } from "../../kind.ts";

/** A charger may take its whole time to begin a session, and the driver plugs in meanwhile. */
const LONG_MS = 3_700_000;

const CHARGER = { name: "<charger>", description: "era of the device, or identity of a charger with one connector" };
const TOKEN = { flags: "--token <tag>", description: "who charges; remoteIdTag of the charger unless given" };

interface ShownSession {
  readonly era: string;
  readonly transactionId: string | number;
  readonly isOver: boolean;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly energyKWh?: number;
  readonly startKWh?: number;
  readonly reason?: string;
  readonly token?: string;
  readonly missingMessages?: number;
}

/** Commands about who charges and when. */
export const sessionCommands: readonly AdapterCommand[] = [
  {
    name: "sessions",
    summary: "charging sessions that run and that ran: when, how much, why they ended",
    examples: ["ocpp sessions --config site.yaml", "ocpp sessions charger-garage --config site.yaml --json"],
    arguments: [{ name: "[charger]", description: CHARGER.description }],
    needs: "daemon",
    run: async ({ args: [name] }, { ask }) => {
      const json = (await ask("sessions", name === undefined ? {} : { name })) as { sessions: ShownSession[] };
      return { json, table: { heading: HEADING, rows: json.sessions.map(rowOf) } };
    },
  },
  {
    name: "start",
    summary: "start a charging session and wait until it has begun",
    examples: ["ocpp start charger-garage --config site.yaml"],
    arguments: [CHARGER],
    options: [TOKEN],
    needs: "daemon",
    waitMs: LONG_MS,
    run: async ({ args: [name], options: { token } }, { ask }) => {
      const json = (await ask("start", { name, token })) as { sessionId: string };
      return { json, text: `session ${json.sessionId} has begun\n` };
    },
  },
  {
    name: "stop",
    summary: "stop the charging session that runs and wait for its end",
    examples: ["ocpp stop charger-garage --config site.yaml"],
    arguments: [CHARGER],
    needs: "daemon",
    waitMs: LONG_MS,
    run: async ({ args: [name] }, { ask }) => {
      const json = (await ask("stop", { name })) as { sessionId: string };
      return { json, text: `session ${json.sessionId} is over\n` };
    },
  },
  {
    name: "reserve",
    summary: "keep a connector free for somebody",
    examples: ["ocpp reserve charger-garage --minutes 30 --token 04A1B2C3 --config site.yaml"],
    arguments: [CHARGER],
    options: [TOKEN, { flags: "--minutes <n>", description: "for how long", defaultValue: "15" }],
    needs: "daemon",
    waitMs: LONG_MS,
    run: async ({ args: [name], options: { token, minutes } }, { ask, clock }) => {
      const forMin = Number(minutes);
      if (!(forMin > 0 && forMin <= 24 * 60)) {
        throw new OperationError("invalid", `--minutes: expected more than 0 and at most 1440, got ${String(minutes)}`);
      }
      const untilMs = clock.now() + forMin * 60_000;
      const json = (await ask("reserve", { name, token, untilMs })) as { untilMs: number };
      return { json, text: `reserved until ${new Date(json.untilMs).toISOString()}\n` };
    },
  },
  {
    name: "unreserve",
    summary: "give a reservation up",
    examples: ["ocpp unreserve charger-garage --config site.yaml"],
    arguments: [CHARGER],
    needs: "daemon",
    waitMs: LONG_MS,
    run: async ({ args: [name] }, { ask }) => ({ json: await ask("unreserve", { name }), text: "free again\n" }),
  },
];

const HEADING = ["DEVICE", "SESSION", "BEGAN", "ENDED", "ENERGY", "REASON", "TOKEN"];

function rowOf(session: ShownSession): readonly string[] {
  const { era, transactionId, isOver, startedAt, endedAt, energyKWh, reason, token, missingMessages } = session;
  return [
    era,
    String(transactionId),
    startedAt ?? "before us",
    endedAt ?? (isOver ? "not told" : "runs"),
    energyKWh === undefined ? "–" : `${energyKWh.toFixed(3)} kWh`,
    [reason, missingMessages === undefined ? undefined : `${missingMessages} messages lost`]
      .filter((part) => part !== undefined)
      .join(", "),
    token ?? "–",
  ];
}
