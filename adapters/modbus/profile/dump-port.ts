import { exceptionText, ModbusError } from "../link/modbus-error.ts";
import type { Registers } from "../sunspec/registers.ts";
import type { RegisterDump } from "./register-dump.ts";
import type { UnitPort } from "./unit-port.ts";

/** One write that a device would have got. */
export interface RecordedWrite {
  readonly space: "holding" | "coil";
  readonly address: number;
  readonly registers: readonly number[];
  readonly functionCode: number;
}

const ILLEGAL_ADDRESS = 2;

/** A unit made of a dump. What is written is kept and read back, as from a device that does all that it is told. */
export class DumpPort implements UnitPort {
  readonly #dump: RegisterDump;
  readonly writes: RecordedWrite[] = [];

  constructor(dump: RegisterDump) {
    this.#dump = dump;
  }

  async open(): Promise<number> {
    return 1;
  }

  async read(space: "holding" | "input" | "coil" | "discrete", address: number, count: number) {
    const registers = this.#dump.read(space, address, count);
    if (registers === undefined) {
      throw new ModbusError("exception", exceptionText(ILLEGAL_ADDRESS), { code: ILLEGAL_ADDRESS });
    }
    return registers;
  }

  async write(space: "holding" | "coil", address: number, registers: readonly number[], fc: 6 | 16): Promise<void> {
    this.#dump.put(space, address, registers);
    this.writes.push({ space, address, registers, functionCode: space === "coil" ? 15 : fc });
  }

  /** The same unit for the SunSpec part, which knows holding registers alone. */
  registers(): Registers {
    return {
      open: () => this.open(),
      read: (address, count) => this.read("holding", address, count),
      write: (address, values) => this.write("holding", address, values, values.length === 1 ? 6 : 16),
    };
  }
}
