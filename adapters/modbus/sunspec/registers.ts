/** How registers are written. */
export interface WriteManner {
  /** The values make sense one by one, so they may go out one by one. */
  readonly mayTear: boolean;
  /** The one function that the device takes; unless given, 16, and 6 where it refuses that and the values may tear. */
  readonly fc?: 6 | 16;
}

/** Holding registers of one Modbus unit. Each call stops when its signal aborts and throws a `ModbusError`. */
export interface Registers {
  /** Connects if need be; another number after each reconnection. */
  open(signal: AbortSignal): Promise<number>;
  read(address: number, count: number, signal: AbortSignal): Promise<readonly number[]>;
  write(address: number, values: readonly number[], manner: WriteManner, signal: AbortSignal): Promise<void>;
}
