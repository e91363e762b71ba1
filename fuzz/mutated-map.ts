import { parseModels } from "../simulators/inverter/model-list.ts";
import { Plant } from "../simulators/inverter/plant.ts";
import { RegisterMap } from "../simulators/inverter/register-map.ts";
import { SunSpecDevice } from "../simulators/inverter/sunspec-device.ts";
import { GOOD_SUNSPEC_BEHAVIOUR } from "../simulators/inverter/sunspec-simulator.ts";
import { EXCEPTION, type RegisterBank } from "../simulators/modbus/modbus-request.ts";
import { Battery } from "../simulators/world/battery.ts";
import { systemClock } from "../src/clock.ts";
import type { Chance } from "./chance.ts";

const BASES = [40_000, 0, 50_000] as const;
const CHAINS = [
  "1,101-103,120-124,160,203,802",
  "1,701-704,713-715,802",
  "1,113,120-124,213",
  "1:65,64001:7,103,123,124",
];
/** What stands where no value is, and the ends of ranges. */
const ODD_WORDS = [0, 1, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff, 0x7fc0, 0xff80, 10, 0xfff6];

/** Registers of a battery inverter, as they would be without a fault, by chain. */
const IMAGES = new Map<string, readonly number[]>();

/** A SunSpec map with some of it wrong: lengths, ids, scale factors, values, and where it ends. */
export function mutatedMap(chance: Chance): RegisterBank["read"] {
  const base = chance.pick(BASES);
  const words = [...imageOf(chance.pick(CHAINS))];
  for (let changes = chance.integer(0, 30); changes > 0; changes--) {
    const place = chance.integer(0, 3) === 0 ? chance.pick(headersOf(words)) : chance.integer(2, words.length - 1);
    words[place] = chance.integer(0, 1) === 0 ? chance.pick(ODD_WORDS) : chance.integer(0, 0xffff);
  }
  const end = chance.integer(0, 4) === 0 ? chance.integer(2, words.length) : words.length;
  return (space, address, count) => {
    if (space !== "holding") return EXCEPTION.illegalFunction;
    const from = address - base;
    return from < 0 || from + count > end ? EXCEPTION.illegalAddress : words.slice(from, from + count);
  };
}

/** Places of ids and lengths, as far as the chain can be followed. */
function headersOf(words: readonly number[]): number[] {
  const places: number[] = [];
  for (let at = 2; at + 1 < words.length && words[at] !== 0xffff; at += 2 + (words[at + 1] ?? 0))
    places.push(at, at + 1);
  return places.length === 0 ? [2] : places;
}

function imageOf(chain: string): readonly number[] {
  const known = IMAGES.get(chain);
  if (known !== undefined) return known;
  const cells = new Battery(systemClock, { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5 });
  const plant = new Plant(systemClock, cells, 0.3);
  const device = new SunSpecDevice({
    models: parseModels(chain),
    clock: systemClock,
    plant,
    manners: GOOD_SUNSPEC_BEHAVIOUR,
    label: { manufacturer: "Fuzz", model: "Map", version: "1", serial: "1" },
    unit: 1,
    hasReversion: true,
    meterSign: 1,
  });
  const map = new RegisterMap(0, device.models);
  const words: number[] = [];
  for (let address = 0; ; address++) {
    const cell = map.read(address, 1);
    if (typeof cell === "number") break;
    words.push(...cell);
  }
  IMAGES.set(chain, words);
  return words;
}
