import { coapFacts } from "./coap/facts.ts";
import { polledFacts, pushedFacts } from "./ieee2030-5/facts.ts";
import { utilityFacts } from "./ieee2030-5-client/facts.ts";
import type { AdapterFacts, AdapterKind, LoadedKind } from "./kind.ts";
import { modbus } from "./modbus/index.ts";
import { ocpp } from "./ocpp/index.ts";

/**
 * The table of adapters: a new protocol is one row here and one folder beside it. Those that few sites have are loaded where the
 * config has them: a gateway has little memory.
 */
export const adapters = [
  ocpp,
  modbus,
  loadedWhenUsed(polledFacts, async () => (await import("./ieee2030-5/index.ts")).ieee2030_5),
  loadedWhenUsed(pushedFacts, async () => (await import("./ieee2030-5/index.ts")).ieee2030_5_push),
  loadedWhenUsed(utilityFacts, async () => (await import("./ieee2030-5-client/index.ts")).ieee2030_5_client),
  loadedWhenUsed(coapFacts, async () => (await import("./coap/index.ts")).coap),
] as const;

function loadedWhenUsed<Shared, Device>(
  facts: AdapterFacts<Shared, Device>,
  load: () => Promise<LoadedKind<Shared, Device>>,
): AdapterKind<Shared, Device> {
  return { ...facts, createHost: async (shared, context) => (await load()).createHost(shared, context) };
}
