import type { LoadedKind } from "../kind.ts";
import type { Shared } from "./config.ts";
import { utilityFacts } from "./facts.ts";
import { UtilityClientHost } from "./host.ts";

export const ieee2030_5_client: LoadedKind<Shared, never> = {
  ...utilityFacts,
  createHost: (shared, context) => new UtilityClientHost(shared, context),
};
