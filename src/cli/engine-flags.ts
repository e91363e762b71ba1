import { readdirSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Before anything else is loaded: short-lived objects get 2 MB and not up to 32. A gateway has little memory, and a daemon that
 * idles most of the time needs no more; measured with 20 devices it is 103 MB instead of 124.
 */
export function keepYoungObjectsFew(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** Lower than usual, and by far not the lowest: they still get a share of a busy machine. */
const HELPERS_NICE = 10;

/**
 * Before anything has made a thread of its own: the engine's helpers, which compile and collect, give way to the thread that
 * serves messages. On a gateway with few cores one of them would else hold a processor for a whole tick of the scheduler, 4 ms,
 * while a setpoint waits; measured on two cores, a setpoint goes through 5 to 10 % faster, and the slowest in a hundred 15 %.
 * Linux alone tells threads apart, and its `setpriority` takes the number of one.
 */
export function letHelpersGiveWay(): void {
  if (process.platform !== "linux") return;
  try {
    const nice = Math.max(getPriority(), HELPERS_NICE);
    const threads = readdirSync("/proc/self/task").map(Number);
    for (const thread of threads) if (thread !== process.pid) setPriority(thread, nice);
  } catch {
    // A system that does not let us is only slower.
  }
}

/**
 * Once the daemon is ready: baseline code at the first call, and optimised code after a thirteenth of the usual run (67,584 bytes
 * of bytecode). A setpoint comes every few minutes, too seldom for V8 to find its way hot, so it would be interpreted each time;
 * measured, it goes through 5 to 15 % faster, and sooner has no compiler beside it that takes its processor. Not before: what
 * only the start needs would stay in memory as code, 5 MB of it.
 */
export function compileEagerly(): void {
  setFlagsFromString("--always-sparkplug");
  setFlagsFromString("--interrupt-budget=5000");
}

/** What the start left behind is given back at once: an idle daemon would not come to it for hours. */
export function clearAfterStart(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (() => void) | undefined;
  collect?.();
  setFlagsFromString("--no-expose-gc");
}
