import { expect, test } from "vitest";
import { ControlDesk } from "../../adapters/ieee2030-5/controls/control-desk.ts";
import { controlPowerFromKW } from "../../adapters/ieee2030-5/controls/control-power.ts";
import { systemClock } from "../../src/clock.ts";

const { signal } = new AbortController();
const power = controlPowerFromKW(2, "opModFixedW", { generationKW: 5, chargeKW: 5 });
const untilMs = Date.now() + 60_000;

test("a device answers an event once, so the same order after a refusal is a new event", async () => {
  const desk = new ControlDesk({ era: "der.1", clock: systemClock, pollRateS: () => 1 });
  const first = desk.order("s1", power, untilMs, signal);
  const refusedMRID = desk.active()?.mRID ?? "";
  desk.responded(refusedMRID, 252);
  await expect(first).rejects.toMatchObject({ fault: "refused" });

  const second = desk.order("s1", power, untilMs, signal);
  const mRID = desk.active()?.mRID ?? "";
  expect(mRID).not.toBe(refusedMRID);
  desk.responded(mRID, 2);
  expect(await second).toContain("started");

  // What was accepted needs no second event and no second answer.
  expect(await desk.order("s1", power, untilMs, signal)).toContain(mRID);
});

test("what a device accepted and does not follow comes as a new event, and a plain repeat does not", async () => {
  const desk = new ControlDesk({ era: "der.1", clock: systemClock, pollRateS: () => 1 });
  const first = desk.order("s1", power, untilMs, signal);
  const acceptedMRID = desk.active()?.mRID ?? "";
  desk.responded(acceptedMRID, 2);
  await first;

  const correction = desk.order("s1", power, untilMs, signal, true);
  const mRID = desk.active()?.mRID ?? "";
  expect(mRID).not.toBe(acceptedMRID);
  desk.responded(mRID, 2);
  expect(await correction).toContain(mRID);
});

test("an order that nobody waits for any more lies ready until it is released", async () => {
  const desk = new ControlDesk({ era: "der.1", clock: systemClock, pollRateS: () => 1 });
  const impatient = new AbortController();
  const waiting = desk.order("s1", power, untilMs, impatient.signal);
  impatient.abort(new Error("no longer wanted"));
  await expect(waiting).rejects.toThrow("no longer wanted");
  expect(desk.active()).toBeDefined();
  await desk.release(signal);
  expect(desk.active()).toBeUndefined();
});
