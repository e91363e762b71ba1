/** How a simulated device misbehaves; may be changed while it runs. */
export interface DerBehaviour {
  /** Says that it follows, and does nothing. */
  ignoresControls: boolean;
  /** Refuses every new control. */
  rejectsControls: boolean;
  /** Asks nothing, sends nothing, answers nothing. */
  silent: boolean;
  /** Sends broken documents. */
  talksNonsense: boolean;
}

/** A device that behaves, but for what is named. */
export function behaviourFrom(partial: Partial<DerBehaviour> | undefined): DerBehaviour {
  return { ignoresControls: false, rejectsControls: false, silent: false, talksNonsense: false, ...partial };
}
