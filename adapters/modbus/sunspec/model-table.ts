import type { PointType } from "./point-types.ts";

/** One point of a SunSpec model. */
export interface Point {
  /** Registers from the model's ID register, which is 0 (the length register is 1); in a group, from its first register. */
  readonly offset: number;
  readonly type: PointType;
  /** Name of the point that holds the power of ten. */
  readonly scale?: string;
  /** As the definition writes it. */
  readonly unit?: string;
  /** Registers of a text. */
  readonly words?: number;
  /** Absent for a point that is only read. */
  readonly writable?: true;
}

/** Points that come several times behind the fixed ones: a DC input each, a port each. */
export interface PointGroup {
  readonly name: string;
  /** Where the first one begins, from the model's ID register. */
  readonly offset: number;
  /** Registers of each. */
  readonly size: number;
  /** Point that says how many there are; absent where only the length of the model says it. */
  readonly count?: string;
  readonly points: Readonly<Record<string, Point>>;
}

/** The points of one model, by the names of the SunSpec model definitions. */
export interface ModelTable {
  /** Models that share this layout. */
  readonly ids: readonly number[];
  readonly points: Readonly<Record<string, Point>>;
  readonly group?: PointGroup;
}

/** Names of the points of a table. */
export type PointName<T extends ModelTable> = keyof T["points"] & string;

/** A table with some of its points. */
export interface TablePart<T extends ModelTable, K extends PointName<T>> extends ModelTable {
  readonly points: Readonly<Pick<T["points"], K>>;
}

/** The named points of a table with their scale factors, so that no more is read than is used. */
export function partOf<T extends ModelTable, K extends PointName<T>>(table: T, names: readonly K[]): TablePart<T, K> {
  const points: Record<string, Point> = {};
  for (const name of names) {
    const point = pointOf(table, name);
    points[name] = point;
    if (point.scale !== undefined) points[point.scale] = pointOf(table, point.scale);
  }
  return { ids: table.ids, points: points as Pick<T["points"], K> };
}

/** @throws RangeError for a name that the table does not have */
export function pointOf(table: ModelTable, name: string): Point {
  const point = table.points[name];
  if (point === undefined) throw new RangeError(`model ${table.ids.join(", ")} has no point ${name}`);
  return point;
}
