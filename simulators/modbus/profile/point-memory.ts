import type { Space } from "../modbus-request.ts";
import { type PlacedPoint, registersOf, valueIn } from "./placed-point.ts";

/** What the registers of a device hold, by space and address and by point. */
export class PointMemory {
  readonly #points: ReadonlyMap<string, PlacedPoint>;
  readonly #cells: Map<string, number>;

  constructor(points: ReadonlyMap<string, PlacedPoint>, cells: ReadonlyMap<string, number> = new Map()) {
    this.#points = points;
    this.#cells = new Map(cells);
  }

  copy(): PointMemory {
    return new PointMemory(this.#points, this.#cells);
  }

  /** 0 where nothing was ever put. */
  cell(space: Space, address: number): number {
    return this.#cells.get(`${space}/${address}`) ?? 0;
  }

  putCell(space: Space, address: number, value: number): void {
    this.#cells.set(`${space}/${address}`, value);
  }

  /** In the point's own unit; undefined for text, and for a point that there is not. */
  value(name: string): number | undefined {
    const point = this.#points.get(name);
    if (point === undefined) return undefined;
    const cells = Array.from({ length: point.width }, (_, index) => this.cell(point.space, point.address + index));
    return valueIn(point, cells, this.#powerOfTen(point));
  }

  /** A number in the point's own unit, or text. Points of which each is a part of one register leave the others alone. */
  put(name: string, value: number | string): void {
    const point = this.#points.get(name);
    if (point === undefined) return;
    const cells = registersOf(point, value, this.#powerOfTen(point));
    const mask =
      point.bits === undefined ? undefined : registersOf({ ...point, offset: 0, scale: 1 }, point.bits.mask, 0);
    for (const [index, cell] of cells.entries()) {
      const address = point.address + index;
      const kept = mask === undefined ? 0 : this.cell(point.space, address) & ~(mask[index] ?? 0);
      this.putCell(point.space, address, kept | cell);
    }
  }

  #powerOfTen({ scaleFrom, name }: PlacedPoint): number {
    return scaleFrom === undefined || scaleFrom === name ? 0 : (this.value(scaleFrom) ?? 0);
  }
}
