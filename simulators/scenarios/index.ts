import type { Scenario } from "../../src/cli/scenario-parts.ts";

/** All use cases, in the order of the founding analysis. */
export const scenarios: readonly Scenario[] = [];
