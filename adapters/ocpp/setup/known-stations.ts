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
  readonly identity?: DeviceIdentity;
  readonly traits?: Traits;
}

/**
 * What each charger last said of itself, kept over our own restart: a charger that only lost the line does not boot and does not
 * say it again, and its targets need not wait for a question.
 */
export class KnownStation {
  readonly #memory: AdapterMemory;
  readonly #station: { readonly identity: string; readonly log: Log };

  constructor(memory: AdapterMemory, station: { readonly identity: string; readonly log: Log }) {
    this.#memory = memory;
    this.#station = station;
  }

  read(): StationFacts | undefined {
    const read = factsSchema.safeParse(this.#memory.get(this.#key));
    return read.success ? withoutUndefined(read.data) : undefined;
  }

  keep(facts: StationFacts): void {
    this.#memory
      .set(this.#key, factsSchema.parse(facts))
      .catch((error: unknown) =>
        this.#station.log.warn("what the charger said of itself could not be kept", { err: error }),
      );
  }

  get #key(): string {
    return `station/${this.#station.identity}`;
  }
}

/** What came out of JSON holds no `undefined`, though the schema's type allows it. */
function withoutUndefined(facts: z.output<typeof factsSchema>): StationFacts {
  return facts as StationFacts;
}
