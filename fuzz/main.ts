import { runFuzz } from "./run-fuzz.ts";
import { targets } from "./targets.ts";

// Ends by `exit`, so that the programs that were started end too.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

process.exitCode = await runFuzz(process.argv.slice(2), targets, {
  data: (text) => process.stdout.write(text),
  note: (text) => process.stderr.write(text),
});
