import { z } from "zod";
import { profileSchema } from "./profile-schema.ts";

/** The JSON Schema of a profile file, generated from the definition that also checks it. */
export function profileJsonSchema(): unknown {
  const schema = z.toJSONSchema(profileSchema(), { io: "input", target: "draft-2020-12", unrepresentable: "any" });
  return { title: "setpointd CoAP device profile", ...schema };
}
