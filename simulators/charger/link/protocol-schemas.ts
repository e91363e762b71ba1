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
    const shipped: unknown = createRequire(import.meta.url)("ocpp-rpc/lib/schemas/ocpp2_1.json");
    // Texts say in them that they have no further properties, which means nothing, and of which ajv warns at each.
    const schemas = JSON.parse(JSON.stringify(shipped), (_key, part: Schema | null) => {
      if (part?.type === "string") delete part.additionalProperties;
      return part;
    }) as readonly Schema[];
    const renamed = schemas.map((schema) => ({ ...schema, $id: renamedId(schema.$id) }));
    ofVersion21 = createValidator(subprotocolOf("2.1"), renamed);
  }
  return ofVersion21;
}

function renamedId(id: string): string {
  if (id.endsWith("Request")) return id.replace(/Request$/, ".req");
  if (id.endsWith("Response")) return id.replace(/Response$/, ".conf");
  return `${id}.send`;
}
