/** A wish that a charging session begins. */
export interface SessionStart {
  /** What the device is told of who charges; its own default unless given. */
  readonly token?: string;
}

/** A session that a device has begun. */
export interface StartedSession {
  /** The device's own name for it. */
  readonly sessionId: string;
}

/** A wish that a connector is kept free for somebody. */
export interface ReservationRequest {
  readonly token?: string;
  /** Wall time, epoch ms, at which the device gives it up by itself. */
  readonly untilMs: number;
}

export interface Reservation {
  readonly reservationId: number;
  readonly untilMs: number;
}

/**
 * What a device can do about who charges and when, beside the power. Only chargers have it. All of it is asked of the
 * device and takes its time; a refusal, a deadline that passed and a link that is down are `DeviceError`s.
 */
export interface SessionControl {
  /** The session that runs now, as far as is known. */
  readonly running: string | undefined;
  /** The reservation that holds now. */
  readonly reservation: Reservation | undefined;
  /** Whether a market's order for a time ahead may keep the connector free. */
  readonly reservesForOrders: boolean;
  /**
   * Resolves when the device has begun to charge for it, not when it has only said that it will.
   * @throws DeviceError `refused` where one runs already or the device says no, `timeout` where it said yes and no car came
   */
  start(request: SessionStart, signal: AbortSignal): Promise<StartedSession>;
  /**
   * Ends the session, or the one that runs, and resolves when the device has told its end.
   * @throws DeviceError `refused` where no such session runs
   */
  stop(sessionId: string | undefined, signal: AbortSignal): Promise<void>;
  /** @throws DeviceError */
  reserve(request: ReservationRequest, signal: AbortSignal): Promise<Reservation>;
  /** Harmless where the reservation is over. @throws DeviceError */
  cancelReservation(reservationId: number | undefined, signal: AbortSignal): Promise<void>;
}
