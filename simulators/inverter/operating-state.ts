import type { Measurement, Plant } from "./plant.ts";

/** What the models need to know of the device besides its own control points. */
export interface Device {
  readonly plant: Plant;
  /** False after a command to disconnect from the grid. */
  isConnected(): boolean;
  /** True while a control holds the power back or moves it. */
  isControlled(): boolean;
}

/** The device's state as the 10x models number it; the 7xx models count the same list from 0. */
const OPERATING = { off: 1, sleeping: 2, mppt: 4, throttled: 5 } as const;

/** Below this the panels are asleep, kW. */
const ASLEEP_KW = 0.01;

export function operatingState(device: Device, now: Measurement): number {
  if (!device.isConnected()) return OPERATING.off;
  if (device.isControlled()) {
    // A battery that is told what to do is throttled however small its power is; panels only if sun is wasted.
    const isWasting = now.availableKW - now.powerKW > 0.02 * device.plant.ratingKW;
    if (device.plant.isBattery || isWasting) return OPERATING.throttled;
  }
  if (!device.plant.isBattery && now.availableKW < ASLEEP_KW) return OPERATING.sleeping;
  return OPERATING.mppt;
}

/** The least power of ten, from `least` on, at which a raw value of up to `largest` still holds the number. */
export function scaleThatFits(value: number, largest: number, least: number): number {
  let scale = least;
  while (value / 10 ** scale > largest) scale += 1;
  return scale;
}
