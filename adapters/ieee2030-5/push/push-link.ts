import { type Clock, DeadlineError } from "../../../src/clock.ts";
import { DeviceError, type DeviceFault } from "../../../src/model/adapter.ts";
import type { Era } from "../../../src/model/resource.ts";
import { BodyTooLong } from "../server/request-body.ts";
import { exchange, type PushAnswer, type PushRequest, type PushTls } from "./push-exchange.ts";

export interface PushLinkOptions {
  readonly era: Era;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly tls: PushTls;
}

/** Requests to one device, and what its silence and its statuses mean. */
export class PushLink {
  readonly #options: PushLinkOptions;

  constructor(options: PushLinkOptions) {
    this.#options = options;
  }

  /**
   * @param what is asked, for a person
   * @throws DeviceError `timeout`, `unreachable` or `protocol` when no answer came that is one
   */
  async ask(
    wanted: Pick<PushRequest, "method" | "url" | "body">,
    what: string,
    signal: AbortSignal,
  ): Promise<PushAnswer> {
    const { clock, deadlineMs, tls } = this.#options;
    try {
      return await exchange(clock, { ...wanted, tls, deadlineMs }, signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof DeadlineError)
        throw this.#fault("timeout", `${what}: no answer within ${deadlineMs} ms`, cause);
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
      // Codes of the HTTP parser: something is there, and it does not speak HTTP.
      const fault = code.startsWith("HPE_") || cause instanceof BodyTooLong ? "protocol" : "unreachable";
      throw this.#fault(fault, `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
    }
  }

  /**
   * As `ask`, for what the device must take.
   * @throws DeviceError also where it did not: `refused` for 4xx, else by its status
   */
  async tell(
    wanted: Pick<PushRequest, "method" | "url" | "body">,
    what: string,
    signal: AbortSignal,
  ): Promise<PushAnswer> {
    const answer = await this.ask(wanted, what, signal);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw this.oddStatus(answer.status, what);
  }

  /** What a status means that is no success. */
  oddStatus(status: number, what: string): DeviceError {
    if (status >= 500) return this.#fault("unreachable", `${what}: answered ${status}`);
    if (status >= 400) return this.#fault("refused", `${what}: answered ${status}`);
    const hint = status >= 300 ? "; redirects are not followed, configure the new address" : "";
    return this.#fault("protocol", `${what}: answered ${status}${hint}`);
  }

  #fault(fault: DeviceFault, message: string, cause?: unknown): DeviceError {
    return new DeviceError(fault, this.#options.era, message, { cause });
  }
}
