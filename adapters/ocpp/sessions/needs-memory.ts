import { z } from "zod";
import type { Log } from "../../../src/log.ts";
import type { AdapterMemory } from "../../kind.ts";
import type { CarNeeds } from "./car-needs.ts";

/** Registers of the connector's meter, kWh; each only if the charger sends it. */
export interface EnergyRegisters {
  readonly importKWh?: number;
  readonly exportKWh?: number;
}

const number = z.number();
const power = z.object({
  minKW: number.optional(),
  maxKW: number.optional(),
  maxOnLinesKW: z.tuple([number, number, number]).optional(),
});

const Kept = z.object({
  transactionId: z.string(),
  registers: z.object({ importKWh: number.optional(), exportKWh: number.optional() }),
  needs: z.object({
    mode: z.string(),
    modes: z.array(z.string()),
    supply: z.enum(["AC", "DC"]),
    lines: z.literal([1, 2, 3]).optional(),
    charge: power,
    discharge: power,
    minA: number.optional(),
    maxA: number.optional(),
    capacityKWh: number.optional(),
    targetKWh: number.optional(),
    leastKWh: number.optional(),
    fullKWh: number.optional(),
    cyclingFromKWh: number.optional(),
    departureMs: number.optional(),
    control: z.enum(["scheduled", "dynamic"]).optional(),
  }),
});

/** What a car told, kept until its transaction is over: a charger does not say it again to a gateway that restarts. */
export class NeedsMemory {
  readonly #memory: AdapterMemory;
  readonly #key: string;
  readonly #log: Log;

  constructor(memory: AdapterMemory, identity: string, connector: number, log: Log) {
    this.#memory = memory;
    this.#key = `needs/${identity}/${connector}`;
    this.#log = log;
  }

  /** @param registers what the meter says as the car tells it */
  keep(transactionId: string, needs: CarNeeds, registers: EnergyRegisters): void {
    this.#memory
      .set(this.#key, { transactionId, needs, registers })
      .catch((error: unknown) => this.#log.warn("what the car needs could not be kept", { err: error }));
  }

  /**
   * What the car of this transaction told before, less what it got since.
   * @param registers what the meter says now
   */
  recall(transactionId: string, registers: EnergyRegisters): CarNeeds | undefined {
    const kept = Kept.safeParse(this.#memory.get(this.#key));
    if (!kept.success || kept.data.transactionId !== transactionId) return undefined;
    const before = kept.data.registers;
    const gotKWh = risenBy(before.importKWh, registers.importKWh) - risenBy(before.exportKWh, registers.exportKWh);
    const needs = kept.data.needs as CarNeeds;
    return { ...needs, ...lessBy(needs, gotKWh) };
  }

  forget(): void {
    if (this.#memory.get(this.#key) === undefined) return;
    this.#memory
      .forget(this.#key)
      .catch((error: unknown) => this.#log.warn("what a car needed could not be forgotten", { err: error }));
  }
}

function risenBy(before: number | undefined, now: number | undefined): number {
  return before === undefined || now === undefined ? 0 : Math.max(0, now - before);
}

const COUNTED = ["targetKWh", "leastKWh", "fullKWh", "cyclingFromKWh"] as const;

function lessBy(needs: CarNeeds, gotKWh: number): Partial<CarNeeds> {
  return Object.fromEntries(
    COUNTED.flatMap((key) => {
      const energyKWh = needs[key];
      return energyKWh === undefined ? [] : [[key, energyKWh - gotKWh]];
    }),
  );
}
