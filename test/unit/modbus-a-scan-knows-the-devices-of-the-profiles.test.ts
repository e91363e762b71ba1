import { afterEach, describe, expect, test } from "vitest";
import { adapters } from "../../adapters/index.ts";
import { modbus } from "../../adapters/modbus/index.ts";
import { registerProfiles } from "../../adapters/modbus/tools/matching-profiles.ts";
import { GOOD_MODBUS_BEHAVIOUR } from "../../simulators/modbus/behaviour.ts";
import { loadProfile } from "../../simulators/modbus/profile/profile-file.ts";
import { hardwareFor } from "../../simulators/modbus/profile/profile-hardware.ts";
import { ProfileSimulator } from "../../simulators/modbus/profile/profile-simulator.ts";
import { createRng } from "../../simulators/world/rng.ts";
import type { Sun } from "../../simulators/world/sun.ts";
import { systemClock } from "../../src/clock.ts";
import { parseConfig } from "../../src/config/load.ts";
import { silentLog } from "../../src/log.ts";

let simulator: ProfileSimulator | undefined;

afterEach(async () => {
  await simulator?.[Symbol.asyncDispose]();
});

/** The registers of a profile's device over TCP. */
async function deviceOf(id: string): Promise<{ readonly place: string; readonly unit: number }> {
  const profile = loadProfile(id);
  const clock = systemClock;
  const ratings = {
    ratingKW: profile.kind === "charger" ? 11 : 5,
    phases: 3,
    volts: 230,
    capacityKWh: 10,
    serial: "S1",
  };
  const unit = profile.transport.unit ?? 1;
  const sun = { share: () => 0.5 } as Sun;
  simulator = new ProfileSimulator({
    profile,
    ratings,
    clock,
    hardware: hardwareFor(profile.kind, { clock, ratings, rng: createRng(1), sun, socPercent: 50 }),
    log: silentLog,
    unit,
    otherUnit: "exception",
    behaviour: GOOD_MODBUS_BEHAVIOUR,
    random: () => 0,
  });
  const { host, port } = await simulator.listen();
  return { place: `${host}:${port}`, unit };
}

function scan(place: string, unit: number) {
  const command = modbus.commands?.find(({ name }) => name === "scan");
  if (command === undefined) throw new Error("no scan");
  return command.run(
    { args: [place], options: { units: String(unit) } },
    {
      clock: systemClock,
      log: silentLog,
      signal: new AbortController().signal,
      ask: () => Promise.reject(new Error("there is no daemon")),
      askIfRunning: async () => undefined,
      devices: () => [],
      progress: () => {},
    },
  );
}

describe("a scan proposes the profile", () => {
  test.each(registerProfiles().map(({ id }) => id))("of %s, in lines that a config takes", async (id) => {
    const { place, unit } = await deviceOf(id);
    const result = await scan(place, unit);
    const [found] = (result.json as { units: readonly { profiles?: readonly { id: string }[] }[] }).units;
    const ids = found?.profiles?.map((profile) => profile.id);
    expect(ids).toContain(id);
    const config = parseConfig(result.text ?? "", "proposed.yaml", adapters);
    expect(config.devices[0]).toMatchObject({ modbus: { profile: ids?.[0] } });
  });
});
