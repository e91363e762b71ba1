import { z } from "zod";
import { configSchema, type ProtocolSchema } from "./schema.ts";

/** The JSON Schema of a config file, generated from the one definition that also checks it. */
export function configJsonSchema(protocols: readonly ProtocolSchema[]): unknown {
  const schema = z.toJSONSchema(configSchema(protocols), {
    io: "input",
    target: "draft-2020-12",
    unrepresentable: "any",
  });
  return { title: "setpointd config", ...schema };
}
