/** What came of one procedure. */
export interface Outcome {
  readonly name: string;
  readonly description: string;
  readonly verdict: "passed" | "failed" | "notRun";
  /** Why it failed, or why it was not run; what was checked where it passed. */
  readonly reason: string;
}

/** The procedure cannot be run here; the message says why. */
export class NotRun extends Error {
  override readonly name = "NotRun";
}

/** What the procedure wants is not so; the message says what was found. */
export class Failed extends Error {
  override readonly name = "Failed";
}
