import type { Answer } from "./answer.ts";
import type { Envelope } from "./beckn-context.ts";
import { type Authorization, type Signer, signBody } from "./signature.ts";

/** How long the signature of an answer counts. */
const ANSWER_LIFETIME_MS = 300_000;

/**
 * The answer with a signature over itself and over that of the message it answers, as the camel envelope has it. As it is
 * where we have no key, the message came unsigned, or its dialect knows no such thing.
 * @param covered the signature of the message
 */
export function signedAnswer(
  answer: Answer,
  signer: Signer | undefined,
  covered: Pick<Authorization, "signature"> | undefined,
  envelope: Envelope | undefined,
  nowMs: number,
): Answer {
  if (signer === undefined || covered === undefined || envelope !== "camel") return answer;
  const times = { nowMs, lifetimeMs: ANSWER_LIFETIME_MS };
  const { authorization } = signBody(signer, Buffer.from(answer.body), times, covered.signature.toString("base64"));
  return { ...answer, headers: { ...answer.headers, signature: authorization } };
}
