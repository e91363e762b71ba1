import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { Battery } from "../world/battery.ts";
import type { ChargerBehaviour } from "./behaviour.ts";
import type { OnChargerEvent } from "./charger-event.ts";
import type { Login } from "./link/login.ts";
import type { OcppVersion } from "./ocpp-version.ts";
import type { RateUnit } from "./profiles/charging-profile.ts";

export interface ChargerSimulatorOptions extends Login {
  readonly identity: string;
  /** `ws://127.0.0.1:9220/ocpp`, or `wss:`; the identity is appended. */
  readonly url: string;
  readonly version: OcppVersion;
  /** Of a DC outlet 1. */
  readonly phases: 1 | 3;
  /** Per phase: what the cable and the fuse of the charger carry. */
  readonly maxA: number;
  /** Line to neutral, 230 if absent; of a DC outlet between its poles, 400 if absent. */
  readonly voltageV?: number;
  /** AC if absent. A DC outlet takes watts, no phases, and has no least current. */
  readonly current?: "AC" | "DC";
  /** The one at connector 1. With `maxDischargeKW` above 0, and OCPP 2.1, it gives back when it is told to. */
  readonly car: Battery;
  /** One more connector for each. */
  readonly otherCars?: readonly Battery[];
  readonly clock: Clock;
  readonly log: Log;
  /** Interval of meter values until the CSMS sets another, 1000 if absent. */
  readonly meterIntervalMs?: number;
  readonly idTag?: string;
  readonly behaviour?: Partial<ChargerBehaviour>;
  /** Units of a limit that the charger takes; if absent both, and watts alone at a DC outlet. */
  readonly rateUnits?: readonly RateUnit[];
  /** It can go from three phases to one; true if absent and there are three. */
  readonly switchesPhases?: boolean;
  /** How long no current flows while it does, 0 if absent. */
  readonly phaseSwitchMs?: number;
  /** How long a restart takes, 500 if absent. */
  readonly rebootMs?: number;
  /** How often the charger looks at itself, 100 if absent; more makes thousands of them cheap. */
  readonly tickMs?: number;
  /** Hears what happens, as it happens. */
  readonly onEvent?: OnChargerEvent;
}
