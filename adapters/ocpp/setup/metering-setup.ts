import type { ModelMemory } from "./model-memory.ts";
import type { Settings } from "./settings.ts";
import type { Traits } from "./traits.ts";

const IMPORTED = ["Power.Active.Import", "Energy.Active.Import.Register"];
const EXPORTED = ["Power.Active.Export", "Energy.Active.Export.Register"];
const OTHERS = ["Current.Import", "Voltage", "Current.Offered", "SoC", "Power.Offered"];

/** What we would like to see, dearest first: a charger that takes only a few gets asked for these. */
function measurandsFor(mayDischarge: boolean): readonly string[] {
  return [...IMPORTED, ...(mayDischarge ? EXPORTED : []), ...OTHERS];
}

/** Without a car power and register are enough. */
const IDLE_MEASURANDS = 2;

/** Intervals that are offered in turn to a charger that refuses the one we want, seconds. */
const SAMPLE_INTERVALS_S = [10, 15, 30, 60];
const IDLE_INTERVALS_S = [60, 300, 900];

/** A list that was found without the measurands of export says nothing of one with them. */
const TOPIC = { import: "measurands", both: "measurands-with-export" } as const;

export interface MeteringWish {
  readonly sampleIntervalS: number;
  /** 0: as the charger likes. */
  readonly idleIntervalS: number;
  /** True where a car may give energy back, which has measurands of its own. */
  readonly mayDischarge: boolean;
}

/** What a charger will measure, and how often. */
export interface Metering {
  /** Seconds between samples while a car charges, as the charger took it. */
  readonly sampleIntervalS?: number;
}

/**
 * Asks for the measurands and intervals that control needs, trimmed to what the charger takes. A list that it refuses is tried one
 * by one; what came of that is remembered for the model.
 * @throws CallFailure when the charger does not answer
 */
export async function setUpMetering(
  settings: Settings,
  traits: Traits,
  wanted: MeteringWish,
  memory: ModelMemory,
): Promise<Metering> {
  const measurands = await setMeasurands(settings, traits, memory, wanted.mayDischarge);
  const sampleIntervalS = await settings.setFirst(
    "sampleIntervalS",
    upwardFrom(wanted.sampleIntervalS, SAMPLE_INTERVALS_S),
  );
  // Without these a charger with no transaction says nothing between two changes of its state.
  if (wanted.idleIntervalS > 0 && settings.said("alignedIntervalS") !== undefined) {
    const most = Math.min(IDLE_MEASURANDS, traits.maxAlignedMeasurands ?? IDLE_MEASURANDS);
    const idle = (measurands ?? IMPORTED).slice(0, Math.max(1, most));
    await settings.setFirst("alignedMeasurands", lists(idle));
    await settings.setFirst("alignedIntervalS", upwardFrom(wanted.idleIntervalS, IDLE_INTERVALS_S));
  }
  return sampleIntervalS === undefined ? {} : { sampleIntervalS };
}

/** @returns those that are set; nothing where none could be */
async function setMeasurands(
  settings: Settings,
  traits: Traits,
  memory: ModelMemory,
  mayDischarge: boolean,
): Promise<readonly string[] | undefined> {
  const liked = measurandsFor(mayDischarge);
  const topic = mayDischarge ? TOPIC.both : TOPIC.import;
  const most = Math.max(1, traits.maxSampledMeasurands ?? liked.length);
  const known = memory.get(topic);
  const wanted = isTextList(known) ? known : liked.slice(0, most);
  if (await settings.set("sampledMeasurands", wanted.join(","))) return wanted;
  memory.forget(topic);
  if (settings.said("sampledMeasurands")?.readOnly === true) return undefined;
  const accepted: string[] = [];
  for (const measurand of liked) {
    if (await settings.set("sampledMeasurands", measurand)) accepted.push(measurand);
  }
  const set = await settings.setFirst("sampledMeasurands", lists(accepted.slice(0, most)));
  if (set === undefined) return undefined;
  memory.set(topic, set.split(","));
  return set.split(",");
}

/** The list, and then shorter and shorter ones. */
function lists(measurands: readonly string[]): readonly string[] {
  return measurands.map((_measurand, index) => measurands.slice(0, measurands.length - index).join(","));
}

function upwardFrom(wantedS: number, steps: readonly number[]): readonly number[] {
  return [wantedS, ...steps.filter((stepS) => stepS > wantedS)];
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");
}
