import { z } from "zod";
import type { Log } from "../../../src/log.ts";
import type { DeviceIdentity } from "../../../src/model/resource.ts";
import type { AdapterMemory } from "../../kind.ts";
import { OCPP_VERSIONS, type OcppVersion } from "../version.ts";
import type { Traits } from "./traits.ts";

/** Everything of the traits but the settings, which change and are read again before they are written. */
const factsSchema = z.object({
  version: z.enum(OCPP_VERSIONS),
  identity: z
    .object({ vendor: z.string(), model: z.string(), firmware: z.string(), serial: z.string() })
    .partial()
    .optional(),
  traits: z
    .object({
      rateUnits: z.array(z.enum(["A", "W"])),
      maxStackLevel: z.int(),
      maxPeriods: z.int(),
      maxProfiles: z.int(),
      connectors: z.int(),
      switchesPhases: z.boolean(),
      smartCharging: z.boolean(),
      maxSampledMeasurands: z.int(),
      maxAlignedMeasurands: z.int(),
    })
    .partial()
    .optional(),
});

/** What a charger said of itself. */
export interface StationFacts {
  readonly version: OcppVersion;
  readonly identity: DeviceIdentity | undefined;
  readonly traits: Traits | undefined;
}

/**
 * What a charger last said of itself, kept over our own restart: a charger that only lost the line does not boot and does not
 * say it again, and its targets need not wait for a question.
 *
 * @param charger its identity
 */
export function knownFacts(memory: AdapterMemory, charger: string): StationFacts | undefined {
  const read = factsSchema.safeParse(memory.get(keyOf(charger)));
  if (!read.success) return undefined;
  const { version, identity, traits } = read.data;
  // What came out of JSON holds no `undefined`, though the schema's type allows it.
  return { version, identity, traits } as StationFacts;
}

export function keepFacts(
  memory: AdapterMemory,
  station: { readonly identity: string; readonly log: Log },
  facts: StationFacts,
): void {
  memory
    .set(keyOf(station.identity), factsSchema.parse(facts))
    .catch((error: unknown) => station.log.warn("what the charger said of itself could not be kept", { err: error }));
}

function keyOf(charger: string): string {
  return `station/${charger}`;
}
