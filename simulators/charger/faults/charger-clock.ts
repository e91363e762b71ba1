import type { Clock } from "../../../src/clock.ts";
import type { ChargerBehaviour } from "../behaviour.ts";

/** The clock that the charger goes by: as wrong as its behaviour says. Elapsed time is always true. */
export function chargerClock(clock: Clock, behaviour: Readonly<ChargerBehaviour>): Clock {
  const switchedOnMs = clock.elapsedMs();
  return {
    now: () => (behaviour.clockStartsIn1970 ? clock.elapsedMs() - switchedOnMs : clock.now()) + behaviour.clockOffsetMs,
    elapsedMs: () => clock.elapsedMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}
