/** What a run of a target is asked for. */
export interface FuzzRun {
  /** Inputs to send. */
  readonly count: number;
  /** Number of the first input: an input depends on the seed and its number alone, so that one can be sent again. */
  readonly from: number;
  readonly seed: number;
  /** False where the machine is busy with other things: time is then measured and not judged. */
  readonly judgesTime: boolean;
  /** Says how far it is, to whoever waits. */
  readonly progress: (text: string) => void;
}

/** One input that did what no input may do. */
export interface FuzzFailure {
  readonly kind: "crash" | "hang" | "slow" | "internal-error" | "memory" | "wrong-value";
  readonly what: string;
  /** Number of the input with the run's seed; absent where it is not known which one it was. */
  readonly index?: number;
  /** The input, cut where it is long. */
  readonly input?: string;
}

export interface FuzzReport {
  readonly target: string;
  readonly seed: number;
  readonly sent: number;
  readonly failures: readonly FuzzFailure[];
  /** Counts and measures for a person, and for a script. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Something that takes bytes from strangers; one row in `targets.ts`. */
export interface FuzzTarget {
  readonly name: string;
  /** One line for the help. */
  readonly title: string;
  /** @throws Error where it could not be run at all */
  run(options: FuzzRun): Promise<FuzzReport>;
}
