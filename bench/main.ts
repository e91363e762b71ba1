import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { bidMessages } from "./bid-messages.ts";
import { reclear } from "./clearing-book-speed.ts";
import { clearingLinearity, clearingRatio } from "./clearing-speed.ts";
import { coalescing } from "./modbus-coalescing.ts";
import { modbusPollingCpu, modbusReads } from "./modbus-figures.ts";
import { ocppGarbage, ocppIdleHeap, ocppManyChargers, ocppMessageCpu } from "./ocpp-figures.ts";
import { onConfirmLatency } from "./on-confirm-latency.ts";
import { plannedProfiles, plannedSunSpec } from "./planned-profiles.ts";
import { residentMemory } from "./resident-memory.ts";
import { runBenchmarks } from "./run-benchmarks.ts";
import { startToReady } from "./start-to-ready.ts";

// On many small machines /tmp is memory, where a synced commit costs nothing; /var/tmp is on a disk.
const parentFolder = process.env["TMPDIR"] ?? (existsSync("/var/tmp") ? "/var/tmp" : tmpdir());

// Ends by `exit`, so that the programs that were started end too.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

process.exitCode = await runBenchmarks(
  process.argv.slice(2),
  [
    startToReady,
    residentMemory,
    onConfirmLatency,
    clearingRatio,
    clearingLinearity,
    reclear,
    bidMessages,
    ocppMessageCpu,
    ocppIdleHeap,
    ocppManyChargers,
    ocppGarbage,
    modbusReads,
    modbusPollingCpu,
    coalescing(plannedSunSpec(), plannedProfiles()),
  ],
  parentFolder,
  {
    data: (text) => process.stdout.write(text),
    note: (text) => process.stderr.write(text),
  },
);
