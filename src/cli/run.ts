import { systemClock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import { Gateway } from "../gateway.ts";
import { createLog } from "../log.ts";
import { clearAfterStart, compileEagerly } from "./engine-flags.ts";
import type { AddCommand } from "./program.ts";
import { stopSignal, untilAborted } from "./stop-signal.ts";

/** A stop that takes longer than this ends the process all the same; devices are covered by their own end times. */
const STOP_DEADLINE_MS = 4_500;

/** `run`: the daemon. */
export const addRunCommand: AddCommand = (program, parts) => {
  program
    .command("run")
    .description("run the daemon until SIGTERM or SIGINT")
    .requiredOption("--config <file>", "YAML config")
    .addHelpText("after", "\nExample:\n  setpointd run --config /etc/setpointd/site.yaml")
    .action(async (options: { config: string }) => {
      const { config, folder } = loadConfig(options.config, parts.adapters);
      const log = createLog(config.log.level);
      const stop = stopSignal();
      // An exception nobody expected leaves the state unknown: say it and end. Devices end their commands by themselves,
      // and the service manager starts us again.
      for (const event of ["uncaughtException", "unhandledRejection"] as const) {
        process.on(event, (error: unknown) => {
          log.error(`unexpected ${event}; the process ends`, { err: error });
          process.exit(1);
        });
      }
      const gateway = new Gateway({
        config,
        folder,
        adapters: parts.adapters,
        version: parts.version,
        clock: systemClock,
        log,
        random: Math.random,
      });
      try {
        await gateway.start();
        clearAfterStart();
        compileEagerly();
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
        await gateway[Symbol.asyncDispose]();
        forced.abort();
      }
    });
};
