import type { Scenario } from "../../src/cli/scenario-parts.ts";
import { demandFlexibility } from "./demand-flexibility.ts";
import { evCharging } from "./ev-charging.ts";
import { evDemandFlexibility } from "./ev-demand-flexibility.ts";
import { gridServices } from "./grid-services.ts";
import { p2p } from "./p2p.ts";
import { p2pMarket } from "./p2p-market.ts";
import { settlement } from "./settlement.ts";
import { vpp } from "./vpp.ts";

/** All use cases, in the order of the founding analysis. */
export const scenarios: readonly Scenario[] = [
  evCharging,
  evDemandFlexibility,
  p2p,
  p2pMarket,
  demandFlexibility,
  vpp,
  gridServices,
  settlement,
];
