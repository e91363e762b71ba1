import type { Clock } from "../../../src/clock.ts";
import { sameRegisters, shownRegisters } from "./baseline-ranges.ts";
import type { PointReader } from "./point-reader.ts";
import type { PlannedPart, PlannedWrite } from "./power-plan.ts";
import { ProfileError } from "./profile-error.ts";

const LOOK_AGAIN_MS = 200;

/** Compares what was written with what the device shows afterwards. */
export class WriteCheck {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True where the device shows what a part was to hold; by what was last read. */
  shows(part: PlannedPart, reader: PointReader): boolean {
    const registers = shownRegisters(part.point, reader);
    return registers !== undefined && sameRegisters(registers, part.registers);
  }

  /**
   * Reads back until everything is there.
   * @throws ProfileError `refused` with what the device shows instead, after `withinS`
   */
  async readback(
    writes: readonly PlannedWrite[],
    reader: PointReader,
    withinS: number,
    signal: AbortSignal,
  ): Promise<void> {
    const parts = lastOfEach(writes).filter(
      ({ point, isKept }) => isKept && (point.access !== "write" || point.readAs),
    );
    const names = [...new Set(parts.map(({ point }) => point.readAs ?? point.name))];
    const giveUpAtMs = this.#clock.elapsedMs() + withinS * 1000;
    for (;;) {
      await reader.read(names, "write", signal);
      const other = parts.filter((part) => !this.shows(part, reader));
      if (other.length === 0) return;
      if (this.#clock.elapsedMs() + LOOK_AGAIN_MS > giveUpAtMs) {
        throw new ProfileError("refused", other.map((part) => faultOf(part, reader)).join("; "));
      }
      await this.#clock.sleep(LOOK_AGAIN_MS, signal);
    }
  }
}

/** A sequence may write a point twice; what it wrote last counts. */
function lastOfEach(writes: readonly PlannedWrite[]): readonly PlannedPart[] {
  return [...new Map(writes.flatMap(({ parts }) => parts).map((part) => [part.point.name, part])).values()];
}

function faultOf({ point, registers }: PlannedPart, reader: PointReader): string {
  const shown = shownRegisters(point, reader);
  return `${point.name} (register ${point.address}) was told ${registers.join(" ")} and shows ${shown?.join(" ") ?? "nothing"}`;
}
