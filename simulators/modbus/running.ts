import { type Clock, repeatEvery } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { ModbusBehaviour } from "./behaviour.ts";

/** How often the hardware looks at its timers when nobody asks, elapsed ms. */
const SETTLE_EVERY_MS = 200;

/** A device under power: it settles by itself, and restarts as often as its behaviour says. Ends with the signal. */
export async function keepRunning(
  device: { readonly behaviour: ModbusBehaviour; settle(): void; restart(): void },
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  let restartAtMs: number | undefined;
  try {
    await repeatEvery(clock, SETTLE_EVERY_MS, signal, () => {
      device.settle();
      const { restartsEveryMs } = device.behaviour;
      if (restartsEveryMs === undefined) return;
      const nowMs = clock.elapsedMs();
      restartAtMs ??= nowMs + restartsEveryMs;
      if (nowMs < restartAtMs) return;
      restartAtMs = nowMs + restartsEveryMs;
      device.restart();
    });
  } catch (error) {
    log.error("the simulated device stopped moving", { err: error });
  }
}
