/** Holding registers of one Modbus unit. Each call stops when its signal aborts and throws a `ModbusError`. */
export interface Registers {
  /** Connects if need be; another number after each reconnection. */
  open(signal: AbortSignal): Promise<number>;
  read(address: number, count: number, signal: AbortSignal): Promise<readonly number[]>;
  /** @param mayTear the values make sense one by one, so they may go out one by one */
  write(address: number, values: readonly number[], options: { mayTear: boolean }, signal: AbortSignal): Promise<void>;
}
