import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const parameters = z.record(z.string(), z.unknown()).nullish();

const deed = z.looseObject({ type: z.string(), parameters });
const deeds = z.array(deed).nullish();

const clientStep = z.looseObject({
  event: z.looseObject({ type: z.string(), parameters, checks: deeds }),
  actions: deeds,
});

const clientProcedure = z.looseObject({
  Description: z.string(),
  Classes: z.array(z.string()).nullish(),
  Preconditions: z
    .looseObject({
      immediate_start: z.boolean().nullish(),
      init_actions: deeds,
      actions: deeds,
      checks: deeds,
    })
    .nullish(),
  Criteria: z.looseObject({ checks: deeds }).nullish(),
  Steps: z.record(z.string(), clientStep),
});

const serverStep = z.looseObject({
  id: z.string(),
  client: z.string().nullish(),
  use_client_context: z.string().nullish(),
  repeat_until_pass: z.boolean().nullish(),
  admin_instructions: z.array(deed.extend({ client: z.string().nullish() })).nullish(),
  action: deed,
  checks: deeds,
});

const serverProcedure = z.looseObject({
  Description: z.string(),
  Preconditions: z.looseObject({
    required_clients: z.array(z.looseObject({ id: z.string(), client_type: z.string().nullish() })),
  }),
  Steps: z.array(serverStep),
});

/** One thing to do or to check, with what it is given. */
export interface Deed {
  readonly type: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export type ClientProcedure = z.output<typeof clientProcedure> & { readonly name: string };
export type ServerProcedure = z.output<typeof serverProcedure> & { readonly name: string };
export type ServerStep = z.output<typeof serverStep>;

export interface Procedures {
  readonly client: readonly ClientProcedure[];
  readonly server: readonly ServerProcedure[];
}

/**
 * Reads the published procedures from a folder with `client/*.yaml` and `server/*.yaml`.
 * @throws Error that names the file and what is wrong with it
 */
export function readProcedures(folder: string): Procedures {
  return {
    client: readFolder(join(folder, "client"), clientProcedure),
    server: readFolder(join(folder, "server"), serverProcedure),
  };
}

function readFolder<T>(folder: string, schema: z.ZodType<T>): (T & { readonly name: string })[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return files.sort().map((file) => {
    const parsed = schema.safeParse(parse(readFileSync(join(folder, file), "utf8")));
    if (!parsed.success) throw new Error(`${join(folder, file)}: ${z.prettifyError(parsed.error)}`);
    return { ...parsed.data, name: basename(file, ".yaml") };
  });
}

/** The deeds of a list that may be absent, each with parameters that may be absent. */
export function deedsOf(list: z.output<typeof deeds>): Deed[] {
  return (list ?? []).map((one) => ({ type: one.type, parameters: one.parameters ?? {} }));
}
