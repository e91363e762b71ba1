import type { ControlEvent } from "../controls/control-ledger.ts";

/** How orders get to an address, and how the device is given back to itself. */
export interface PushWay {
  /** Method and resource, for a person. */
  readonly verb: string;
  /** True where what is sent carries its end, so that the device ends it without us. */
  readonly endsByItself: boolean;
  /**
   * Sends an event; the same one again is harmless.
   * @throws DeviceError
   */
  send(event: ControlEvent, what: string, signal: AbortSignal): Promise<void>;
  /**
   * Gives the device back.
   * @param event what was sent last, cancelled; absent where that was before the daemon started
   * @throws DeviceError
   */
  takeBack(event: ControlEvent | undefined, signal: AbortSignal): Promise<void>;
  /** True while something of ours is in force that has no end of its own. */
  holds(): boolean;
}
