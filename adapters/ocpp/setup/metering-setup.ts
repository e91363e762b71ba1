import type { ModelMemory } from "./model-memory.ts";
import type { Settings } from "./settings.ts";
import type { Traits } from "./traits.ts";

/** What we would like to see, dearest first: a charger that takes only a few gets asked for these. */
const MEASURANDS = [
  "Power.Active.Import",
  "Energy.Active.Import.Register",
  "Current.Import",
  "Voltage",
  "Current.Offered",
  "SoC",
  "Power.Offered",
];

/** Without a car power and register are enough. */
const IDLE_MEASURANDS = 2;

/** Intervals that are offered in turn to a charger that refuses the one we want, seconds. */
const SAMPLE_INTERVALS_S = [10, 15, 30, 60];
const IDLE_INTERVALS_S = [60, 300, 900];

const TOPIC = "measurands";

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
  wanted: { readonly sampleIntervalS: number; readonly idleIntervalS: number },
  memory: ModelMemory,
): Promise<Metering> {
  const measurands = await setMeasurands(settings, traits, memory);
  const sampleIntervalS = await settings.setFirst(
    "sampleIntervalS",
    upwardFrom(wanted.sampleIntervalS, SAMPLE_INTERVALS_S),
  );
  // Without these a charger with no transaction says nothing between two changes of its state.
  if (wanted.idleIntervalS > 0 && settings.said("alignedIntervalS") !== undefined) {
    const most = Math.min(IDLE_MEASURANDS, traits.maxAlignedMeasurands ?? IDLE_MEASURANDS);
    const idle = (measurands ?? MEASURANDS).slice(0, Math.max(1, most));
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
): Promise<readonly string[] | undefined> {
  const most = Math.max(1, traits.maxSampledMeasurands ?? MEASURANDS.length);
  const known = memory.get(TOPIC);
  const wanted = isTextList(known) ? known : MEASURANDS.slice(0, most);
  if (await settings.set("sampledMeasurands", wanted.join(","))) return wanted;
  memory.forget(TOPIC);
  if (settings.said("sampledMeasurands")?.readOnly === true) return undefined;
  const accepted: string[] = [];
  for (const measurand of MEASURANDS) {
    if (await settings.set("sampledMeasurands", measurand)) accepted.push(measurand);
  }
  const set = await settings.setFirst("sampledMeasurands", lists(accepted.slice(0, most)));
  if (set === undefined) return undefined;
  memory.set(TOPIC, set.split(","));
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
