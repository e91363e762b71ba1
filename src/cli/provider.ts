import { systemClock } from "../clock.ts";
import { createLog } from "../log.ts";
import { printNote } from "./output.ts";
import type { AddCommand } from "./program.ts";
import { stopSignal, untilAborted } from "./stop-signal.ts";

/** A stop that takes longer than this ends the process all the same; what was acknowledged is on the disk. */
const STOP_DEADLINE_MS = 4_500;

/** `provider run`: a market clearing agent. `provider check`: only its config. */
export const addProviderCommand: AddCommand = (program) => {
  const provider = program.command("provider").description("the other side of the market: clears bids into setpoints");
  provider
    .command("check")
    .description("find the faults of a provider's config before it runs")
    .argument("<file>", "YAML config")
    .action(async (file: string) => {
      const { loadProviderConfig } = await import("../market/provider/load-provider-config.ts");
      loadProviderConfig(file);
      printNote(`${file}: ok`);
    });
  provider
    .command("run")
    .description("run a market clearing agent until SIGTERM or SIGINT")
    .requiredOption("--config <file>", "YAML config")
    .addHelpText("after", "\nExample:\n  setpointd provider run --config /etc/setpointd/provider.yaml")
    .action(async (options: { config: string }) => {
      // Loaded when it is asked for: the gateway is the same program and has no use for it in its memory.
      const [{ loadProviderConfig }, { Provider }, { clearGrid }] = await Promise.all([
        import("../market/provider/load-provider-config.ts"),
        import("../market/provider/provider.ts"),
        import("../clearing/grid/clear-grid.ts"),
      ]);
      const { config, folder } = loadProviderConfig(options.config);
      const log = createLog(config.log.level);
      const stop = stopSignal();
      // An exception nobody expected leaves the state unknown: say it and end. The service manager starts us again, and
      // all that was acknowledged is still there.
      for (const event of ["uncaughtException", "unhandledRejection"] as const) {
        process.on(event, (error: unknown) => {
          log.error(`unexpected ${event}; the process ends`, { err: error });
          process.exit(1);
        });
      }
      const running = new Provider({ config, folder, clearGrid, clock: systemClock, log, random: Math.random });
      try {
        await running.start(stop);
        await untilAborted(stop);
      } finally {
        const forced = new AbortController();
        systemClock.sleep(STOP_DEADLINE_MS, forced.signal).then(
          () => {
            log.error("the stop took too long; the process ends", { deadlineMs: STOP_DEADLINE_MS });
            process.exit(1);
          },
          () => {},
        );
        await running[Symbol.asyncDispose]();
        forced.abort();
      }
    });
};
