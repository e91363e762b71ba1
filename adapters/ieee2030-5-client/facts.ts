import type { AdapterFacts } from "../kind.ts";
import { deviceSchema, type Shared, sharedSchema } from "./config.ts";

/** A utility's 2030.5 server (CSIP, CSIP-AUS) that the site obeys: its controls bind what the market may set. */
export const utilityFacts: AdapterFacts<Shared, never> = {
  name: "ieee2030_5_client",
  title: "IEEE 2030.5 (CSIP) server of a utility that this site obeys",
  sharedSchema,
  deviceSchema,
  standsAlone: true,
};
