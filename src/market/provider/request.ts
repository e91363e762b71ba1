import type { MessageContext, RequestAction } from "../beckn-context.ts";
import type { ReplyAddress } from "./provider-records.ts";

/** A participant's request whose sender, address and age are in order; its content is still to be read. */
export interface ProviderRequest {
  /** `on_status` is what a participant sends that reports in the role of the provider of data. */
  readonly action: RequestAction | "on_status";
  readonly context: MessageContext;
  /** Subscriber id of the participant. */
  readonly bapId: string;
  /** Its address, where it gives one. */
  readonly bapUri?: string;
  readonly body: unknown;
  readonly replyTo: ReplyAddress;
  /** Base64 signature of the request itself, which the answer to it covers; absent if it came unsigned. */
  readonly signature?: string;
  /** Our wall time, epoch ms. */
  readonly nowMs: number;
}
