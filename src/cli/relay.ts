import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock } from "../clock.ts";
import { loadYaml } from "../config/load.ts";
import { createLog } from "../log.ts";
import type { AddCommand } from "./program.ts";
import { stopSignal, untilAborted } from "./stop-signal.ts";

/** `relay`: a public webhook for sites behind NAT. */
export const addRelayCommand: AddCommand = (program) => {
  program
    .command("relay")
    .description("take the market's messages for sites behind NAT and hand them on over MQTT")
    .requiredOption("--config <file>", "YAML config")
    .addHelpText("after", "\nExample:\n  setpointd relay --config relay.yaml")
    .action(async (options: { config: string }) => {
      const [{ Relay }, { relayConfig }] = await Promise.all([
        import("../relay/relay.ts"),
        import("../relay/relay-config.ts"),
      ]);
      const { value: config, folder } = loadYaml(options.config, relayConfig);
      const log = createLog(config.log.level);
      const stop = stopSignal();
      const { passwordFile, caFile } = config.broker;
      await using relay = new Relay({
        config,
        ...(passwordFile !== undefined && { password: readFileSync(resolve(folder, passwordFile), "utf8").trim() }),
        ...(caFile !== undefined && { ca: readFileSync(resolve(folder, caFile), "utf8") }),
        clock: systemClock,
        log,
        random: Math.random,
      });
      const { url } = await relay.start();
      log.info("ready", { url, sites: config.sites.length });
      await untilAborted(stop);
    });
};
