import { expect, test } from "vitest";
import { SecurityLog } from "../../adapters/ocpp/door/security-log.ts";
import { silentLog } from "../../src/log.ts";
import { HandClock } from "../support/hand-clock.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { dialIn, openGateway } from "./ocpp-raw-charger.ts";

test.each(["ocpp1.6", "ocpp2.0.1"] as const)(
  "what a charger tells over %s is answered, shown, and there after a restart",
  async (version) => {
    const memory = volatileMemory();
    {
      await using gateway = await openGateway({ memory });
      await using charger = await dialIn(gateway.url, { version });
      const event = {
        type: "TamperDetectionActivated",
        timestamp: "2026-11-23T14:00:00Z",
        techInfo: "lid\u001b[2J open",
      };
      expect(await charger.call("SecurityEventNotification", event)).toEqual([3, "c1", {}]);
      expect(await charger.call("SecurityEventNotification", {})).toEqual([3, "c2", {}]);
      expect(gateway.counted("security_events_total", "charger")).toBe(2);
    }
    await using again = await openGateway({ memory });
    const { events } = (await again.ask("events", { identity: "CP-1" })) as { events: unknown[] };
    expect(events).toEqual(
      expect.arrayContaining([
        {
          identity: "CP-1",
          source: "charger",
          type: "TamperDetectionActivated",
          detail: "lid?[2J open",
          deviceTimeMs: Date.UTC(2026, 10, 23, 14),
          atMs: expect.any(Number),
          count: 1,
        },
        expect.objectContaining({ type: "without a type" }),
      ]),
    );
    expect(await again.ask("events", { identity: "CP-2" })).toEqual({ events: [] });
    await expect(again.ask("events", { limit: 0 })).rejects.toMatchObject({ reason: "invalid" });
  },
);

test("a charger that tells the same thing all day fills neither the list nor the disk, and no other charger's list", async () => {
  const clock = new HandClock();
  const inner = volatileMemory();
  let writes = 0;
  const memory = {
    ...inner,
    set: (key: string, value: unknown) => {
      writes += 1;
      return inner.set(key, value);
    },
  };
  const log = new SecurityLog(memory, clock, silentLog);
  log.note("CP-2", { source: "charger", type: "FirmwareUpdated" });
  for (let n = 0; n < 1000; n++) log.note("CP-1", { source: "charger", type: "InvalidMessages" });
  for (let n = 0; n < 100; n++) log.note("CP-1", { source: "charger", type: `Event${n}` });
  expect(writes).toBe(2);
  clock.advance(10_000);
  log.look(clock.elapsedMs());
  log.look(clock.elapsedMs());
  expect(writes).toBe(3);
  expect(log.list("CP-1")).toHaveLength(32);
  expect(log.list("CP-2")).toMatchObject([{ type: "FirmwareUpdated", count: 1 }]);
  log.note("CP-1", { source: "charger", type: "Event99" });
  expect(log.list("CP-1").find((event) => event.type === "Event99")?.count).toBe(2);
});
