import type { AdapterMemory } from "../../adapters/kind.ts";
import { baselineMemory } from "../../adapters/modbus/baseline/baseline-memory.ts";
import { DeviceControl } from "../../adapters/modbus/sunspec/device-control.ts";
import { keptBaseline } from "../../adapters/modbus/sunspec/kept-baseline.ts";
import { knownQuirks, type SunSpecQuirks } from "../../adapters/modbus/sunspec/quirks.ts";
import { SunSpecDevice, type SunSpecOptions } from "../../adapters/modbus/sunspec/sunspec-device.ts";
import { WriteBudget } from "../../adapters/wear/write-budget.ts";
import type { Clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { ResourceKind } from "../../src/model/resource.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import type { RegisterImage } from "./sunspec-register-image.ts";

/** A clock that is moved by hand; sleeping takes no time. */
export class BenchClock implements Clock {
  ms = Date.UTC(2026, 4, 1, 12);
  now = () => this.ms;
  elapsedMs = () => this.ms;
  sleep = async () => {};
}

export interface BenchOptions extends Partial<Omit<SunSpecOptions, "kind" | "quirksOf">> {
  readonly quirks?: SunSpecQuirks;
  readonly memory?: AdapterMemory;
  readonly clock?: BenchClock;
  readonly maxWritesPerDay?: number;
  readonly hasVendorFallback?: boolean;
}

/** A device on an image of registers, with its control block. */
export function benchDevice(image: RegisterImage, kind: ResourceKind, options: BenchOptions = {}) {
  const {
    quirks,
    memory = volatileMemory(),
    clock = new BenchClock(),
    maxWritesPerDay,
    hasVendorFallback,
    ...rest
  } = options;
  const quirksOf = quirks === undefined ? knownQuirks : () => quirks;
  const device = new SunSpecDevice(image, { kind, control: "auto", ...rest, quirksOf });
  const budget = new WriteBudget("unit", "register", { memory, clock, log });
  const control = new DeviceControl({
    device,
    clock,
    log,
    budget,
    memory: baselineMemory(memory, "sunspec/it", keptBaseline),
    maxWritesPerDay,
    revertS: 60,
    hasVendorFallback: hasVendorFallback ?? false,
  });
  return { image, device, control, clock, memory, budget };
}
