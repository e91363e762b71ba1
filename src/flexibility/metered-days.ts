import type { Era } from "../model/resource.ts";
import type { DayRecord } from "./baseline.ts";

/** Share of an interval that has to be metered for its mean to count; clocks and registers leave a little. */
const WHOLE_SHARE = 0.98;

/** Where an instant lies in the days of a place. */
export interface DayPlace {
  /** Days since 1970 by the place's own calendar. */
  readonly day: number;
  /** Time since its midnight, ms. */
  readonly ofDayMs: number;
  /** Days are only compared with days of their kind, for example `WEEKDAY`. */
  readonly dayType: string;
}

/** What a meter counted in an interval or a part of one. */
export interface MeteredPiece {
  readonly era: Era;
  readonly startMs: number;
  readonly endMs: number;
  /** kWh, export positive; absent: a gap. */
  readonly energyKWh?: number;
  /** True while an order held: such a time is no example of what would have been without one. */
  readonly isOrdered: boolean;
}

interface Cell {
  meteredMs: number;
  energyKWh: number;
  hasGap: boolean;
  isOrdered: boolean;
}

interface Day {
  readonly dayType: string;
  readonly cells: Map<number, Cell>;
}

/** Mean powers of the days that a baseline may look at, from metered intervals as they come. */
export class MeteredDays {
  readonly #intervalMs: number;
  readonly #keptDays: number;
  readonly #placeOf: (ms: number) => DayPlace;
  readonly #days = new Map<Era, Map<number, Day>>();

  /** @param options.keptDays days that stay; older ones are forgotten */
  constructor(options: {
    readonly intervalMs: number;
    readonly keptDays: number;
    readonly placeOf: (ms: number) => DayPlace;
  }) {
    this.#intervalMs = options.intervalMs;
    this.#keptDays = options.keptDays;
    this.#placeOf = options.placeOf;
  }

  /** Takes a piece that lies within one interval. */
  add({ era, startMs, endMs, energyKWh, isOrdered }: MeteredPiece): void {
    const { day, ofDayMs, dayType } = this.#placeOf(startMs);
    const days = this.#days.get(era) ?? new Map<number, Day>();
    this.#days.set(era, days);
    if (!days.has(day)) {
      days.set(day, { dayType, cells: new Map() });
      for (const old of days.keys()) if (old < day - this.#keptDays) days.delete(old);
    }
    const cells = days.get(day)?.cells;
    const index = Math.floor(ofDayMs / this.#intervalMs);
    const cell = cells?.get(index) ?? { meteredMs: 0, energyKWh: 0, hasGap: false, isOrdered: false };
    cells?.set(index, cell);
    cell.isOrdered ||= isOrdered;
    if (energyKWh === undefined) cell.hasGap = true;
    else {
      cell.meteredMs += endMs - startMs;
      cell.energyKWh += energyKWh;
    }
  }

  /** Mean power of the interval in which an instant lies, kW, export positive; absent while it is not metered whole. */
  meanKW(era: Era, ms: number): number | undefined {
    const { day, ofDayMs } = this.#placeOf(ms);
    return this.#mean(
      this.#days
        .get(era)
        ?.get(day)
        ?.cells.get(Math.floor(ofDayMs / this.#intervalMs)),
    );
  }

  /**
   * The days before an event and its own day. Each goes on into the next one, so that an event may pass midnight. A day is
   * excluded if an order held in any of the intervals that are looked at.
   * @param lookedAt indexes of the intervals that matter, from and to (exclusive)
   */
  around(
    era: Era,
    eventDay: number,
    lookedAt: { readonly from: number; readonly to: number },
  ): { readonly history: readonly DayRecord[]; readonly today: DayRecord } {
    const perDay = Math.round(86_400_000 / this.#intervalMs);
    const days = this.#days.get(era) ?? new Map<number, Day>();
    const cellAt = (day: number, index: number) =>
      days.get(day + Math.floor(index / perDay))?.cells.get(index % perDay);
    const indexes = Array.from({ length: 2 * perDay }, (_, index) => index);
    const history = [...days]
      .filter(([day]) => day < eventDay)
      .map(([day, { dayType }]): DayRecord => {
        const isOrdered = indexes.some(
          (index) => index >= lookedAt.from && index < lookedAt.to && cellAt(day, index)?.isOrdered,
        );
        return { day, dayType, excluded: isOrdered, powerKW: indexes.map((index) => this.#mean(cellAt(day, index))) };
      });
    const dayType = days.get(eventDay)?.dayType ?? this.#placeOf(eventDay * 86_400_000 + 43_200_000).dayType;
    const powerKW = indexes.map((index) => {
      const cell = cellAt(eventDay, index);
      return cell?.isOrdered ? undefined : this.#mean(cell);
    });
    return { history, today: { day: eventDay, dayType, powerKW } };
  }

  #mean(cell: Cell | undefined): number | undefined {
    if (cell === undefined || cell.hasGap || cell.meteredMs < WHOLE_SHARE * this.#intervalMs) return undefined;
    return (cell.energyKWh * 3_600_000) / cell.meteredMs;
  }
}
