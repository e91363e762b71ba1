import type { FramingName } from "../modbus/frame.ts";
import type { SerialLine } from "../modbus/serial-line.ts";
import { type Flow, gridNow } from "../world/flow.ts";
import type { SiteConnection } from "../world/site-connection.ts";
import { type ModelSpec, modelOf } from "./model-catalogue.ts";
import {
  GOOD_SUNSPEC_BEHAVIOUR,
  type Hardware,
  labelOf,
  type SunSpecBehaviour,
  SunSpecSimulator,
  type SunSpecSimulatorOptions,
} from "./sunspec-simulator.ts";

export interface MeterSimulatorOptions extends SunSpecSimulatorOptions {
  readonly connection: SiteConnection;
  /** The chain of models in its order: 1, 203 unless told. */
  readonly models?: readonly ModelSpec[];
  /** −1: what is fed in counts as positive, and not what is drawn. */
  readonly meterSign?: 1 | -1;
}

/** What the registers of a meter that has hung there for a while have counted. */
const LIFETIME_EXPORT_KWH = 4100;
const LIFETIME_IMPORT_KWH = 8300;

/** A meter at the connection of a site: a Modbus server with SunSpec meter models. */
export class MeterSimulator implements AsyncDisposable {
  readonly behaviour: SunSpecBehaviour;
  readonly #simulator: SunSpecSimulator<Hardware>;
  readonly #connection: SiteConnection;

  /** @throws RangeError for a model that a meter can't have */
  constructor(options: MeterSimulatorOptions) {
    const { clock, connection } = options;
    this.behaviour = { ...GOOD_SUNSPEC_BEHAVIOUR, ...options.behaviour };
    this.#connection = connection;
    const context = {
      clock,
      label: labelOf(options, "Meter"),
      unit: options.unit ?? 1,
      meterSign: options.meterSign ?? 1,
      flow: (): Flow => {
        const powerKW = connection.powerKW();
        return {
          powerKW,
          ...gridNow(clock, powerKW),
          exportKWh: LIFETIME_EXPORT_KWH + connection.meter.exportKWh,
          importKWh: LIFETIME_IMPORT_KWH + connection.meter.importKWh,
        };
      },
    };
    const specs = options.models ?? [{ id: 1 }, { id: 203 }];
    this.#simulator = new SunSpecSimulator(options, this.behaviour, () => ({
      models: specs.map((spec) => modelOf(spec, context)),
      settle: () => connection.powerKW(),
      isAsleep: () => false,
    }));
  }

  /** Opens a TCP server; port 0 takes a free one. @throws Error when the port is taken */
  listen(port = 0, host = "127.0.0.1", framing: FramingName = "tcp"): Promise<{ host: string; port: number }> {
    return this.#simulator.listen(port, host, framing);
  }

  /** Answers on a serial line too, and closes it in the end. */
  attach(line: SerialLine): void {
    this.#simulator.attach(line);
  }

  /** What flows through the connection now, kW, export positive. */
  powerKW(): number {
    return this.#connection.powerKW();
  }

  /** Resets all connections; clients may come back at once. */
  dropConnections(): void {
    this.#simulator.dropConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#simulator[Symbol.asyncDispose]();
  }
}
