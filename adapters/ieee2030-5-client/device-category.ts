import type { MeteredDevice } from "../../src/model/utility.ts";

/** Bits of DeviceCategoryType that something here can be. */
const CATEGORY = {
  load: 1 << 9,
  energyManagementSystem: 1 << 14,
  charger: 1 << 17,
  solar: 1 << 21,
  solarAndStorage: 1 << 23,
  storage: 1 << 25,
} as const;

/**
 * What an EndDevice of ours is, 8 hexadecimal digits: its devices, and the energy management system that they are behind
 * where it stands for the whole site.
 */
export function deviceCategory(devices: readonly MeteredDevice[], isSite: boolean): string {
  const kinds = new Set(devices.map(({ kind }) => kind));
  let bits = isSite ? CATEGORY.energyManagementSystem : 0;
  if (kinds.has("charger")) bits |= CATEGORY.charger;
  if (kinds.has("load")) bits |= CATEGORY.load;
  if (kinds.has("solar") && kinds.has("battery")) bits |= CATEGORY.solarAndStorage;
  else if (kinds.has("solar")) bits |= CATEGORY.solar;
  else if (kinds.has("battery")) bits |= CATEGORY.storage;
  return bits.toString(16).padStart(8, "0").toUpperCase();
}
