import { readFileSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "../../../src/config/load.ts";
import { CoapError } from "../link/coap-error.ts";
import type { CoapAnswer, CoapAsker, CoapRequest } from "../link/coap-link.ts";

const MAX_RESOURCES = 500;
const MAX_LETTERS = 200_000;

const resourceSchema = () =>
  z
    .strictObject({
      path: z.string().startsWith("/").max(255),
      query: z.array(z.string().min(1).max(255)).max(8).optional(),
      contentFormat: z.int().min(0).max(65_535).optional(),
      text: z.string().max(MAX_LETTERS).optional().describe("the payload, where it is text"),
      base64: z.string().max(MAX_LETTERS).optional().describe("the payload, where it is not"),
      code: z
        .string()
        .regex(/^[45]\.\d\d$/, "must be a code such as 4.04")
        .optional()
        .describe("what the device answered instead"),
    })
    .refine(
      ({ text, base64, code }) => [text, base64, code].filter((one) => one !== undefined).length === 1,
      "needs one of text, base64 and code",
    );

const dumpSchema = () =>
  z.strictObject({
    format: z.literal("setpointd-coap-dump-1"),
    takenAt: z.string().optional(),
    resources: z.array(resourceSchema()).max(MAX_RESOURCES),
  });

/** What a device answered to a GET of each resource at one time. */
export type ResourceDump = z.output<ReturnType<typeof dumpSchema>>;

export type DumpedResource = ResourceDump["resources"][number];

/** An answer as a dump has it: as text where it is text that comes back the same. */
export function dumpedAnswer(
  { path, query }: Pick<CoapRequest, "path" | "query">,
  { payload, contentFormat }: CoapAnswer,
): DumpedResource {
  const text = payload.toString("utf8");
  return {
    path,
    ...(query === undefined ? {} : { query: [...query] }),
    ...(contentFormat === undefined || contentFormat < 0 ? {} : { contentFormat }),
    ...(Buffer.from(text).equals(payload) ? { text } : { base64: payload.toString("base64") }),
  };
}

/** @throws ConfigError that names file, key and fault */
export function loadDump(file: string): ResourceDump {
  const fail = (fault: string, path = "") => new ConfigError([{ file, path, fault }]);
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw fail("there is no such file");
    throw fail(`is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = dumpSchema().safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(({ path, message }) => ({ file, path: path.join("."), fault: message })),
  );
}

/** A device that answers what a dump has, and takes nothing. */
export class DumpedDevice implements CoapAsker {
  readonly #resources: ReadonlyMap<string, DumpedResource>;

  constructor({ resources }: ResourceDump) {
    this.#resources = new Map(resources.map((one) => [keyOf(one), one]));
  }

  /** @throws CoapError for what the dump does not have, or has a refusal of */
  async ask(request: CoapRequest): Promise<CoapAnswer> {
    const what = `${request.method} ${request.path}`;
    if (request.method !== "GET") throw new CoapError("refused", `${what}: a dump takes nothing`, { code: "4.05" });
    const { text, base64, contentFormat, code = "4.04" } = this.#resources.get(keyOf(request)) ?? {};
    if (text !== undefined) return { code: "2.05", contentFormat, payload: Buffer.from(text) };
    if (base64 !== undefined) return { code: "2.05", contentFormat, payload: Buffer.from(base64, "base64") };
    throw new CoapError("refused", `${what}: ${code} in the dump`, { code });
  }
}

function keyOf({
  path,
  query = [],
}: {
  readonly path: string;
  readonly query?: readonly string[] | undefined;
}): string {
  return [path, ...query].join("?");
}
