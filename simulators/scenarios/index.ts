import type { Scenario } from "../../src/cli/scenario-parts.ts";
import { evDemandFlexibility } from "./ev-demand-flexibility.ts";
import { vpp } from "./vpp.ts";

/** All use cases, in the order of the founding analysis. */
export const scenarios: readonly Scenario[] = [evDemandFlexibility, vpp];
