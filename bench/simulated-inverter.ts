import { InverterSimulator } from "../simulators/inverter/inverter-simulator.ts";
import { createRng } from "../simulators/world/rng.ts";
import { SolarPanel } from "../simulators/world/solar-panel.ts";
import { Sun } from "../simulators/world/sun.ts";
import { systemClock } from "../src/clock.ts";
import { silentLog } from "../src/log.ts";

/** An inverter of 8 kW; every other one has the newer map. */
export function simulatedInverter(index: number): InverterSimulator {
  const sun = new Sun(systemClock, createRng(index + 1));
  return new InverterSimulator({
    kind: "solar",
    map: index % 2 === 0 ? "legacy" : "der",
    source: new SolarPanel(systemClock, sun, { ratingKW: 8 }),
    clock: systemClock,
    log: silentLog,
    serial: `BENCH-${index + 1}`,
  });
}
