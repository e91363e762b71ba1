import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import { definedOnly } from "../../../src/model/defined-only.ts";
import type { AdapterMemory } from "../../kind.ts";
import type { OcppDevice } from "../config.ts";
import type { CarNeeds } from "./car-needs.ts";
import { type CarPlan, plannedImportKW } from "./car-plan.ts";
import { DischargeRoom } from "./discharge-room.ts";
import { type EnergyRegisters, NeedsMemory } from "./needs-memory.ts";

/** The connector that the car is at. */
export interface CarPlace {
  readonly device: OcppDevice;
  readonly context: { readonly memory: AdapterMemory; readonly clock: Clock };
  readonly log: Log;
}

/** The car at one connector, as far as it told of itself; also over a restart of the gateway. */
export class ConnectedCar {
  readonly #place: CarPlace;
  readonly #kept: NeedsMemory;
  #needs: CarNeeds | undefined;
  /** Absent while it did not say how low it may get: then it guards itself. */
  #room: DischargeRoom | undefined;
  #importKWh: number | undefined;
  #exportKWh: number | undefined;
  #plannedKW: number | undefined;
  /** The transaction for which it was looked up already. */
  #recalledFor: string | undefined;

  constructor(place: CarPlace) {
    const { context, device, log } = place;
    this.#place = place;
    this.#kept = new NeedsMemory(context.memory, device.identity, device.connector, log);
  }

  get needs(): CarNeeds | undefined {
    return this.#needs;
  }

  /** False while it is so low that it gives nothing back. */
  get mayGive(): boolean {
    return this.#room?.isOpen ?? true;
  }

  /** For a person, what it said that it will draw; empty if it said nothing. */
  get planText(): string {
    return this.#plannedKW === undefined ? "" : `, plans ${this.#plannedKW.toFixed(1)} kW`;
  }

  tells(needs: CarNeeds, transactionId: string | undefined): void {
    this.#place.log.info("the car told what it needs", { ...needs });
    if (transactionId !== undefined) this.#kept.keep(transactionId, needs, this.#registers);
    this.#needs = needs;
    const { cyclingFromKWh, leastKWh } = needs;
    const floorKWh = Math.max(...[cyclingFromKWh, leastKWh].filter((kWh) => kWh !== undefined));
    this.#room = Number.isFinite(floorKWh) ? new DischargeRoom(-floorKWh) : undefined;
  }

  plans(plan: CarPlan): void {
    const { device, context, log } = this.#place;
    this.#plannedKW = plannedImportKW(plan, device, context.clock.now());
    log.info("the car told what it will draw", { plannedKW: this.#plannedKW, ...plan });
  }

  /** Takes the registers of a live reading. */
  meters({ importKWh, exportKWh }: EnergyRegisters): void {
    if (importKWh !== undefined) this.#importKWh = importKWh;
    if (exportKWh !== undefined) this.#exportKWh = exportKWh;
    this.#room?.take(this.#registers);
  }

  get #registers(): EnergyRegisters {
    return definedOnly<EnergyRegisters>({ importKWh: this.#importKWh, exportKWh: this.#exportKWh });
  }

  /** What the car of a transaction that began before we did told then; absent if it told nothing, or is known already. */
  recall(transactionId: string | undefined): CarNeeds | undefined {
    if (transactionId === undefined || this.#needs !== undefined || this.#recalledFor === transactionId)
      return undefined;
    this.#recalledFor = transactionId;
    return this.#kept.recall(transactionId, this.#registers);
  }

  /** @returns true if it had told something */
  leaves(): boolean {
    const hadTold = this.#needs !== undefined;
    this.#needs = undefined;
    this.#plannedKW = undefined;
    this.#room = undefined;
    this.#kept.forget();
    return hadTold;
  }
}
