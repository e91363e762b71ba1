import { v2xVariables } from "../setup/v2x-traits.ts";
import { variableQuestions } from "../setup/variables-2.0.1.ts";
import type { Dialect } from "./dialect.ts";
import { DIALECT_201 } from "./dialect-2.0.1.ts";
import { answerFrom } from "./handler-table.ts";
import { CALLS_21 } from "./inbound-2.1.ts";
import { V2G_21 } from "./v2g-2.1.ts";

/** OCPP 2.1: 2.0.1, and what came after it. */
export const DIALECT_21: Dialect = {
  ...DIALECT_201,
  version: "ocpp2.1",
  inbound: (action, payload, context) => answerFrom(CALLS_21, action, payload, context),
  readVariables: (context) => variableQuestions(v2xVariables(context.v2gConnectors())),
  v2g: V2G_21,
};
