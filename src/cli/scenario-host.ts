import { stringify } from "yaml";
import { parseConfig } from "../config/load.ts";
import { Gateway } from "../gateway.ts";
import type { AnyAdapterKind } from "./parts.ts";
import type { ScenarioHost } from "./scenario-parts.ts";

/** The product's own parts, for scenarios to run. */
export function createScenarioHost(adapters: readonly AnyAdapterKind[], version: string): ScenarioHost {
  return {
    startGateway: async ({ config, folder, clock, log }) => {
      const gateway = new Gateway({
        config: parseConfig(stringify(config), "scenario.yaml", adapters),
        folder,
        adapters,
        version,
        clock,
        log,
        random: Math.random,
      });
      try {
        await gateway.start();
      } catch (error) {
        await gateway[Symbol.asyncDispose]();
        throw error;
      }
      return gateway;
    },
  };
}
