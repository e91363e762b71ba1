import type { ModbusBehaviour } from "../behaviour.ts";
import type { FramingName } from "../frame.ts";
import { ModbusDevice, type ModbusDeviceOptions, type ReceivedWrite } from "../modbus-device.ts";
import { EXCEPTION, type ExceptionCode, type Space } from "../modbus-request.ts";
import type { SerialLine } from "../serial-line.ts";
import type { RegisterDump } from "./register-dump.ts";

export interface DumpSimulatorOptions extends Omit<ModbusDeviceOptions, "bank"> {
  readonly dump: RegisterDump;
}

/** A device that stands still: its registers hold what a dump says, and what was written since. */
export class DumpSimulator implements AsyncDisposable {
  readonly behaviour: ModbusBehaviour;
  readonly #device: ModbusDevice;
  #cells: Record<Space, Map<number, number>>;

  constructor(options: DumpSimulatorOptions) {
    this.behaviour = options.behaviour;
    this.#cells = copyOf(options.dump);
    this.#device = new ModbusDevice({
      ...options,
      bank: {
        read: (space, address, count) => this.#read(space, address, count),
        write: (space, address, values) => this.#write(space, address, values),
      },
    });
  }

  /** The last write requests, newest last, at most 1000; refused ones too. */
  get writes(): readonly ReceivedWrite[] {
    return this.#device.writes;
  }

  /** Opens a server; port 0 takes a free one. @throws Error when the port is taken */
  listen(port = 0, host = "127.0.0.1", framing: FramingName = "tcp"): Promise<{ host: string; port: number }> {
    return this.#device.listen(port, host, framing);
  }

  /** Answers on a serial line too, and closes it in the end. */
  attach(line: SerialLine): void {
    this.#device.attach(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#device[Symbol.asyncDispose]();
  }

  #read(space: Space, address: number, count: number): readonly number[] | ExceptionCode {
    const cells = this.#cells[space];
    if (cells.size === 0) return EXCEPTION.illegalFunction;
    const values: number[] = [];
    for (let place = address; place < address + count; place++) {
      const value = cells.get(place);
      if (value === undefined) return EXCEPTION.illegalAddress;
      values.push(value);
    }
    return values;
  }

  #write(space: "holding" | "coil", address: number, values: readonly number[]): ExceptionCode | undefined {
    if (this.behaviour.refuses) return EXCEPTION.illegalValue;
    const cells = this.#cells[space];
    for (let place = address; place < address + values.length; place++) {
      if (!cells.has(place)) return EXCEPTION.illegalAddress;
    }
    for (const [index, value] of values.entries()) cells.set(address + index, value);
    return undefined;
  }
}

function copyOf({ cells }: RegisterDump): Record<Space, Map<number, number>> {
  return {
    holding: new Map(cells.holding),
    input: new Map(cells.input),
    coil: new Map(cells.coil),
    discrete: new Map(cells.discrete),
  };
}
