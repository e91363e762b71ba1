import { EXCEPTION, type ExceptionCode, type Space, WRITE_SINGLE } from "../modbus-request.ts";
import type { PlacedPoint } from "./placed-point.ts";

const WRITE_COIL = 5;

/** Which registers a device has, and what may be done with them. */
export class VendorMap {
  readonly #points: readonly PlacedPoint[];
  readonly #limits: { readonly maxRead: number; readonly maxGap: number; readonly maxWrite: number };
  /** `space/address` of every register that may be read. */
  readonly #readable = new Set<string>();

  constructor(
    points: ReadonlyMap<string, PlacedPoint>,
    limits: { readonly maxRead: number; readonly maxGap: number; readonly maxWrite: number },
  ) {
    this.#points = [...points.values()].toSorted((a, b) => a.address - b.address);
    this.#limits = limits;
    const readable = this.#points.filter(({ access }) => access !== "write");
    for (const [index, { space, address, width }] of readable.entries()) {
      // What the profile says may be read along with a block is there, and holds 0.
      const next = readable.slice(index + 1).find((point) => point.space === space)?.address ?? address + width;
      const end = next - address - width <= limits.maxGap ? Math.max(next, address + width) : address + width;
      for (let place = address; place < end; place++) this.#readable.add(`${space}/${place}`);
    }
  }

  /** An exception where it may not: 2 for what is not there, 3 for more than the device gives at a time. */
  mayRead(space: Space, address: number, count: number): ExceptionCode | undefined {
    if (!this.#points.some((point) => point.space === space)) return EXCEPTION.illegalFunction;
    if (space !== "coil" && space !== "discrete" && count > this.#limits.maxRead) return EXCEPTION.illegalValue;
    for (let place = address; place < address + count; place++) {
      if (!this.#readable.has(`${space}/${place}`)) return EXCEPTION.illegalAddress;
    }
    return undefined;
  }

  /**
   * An exception where it may not: 1 for a function that the device does not take there, 2 for what is not there or is
   * read-only, 3 for a part of a value and for more than the device takes at a time.
   */
  mayWrite(space: "holding" | "coil", address: number, count: number, functionCode: number): ExceptionCode | undefined {
    if (space === "holding" && count > this.#limits.maxWrite) return EXCEPTION.illegalValue;
    const isSingle = functionCode === WRITE_SINGLE || functionCode === WRITE_COIL;
    const covered = new Set<number>();
    for (const point of this.pointsIn(space, address, count)) {
      if (point.access === "read") return EXCEPTION.illegalAddress;
      if (point.writeFunction === 6 && !isSingle) return EXCEPTION.illegalFunction;
      if (point.writeFunction === 16 && isSingle) return EXCEPTION.illegalFunction;
      if (point.address < address || point.address + point.width > address + count) return EXCEPTION.illegalValue;
      for (let place = point.address; place < point.address + point.width; place++) covered.add(place);
    }
    return covered.size === count ? undefined : EXCEPTION.illegalAddress;
  }

  /** Points of which at least one register lies there. */
  pointsIn(space: Space, address: number, count: number): readonly PlacedPoint[] {
    return this.#points.filter(
      (point) => point.space === space && point.address < address + count && point.address + point.width > address,
    );
  }
}
