import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { modbus } from "../../adapters/modbus/index.ts";
import { GOOD_MODBUS_BEHAVIOUR } from "../../simulators/modbus/behaviour.ts";
import { loadProfile } from "../../simulators/modbus/profile/profile-file.ts";
import { hardwareFor } from "../../simulators/modbus/profile/profile-hardware.ts";
import type { ProfileShape } from "../../simulators/modbus/profile/profile-shape.ts";
import { ProfileSimulator } from "../../simulators/modbus/profile/profile-simulator.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { Sun } from "../../simulators/world/sun.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";

// Engine and simulator read the same file and share no code: what one writes, the other must understand.

const FOLDER = resolve(import.meta.dirname, "../../config/profiles");
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => file.endsWith(".yaml")) : [];
const controlled = files
  .map((file) => loadProfile(resolve(FOLDER, file)))
  .filter(({ controls, sunspec }) => sunspec === undefined && Object.keys(controls).length > 0);

const KINDS = { inverter: "solar", battery: "battery", charger: "charger", meter: "load" } as const;
const PHASES = 3;
const VOLTS = 230;

/** Powers that such a device can hold, kW, export positive. */
function ordersFor({ kind }: ProfileShape): readonly number[] {
  if (kind === "charger") return [-6.9, -4.83, 0];
  return kind === "battery" ? [-2, 0, 1.5] : [3, 1];
}

describe("a gateway with a profile and a device of it", () => {
  test.each(controlled.map((profile) => [profile.id, profile] as const))(
    "%s: each power that is ordered flows, and what was there before comes back",
    async (id, profile) => {
      const isCharger = profile.kind === "charger";
      const ratings = {
        ratingKW: isCharger ? 11.04 : 5,
        phases: PHASES,
        volts: VOLTS,
        capacityKWh: 60,
        serial: "SIM-1",
      };
      const unit = profile.transport.unit ?? 1;
      await using simulator = new ProfileSimulator({
        profile,
        ratings,
        hardware: hardwareFor(profile.kind, {
          clock,
          ratings,
          rng: createRng(1),
          sun: new Sun(clock, createRng(1)),
          socPercent: 50,
          lag: { deadMs: 10, tauMs: 30 },
        }),
        clock,
        log,
        unit,
        otherUnit: "exception",
        behaviour: { ...GOOD_MODBUS_BEHAVIOUR },
        random: () => 0,
      });
      const { host, port } = await simulator.listen();
      const asked = profile.kind === "charger" ? { maxA: 16, phases: PHASES } : {};
      const device = modbus.deviceSchema.parse({
        ...{ host, port, unit, profile: id, pollMs: 100, timeoutMs: 1000, ratingKW: ratings.ratingKW },
        ...asked,
      });
      await using gateway = modbus.createHost({}, { clock, log, random: Math.random, memory: volatileMemory() });
      const adapter = gateway.adapter({ era: "test", kind: KINDS[profile.kind] }, device);
      const { signal } = new AbortController();
      await adapter.start(signal);
      expect(simulator.orders()).toEqual([]);
      for (const powerKW of ordersFor(profile)) {
        const { appliedKW } = await adapter.apply({ setpointId: "1", powerKW, untilMs: clock.now() + 600_000 }, signal);
        expect(Math.abs(appliedKW - powerKW)).toBeLessThan(0.25);
        await waitFor(`${id} to follow ${powerKW} kW`, () => Math.abs(simulator.powerKW() - appliedKW) < 0.15);
      }
      await adapter.release(signal);
      expect(simulator.orders()).toEqual([]);
    },
  );
});
