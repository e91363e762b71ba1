/** Why a request to the utility's server was not answered as asked. */
export class UtilityFault extends Error {
  override readonly name = "UtilityFault";
  /** HTTP status; absent where no answer came, or none that is one. */
  readonly status: number | undefined;
  /** True where nobody answered in time, or nobody is there. */
  readonly isSilence: boolean;
  /** How long the server asks to be left alone, ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    details: { status?: number; retryAfterMs?: number | undefined; isSilence?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.status = details.status;
    this.isSilence = details.isSilence ?? false;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** True where asking again is of no use: the server has understood and refuses. */
  get isFinal(): boolean {
    const { status } = this;
    return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
  }
}
