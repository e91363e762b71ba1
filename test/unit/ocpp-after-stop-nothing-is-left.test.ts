import { expect, test } from "vitest";
import { ocpp } from "../../adapters/ocpp/index.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { waitFor } from "../support/wait-for.ts";
import { BOOT_16, dialIn } from "./ocpp-raw-charger.ts";

/** The real clock, which counts who still sleeps. */
function countingClock(): Clock & { sleepers: number } {
  const clock = {
    ...systemClock,
    sleepers: 0,
    sleep: (ms: number, signal?: AbortSignal) => {
      clock.sleepers += 1;
      return systemClock.sleep(ms, signal).finally(() => {
        clock.sleepers -= 1;
      });
    },
  };
  return clock;
}

const sockets = () => process.getActiveResourcesInfo().filter((resource) => resource.startsWith("TCP")).length;

test("after stop no timer runs and no socket is open, even with calls that nobody answered", async () => {
  const socketsBefore = sockets();
  const clock = countingClock();
  const host = ocpp.createHost(ocpp.sharedSchema.parse({ port: 0 }), {
    clock,
    log: silentLog,
    random: Math.random,
    memory: volatileMemory(),
  });
  const adapter = host.adapter({ era: "charger-1", kind: "charger" }, ocpp.deviceSchema.parse({ identity: "CP-1" }));
  const stop = new AbortController();
  await host.start(stop.signal);
  const charger = await dialIn(host.addresses()["ocpp"] ?? "", { answers: {} });
  await charger.call("BootNotification", BOOT_16);
  await waitFor("a call to be out", () => charger.calls.length > 0);
  const starting = adapter.start(stop.signal).catch((error: unknown) => error);
  const applying = adapter
    .apply({ setpointId: "1", powerKW: -5, untilMs: Date.now() + 60_000 }, stop.signal)
    .catch((error: unknown) => error);
  expect(clock.sleepers).toBeGreaterThan(0);

  stop.abort(new Error("stopped"));
  await adapter[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  expect(await starting).toMatchObject({ message: "stopped" });
  expect(await applying).toMatchObject({ message: "stopped" });
  await charger[Symbol.asyncDispose]();
  await waitFor("the last timer", () => clock.sleepers === 0, 500);
  await waitFor("the last socket", () => sockets() <= socketsBefore, 500);
});
