import type { Clock } from "../../../src/clock.ts";
import { type Changes, oneOf, type PointValues, type SwitchModel } from "../model.ts";
import type { PointRow } from "../point.ts";

const ROWS: readonly PointRow[] = [
  ["LocRemCtl", 2, "enum16"],
  ["DERHb", 3, "uint32"],
  ["ControllerHb", 5, "uint32", undefined, "RW"],
  ["AlarmReset", 7, "uint16", undefined, "RW"],
  ["OpCtl", 8, "enum16", undefined, "RW"],
];

const OPERATION = { stop: 0, start: 1, enterStandby: 2, exitStandby: 3 } as const;

/** Model 715: who is in command, the heartbeats of both sides, and the switch. */
export class DerControl implements SwitchModel {
  readonly id = 715;
  readonly rows = ROWS;
  readonly scales = {};
  readonly #clock: Clock;
  readonly #isLocal: () => boolean;
  #controllerHeartbeat = 0;
  #operation: number = OPERATION.start;

  constructor(clock: Clock, isLocal: () => boolean) {
    this.#clock = clock;
    this.#isLocal = isLocal;
  }

  values(): PointValues {
    return {
      LocRemCtl: this.#isLocal() ? 1 : 0,
      DERHb: Math.floor(this.#clock.elapsedMs() / 1000) % 0xffff_ffff,
      ControllerHb: this.#controllerHeartbeat,
      AlarmReset: 0,
      OpCtl: this.#operation,
    };
  }

  write(changes: Changes): boolean {
    if (!oneOf(changes, "OpCtl", Object.values(OPERATION)) || !oneOf(changes, "AlarmReset", [0, 1])) return false;
    // Whoever stands at the device decides whether it runs; the heartbeat only says that somebody is there.
    if (this.#isLocal() && changes.has("OpCtl")) return false;
    this.#controllerHeartbeat = changes.get("ControllerHb") ?? this.#controllerHeartbeat;
    this.#operation = changes.get("OpCtl") ?? this.#operation;
    return true;
  }

  isOn(): boolean {
    return this.#operation === OPERATION.start || this.#operation === OPERATION.exitStandby;
  }
}
