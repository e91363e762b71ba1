import { z } from "zod";
import { type AdapterCommand, type AdapterOperation, OperationError } from "../../kind.ts";
import { CallFailure } from "../link/call-queue.ts";
import { isForeign, limitText } from "./foreign-profiles.ts";
import type { TargetKeeper } from "./target-keeper.ts";

/** A connector under all the names by which a technician may call it. */
export interface NamedConnector {
  readonly era: string;
  /** Identity of the charger. */
  readonly charger: string;
  readonly connector: number;
  readonly keeper: TargetKeeper;
}

const askSchema = z.strictObject({ name: z.string().min(1).max(200), all: z.boolean().default(false) });

const profileSchema = z.object({
  id: z.number(),
  connector: z.number().optional(),
  purpose: z.string(),
  stackLevel: z.number(),
  source: z.string().optional(),
  limit: z.string().optional(),
  ours: z.boolean(),
});

const answerSchema = z.object({
  connectors: z.array(
    z.object({
      era: z.string(),
      identity: z.string(),
      connector: z.number(),
      /** Absent where the charger cannot list its profiles, as in 1.6. */
      profiles: z.array(profileSchema).optional(),
      /** What the charger says that holds now. */
      composite: z.string().optional(),
      /** How many were cleared; absent where the charger does not say. */
      cleared: z.number().optional(),
    }),
  ),
});

type Answer = z.output<typeof answerSchema>;

/** What a technician may ask of the charging profiles while the daemon runs: to list them, and to clear what is not ours. */
export function profileOperations(
  connectors: () => readonly NamedConnector[],
): Readonly<Record<string, AdapterOperation>> {
  return {
    profiles: async (input, signal) => {
      const { name } = parsed(input);
      const answer: Answer["connectors"] = [];
      for (const one of named(connectors(), name)) answer.push(await inWords(name, () => installedOn(one, signal)));
      return { connectors: answer } satisfies Answer;
    },
    clear: async (input, signal) => {
      const { name, all } = parsed(input);
      const known = connectors();
      const asked = named(known, name);
      const answer: Answer["connectors"] = [];
      // What takes everything off a charger takes it once, and concerns all of its connectors.
      const [first] = asked;
      const concerned = all ? known.filter(({ charger }) => charger === first?.charger) : asked;
      if (all && first !== undefined) await inWords(name, () => first.keeper.clearForeign(true, signal));
      for (const { keeper, era, charger: identity, connector } of concerned) {
        const cleared = all ? undefined : await inWords(name, () => keeper.clearForeign(false, signal));
        if (cleared === undefined) await inWords(name, () => keeper.reinstall(signal));
        answer.push({ era, identity, connector, ...(cleared === undefined ? {} : { cleared }) });
      }
      return { connectors: answer } satisfies Answer;
    },
  };
}

export const profilesCommand: AdapterCommand = {
  name: "profiles",
  summary: "list the charging profiles in a charger, and say which are not ours",
  examples: ["ocpp profiles CP-GARAGE-1 --config site.yaml"],
  arguments: [{ name: "<charger>", description: "identity of the charger, or era of a device" }],
  needs: "daemon",
  async run({ args }, context) {
    const answer = answerSchema.parse(await context.ask("profiles", { name: args[0] ?? "" }));
    const rows = answer.connectors.flatMap(({ era, profiles, composite }) => [
      [era, "", "holds now", "", composite ?? "the charger does not say", ""],
      ...(profiles ?? []).map((one) => [
        era,
        String(one.id),
        one.purpose,
        String(one.stackLevel),
        one.limit ?? "–",
        one.ours ? "ours" : (one.source ?? "somebody else"),
      ]),
    ]);
    const silent = answer.connectors.some(({ profiles }) => profiles === undefined);
    return {
      json: { schemaVersion: 1, ...answer },
      table: { heading: ["ERA", "ID", "PURPOSE", "LEVEL", "LIMIT", "SET BY"], rows },
      ...(silent
        ? { text: "OCPP 1.6 has no question for a list; a limit that holds below ours is the sign of another." }
        : {}),
    };
  },
};

export const clearCommand: AdapterCommand = {
  name: "clear",
  summary: "clear the charging profiles in a charger that are not ours",
  examples: ["ocpp clear CP-GARAGE-1 --config site.yaml", "ocpp clear CP-GARAGE-1 --all --config site.yaml"],
  arguments: [{ name: "<charger>", description: "identity of the charger, or era of a device" }],
  options: [
    { flags: "--all", description: "all profiles on all connectors, with the station's maximum; ours come back" },
  ],
  needs: "daemon",
  async run({ args, options }, context) {
    const input = { name: args[0] ?? "", all: options["all"] === true };
    const answer = answerSchema.parse(await context.ask("clear", input));
    const lines = answer.connectors.map(
      ({ era, cleared }) => `${era}: ${cleared === undefined ? "cleared; ours are set again" : `${cleared} cleared`}`,
    );
    return { json: { schemaVersion: 1, ...answer }, text: lines.join("\n") };
  },
};

async function installedOn({ era, charger: identity, connector, keeper }: NamedConnector, signal: AbortSignal) {
  const { profiles, composite } = await keeper.installed(signal);
  const rows = profiles?.map((profile) => {
    const { limit, ...rest } = profile;
    return { ...rest, ours: !isForeign(profile), ...(limit === undefined ? {} : { limit: limitText(limit) }) };
  });
  return {
    era,
    identity,
    connector,
    ...(rows && { profiles: rows }),
    ...(composite === undefined ? {} : { composite }),
  };
}

function parsed(input: unknown): z.output<typeof askSchema> {
  const read = askSchema.safeParse(input);
  if (!read.success) throw new OperationError("invalid", z.prettifyError(read.error));
  return read.data;
}

function named(connectors: readonly NamedConnector[], name: string): readonly NamedConnector[] {
  const found = connectors.filter(({ era, charger }) => era === name || charger === name);
  if (found.length > 0) return found;
  const known = [...new Set(connectors.map(({ charger }) => charger))].slice(0, 20).join(", ");
  throw new OperationError("not-found", `there is no charger "${name}"; there are ${known}`);
}

async function inWords<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error;
    throw new OperationError("invalid", `${name}: ${error.message}`);
  }
}
