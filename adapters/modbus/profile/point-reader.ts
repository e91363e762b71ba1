import { ModbusError } from "../link/modbus-error.ts";
import type { Priority } from "../link/request-queue.ts";
import type { Lookup, Point, Value } from "./point.ts";
import { pointValue } from "./point.ts";
import { type Block, planReads, splitBlock } from "./read-plan.ts";
import type { UnitPort } from "./unit-port.ts";

/** A device says with these that a register is not there, or not in one request with its neighbours. */
const NOT_THERE: readonly number[] = [2, 3];

/**
 * Reads points in blocks and keeps what it read. A block that the device refuses is cut into smaller ones, and stays cut; a
 * point that it refuses alone is absent from then on, until `forgetMissing`.
 */
export class PointReader {
  readonly #port: UnitPort;
  readonly #points: ReadonlyMap<string, Point>;
  readonly #limits: { maxRead: number; maxGap: number };
  /** Plans by the points that they are for; each gets better with what the device refused. */
  readonly #plans = new Map<string, Block[]>();
  readonly #missing = new Set<string>();
  readonly #registers = new Map<string, readonly number[]>();

  constructor(port: UnitPort, points: ReadonlyMap<string, Point>, limits: { maxRead: number; maxGap: number }) {
    this.#port = port;
    this.#points = points;
    this.#limits = limits;
  }

  /** Points that the device does not have. */
  get missing(): ReadonlySet<string> {
    return this.#missing;
  }

  /** What was last read of a point, in its unit; undefined where there is none. */
  readonly look: Lookup = (name): Value | undefined => {
    const registers = this.#registers.get(name);
    const point = this.#points.get(name);
    // A point that refers to itself is refused when the profile is loaded.
    return registers === undefined || point === undefined ? undefined : pointValue(point, registers, this.look);
  };

  registersOf(name: string): readonly number[] | undefined {
    return this.#registers.get(name);
  }

  /** Asks again for what the device did not have; an update may have brought it. */
  forgetMissing(): void {
    this.#missing.clear();
    this.#plans.clear();
  }

  /** Reads these points, and those that their values refer to. @throws ModbusError */
  async read(names: readonly string[], priority: Priority, signal: AbortSignal): Promise<void> {
    const key = names.join(" ");
    const plan = this.#plans.get(key) ?? [...planReads(this.#withReferences(names), this.#limits)];
    this.#plans.set(key, plan);
    for (let index = 0; index < plan.length; ) {
      const block = plan[index] as Block;
      const registers = await this.#readBlock(block, priority, signal);
      if (registers === undefined) {
        const parts = splitBlock(block, this.#limits.maxRead);
        if (parts.length === 0) for (const { name } of block.points) this.#lose(name);
        plan.splice(index, 1, ...parts);
        continue;
      }
      for (const point of block.points) {
        const from = point.address - block.address;
        this.#registers.set(point.name, registers.slice(from, from + point.width));
      }
      index += 1;
    }
  }

  #lose(name: string): void {
    this.#missing.add(name);
    this.#registers.delete(name);
  }

  #withReferences(names: readonly string[]): readonly Point[] {
    const wanted = new Set<string>();
    const add = (name: string) => {
      const point = this.#points.get(name);
      if (point === undefined || wanted.has(name) || this.#missing.has(name) || point.access === "write") return;
      wanted.add(name);
      if (point.scaleFrom !== undefined) add(point.scaleFrom);
      if (point.direction !== undefined) add(point.direction.point);
    };
    for (const name of names) add(name);
    return [...wanted].map((name) => this.#points.get(name) as Point);
  }

  /** Undefined where the device says that these registers are not there. */
  async #readBlock(block: Block, priority: Priority, signal: AbortSignal): Promise<readonly number[] | undefined> {
    try {
      return await this.#port.read(block.space, block.address, block.count, priority, signal);
    } catch (error) {
      if (!(error instanceof ModbusError) || error.code === undefined || !NOT_THERE.includes(error.code)) throw error;
      return undefined;
    }
  }
}
