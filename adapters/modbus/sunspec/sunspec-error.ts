/** The device did not do what a write asked, or does not have what was expected. */
export class SunSpecError extends Error {
  override readonly name = "SunSpecError";
  /** `refused`: it kept what it had. `protocol`: it makes no sense. */
  readonly fault: "refused" | "protocol";

  constructor(fault: "refused" | "protocol", message: string) {
    super(message);
    this.fault = fault;
  }
}
