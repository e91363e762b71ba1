/** How a simulated device misbehaves; may be changed while it runs. */
export interface DerBehaviour {
  /** Says that it follows, and does nothing. */
  ignoresControls: boolean;
  /** Refuses every new control. */
  rejectsControls: boolean;
  /** Its owner opts out of every new control. */
  optsOut: boolean;
  /** Takes so long to notice what is listed, ms. */
  lateMs: number;
  /** Its clock is ahead of the server's by so much, ms, and it does not set it. */
  clockAheadMs: number;
  /** Asks nothing, sends nothing, answers nothing. */
  silent: boolean;
  /** Sends broken documents. */
  talksNonsense: boolean;
}

/** Each way to misbehave by its name on the command line. */
export const DER_FAULTS = {
  ignores: { ignoresControls: true },
  rejects: { rejectsControls: true },
  "opts-out": { optsOut: true },
  late: { lateMs: 20_000 },
  "clock-off": { clockAheadMs: 600_000 },
  silent: { silent: true },
  nonsense: { talksNonsense: true },
} as const satisfies Record<string, Partial<DerBehaviour>>;

export type DerFault = keyof typeof DER_FAULTS;

/** A device that behaves, but for what is named. */
export function behaviourFrom(partial: Partial<DerBehaviour> | undefined): DerBehaviour {
  return {
    ignoresControls: false,
    rejectsControls: false,
    optsOut: false,
    lateMs: 0,
    clockAheadMs: 0,
    silent: false,
    talksNonsense: false,
    ...partial,
  };
}
