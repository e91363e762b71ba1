import type { PointType } from "./point-types.ts";

/** One point of a SunSpec model. */
export interface Point {
  /** Registers from the model's ID register, which is 0; the length register is 1. */
  readonly offset: number;
  readonly type: PointType;
  /** Name of the point that holds the power of ten. */
  readonly scale?: string;
  /** Registers of a text. */
  readonly words?: number;
}

/** The points of one model that this adapter uses, by the names of the SunSpec model definitions. */
export interface ModelTable {
  /** Models that share this layout. */
  readonly ids: readonly number[];
  readonly points: Readonly<Record<string, Point>>;
}

/** Names of the points of a table. */
export type PointName<T extends ModelTable> = keyof T["points"] & string;
