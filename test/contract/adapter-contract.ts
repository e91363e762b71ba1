import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Adapter, DeviceError, type Report } from "../../src/model/adapter.ts";
import type { Capability } from "../../src/model/resource.ts";
import { waitFor } from "../support/wait-for.ts";

/** One adapter, connected to its own simulator over a real socket, and what the story needs to do to the simulator. */
export interface ContractFixture extends AsyncDisposable {
  readonly adapter: Adapter;
  /** Opens the adapter's host and the simulator, so that `adapter.start` can succeed. */
  open(signal: AbortSignal): Promise<void>;
  /** A power that the device can follow and that differs from what it does by itself, kW. */
  readonly orderKW: number;
  /** Another such power. */
  readonly otherOrderKW: number;
  /** Power that the simulated hardware really has, kW, export positive. */
  deviceKW(): number;
  /** True while the device is under a command of ours. */
  underControl(): boolean;
  /** From now on the device says no to commands. */
  refuse(): void;
  /** From now on the device does not answer. */
  fallSilent(): void;
  /** From now on the device answers with garbage. */
  talkNonsense(): void;
  /** Breaks the link and lets it come back by itself. */
  breakLink(): Promise<void>;
}

const NEAR_KW = 0.35;

/** The same story for every adapter. A protocol's own tests stand beside it. */
export function describeAdapterContract(name: string, create: () => Promise<ContractFixture>): void {
  describe(`adapter contract: ${name}`, () => {
    let fixture: ContractFixture;
    let stop: AbortController;
    let reports: Report[];
    let reading: Promise<void>;

    beforeEach(async () => {
      fixture = await create();
      stop = new AbortController();
      reports = [];
      await fixture.open(stop.signal);
      reading = (async () => {
        for await (const report of fixture.adapter.reports(stop.signal)) reports.push(report);
      })();
    });

    afterEach(async () => {
      stop.abort(new Error("test over"));
      await reading;
      await fixture[Symbol.asyncDispose]();
    });

    const started = (): Promise<Capability> => fixture.adapter.start(stop.signal);
    const target = (powerKW: number, holdMs = 60_000) => ({
      setpointId: `contract-${powerKW}`,
      powerKW,
      untilMs: Date.now() + holdMs,
    });
    const lastPowerKW = () =>
      reports
        .filter((report) => report.kind === "reading")
        .map((report) => report.reading.powerKW)
        .filter((powerKW) => powerKW !== undefined)
        .at(-1);

    test("it says what the device can do, with both signs right", async () => {
      const capability = await started();
      expect(capability.minPowerKW).toBeLessThanOrEqual(0);
      expect(capability.maxPowerKW).toBeGreaterThanOrEqual(0);
      expect(capability.maxPowerKW - capability.minPowerKW).toBeGreaterThan(0);
      expect(fixture.orderKW).toBeGreaterThanOrEqual(capability.minPowerKW);
      expect(fixture.orderKW).toBeLessThanOrEqual(capability.maxPowerKW);
    });

    test("the meter follows an accepted target", async () => {
      await started();
      const acceptance = await fixture.adapter.apply(target(fixture.orderKW), stop.signal);
      expect(acceptance.appliedKW).toBeCloseTo(fixture.orderKW, 0);
      expect(acceptance.command).not.toBe("");
      await waitFor("the device to follow", () => Math.abs(fixture.deviceKW() - fixture.orderKW) < NEAR_KW);
      await waitFor("the meter to show it", () => Math.abs((lastPowerKW() ?? Number.NaN) - fixture.orderKW) < NEAR_KW);
    });

    test("a second target replaces the first, and the same target twice is harmless", async () => {
      await started();
      await fixture.adapter.apply(target(fixture.orderKW), stop.signal);
      await fixture.adapter.apply(target(fixture.otherOrderKW), stop.signal);
      await fixture.adapter.apply(target(fixture.otherOrderKW), stop.signal);
      await waitFor("the device to follow", () => Math.abs(fixture.deviceKW() - fixture.otherOrderKW) < NEAR_KW);
    });

    test("release gives the device back to its own default", async () => {
      await started();
      await fixture.adapter.apply(target(fixture.orderKW), stop.signal);
      await waitFor("the command to be in force", () => fixture.underControl());
      await fixture.adapter.release(stop.signal);
      await waitFor("the device to be free", () => !fixture.underControl());
    });

    test("release without a target is harmless", async () => {
      await started();
      await fixture.adapter.release(stop.signal);
      expect(fixture.underControl()).toBe(false);
    });

    test("a device that says no is reported as refused", async () => {
      await started();
      fixture.refuse();
      const fault = await fixture.adapter.apply(target(fixture.orderKW), stop.signal).catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(DeviceError);
      expect((fault as DeviceError).fault).toBe("refused");
    });

    test("a device that falls silent ends in a fault, not in a hang", async () => {
      await started();
      fixture.fallSilent();
      const fault = await fixture.adapter.apply(target(fixture.orderKW), stop.signal).catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(DeviceError);
      expect(["timeout", "unreachable"]).toContain((fault as DeviceError).fault);
    });

    test("a device that talks nonsense ends in a fault, and the process lives", async () => {
      await started();
      fixture.talkNonsense();
      const fault = await fixture.adapter.apply(target(fixture.orderKW), stop.signal).catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(DeviceError);
      expect(["timeout", "unreachable", "protocol", "refused"]).toContain((fault as DeviceError).fault);
    });

    test("after a broken link the target is in force again without being asked", async () => {
      await started();
      await fixture.adapter.apply(target(fixture.orderKW), stop.signal);
      await waitFor("the command to be in force", () => fixture.underControl());
      await fixture.breakLink();
      await waitFor(
        "the target to be in force again",
        () => fixture.underControl() && Math.abs(fixture.deviceKW() - fixture.orderKW) < NEAR_KW,
      );
      const seen = reports.length;
      await waitFor("readings to come again", () => reports.slice(seen).some((report) => report.kind === "reading"));
    });

    test("an aborted signal stops a call early", async () => {
      await started();
      fixture.fallSilent();
      const impatient = new AbortController();
      const call = fixture.adapter.apply(target(fixture.orderKW), impatient.signal);
      impatient.abort(new Error("no longer wanted"));
      await expect(call).rejects.toThrow();
    });
  });
}
