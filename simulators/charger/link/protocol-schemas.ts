import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createValidator } from "ocpp-rpc";
import { type OcppVersion, subprotocolOf } from "../ocpp-version.ts";

/** Holds payloads against the schemas of one version. */
export type SchemaValidator = ReturnType<typeof createValidator>;

interface Schema {
  readonly $id: string;
  readonly type?: string;
  additionalProperties?: boolean;
}

let ofVersion21: SchemaValidator | undefined;

/**
 * What the library needs beside its own schemas. It looks for `urn:X.req` and `urn:X.conf`, but its file of 2.1 has
 * `urn:XRequest`, `urn:XResponse`, and a bare `urn:X` for what is sent without an answer; those become `urn:X.send`.
 */
export function ownValidators(version: OcppVersion): SchemaValidator[] {
  return version === "2.1" ? [validatorOf21()] : [];
}

/** The 350 kB of schemas are read when the first charger of 2.1 needs them, and once. */
export function validatorOf21(): SchemaValidator {
  if (ofVersion21 === undefined) {
    const file = createRequire(import.meta.url).resolve("ocpp-rpc/lib/schemas/ocpp2_1.json");
    const schemas: readonly Schema[] = JSON.parse(readFileSync(file, "utf8"), withoutNonsense);
    const renamed = schemas.map((schema) => ({ ...schema, $id: renamedId(schema.$id) }));
    ofVersion21 = createValidator(subprotocolOf("2.1"), renamed);
  }
  return ofVersion21;
}

/** Words of text have no properties: that the file forbids them more makes the validator complain on stderr. */
function withoutNonsense(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("type" in value) || value.type !== "string") return value;
  const { additionalProperties: _, ...rest } = value as Record<string, unknown>;
  return rest;
}

function renamedId(id: string): string {
  if (id.endsWith("Request")) return id.replace(/Request$/, ".req");
  if (id.endsWith("Response")) return id.replace(/Response$/, ".conf");
  return `${id}.send`;
}
