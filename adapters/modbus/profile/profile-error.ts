/** A device that does not do, or is not, what its profile says. */
export class ProfileError extends Error {
  override readonly name = "ProfileError";
  /** `refused`: it kept what it had, or we may not write. `protocol`: it is another device, or makes no sense. */
  readonly fault: "refused" | "protocol";

  constructor(fault: "refused" | "protocol", message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
