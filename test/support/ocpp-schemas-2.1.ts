import { createRequire } from "node:module";
import { createValidator } from "ocpp-rpc";

interface Schema {
  readonly $id: string;
  readonly type?: string;
  additionalProperties?: boolean;
}

const shipped = createRequire(import.meta.url)("ocpp-rpc/lib/schemas/ocpp2_1.json") as Schema[];

/** Texts say that they have no further properties, which means nothing, and which ajv complains of at each. */
const schemas = JSON.parse(JSON.stringify(shipped), (_key, part: Schema | null) => {
  if (part?.type === "string") delete part.additionalProperties;
  return part;
}) as Schema[];

/**
 * The official schemas of 2.1 as `ocpp-rpc` looks for them. It ships them under names of their own (`XRequest`), asks for
 * them under those of the older versions (`X.req`), and refuses every message of 2.1 for that.
 */
export const VALIDATOR_21 = createValidator(
  "ocpp2.1",
  schemas.map((schema) => ({
    ...schema,
    $id: schema.$id.replace(/Request$/, ".req").replace(/Response$/, ".conf"),
  })),
);
