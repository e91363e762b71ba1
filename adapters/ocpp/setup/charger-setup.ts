import type { Log } from "../../../src/log.ts";
import { CallFailure } from "../link/call-queue.ts";
import type { Session } from "../link/session.ts";
import type { Request, Traits, Triggered } from "../messages/dialect.ts";

/** What is set up after a charger connected or booted. All of it yields to commands, and none of it is a condition for them. */
export interface SetUp {
  readonly session: Session;
  readonly connectors: readonly number[];
  readonly meterIntervalS: number;
  /** True where the charger said nothing after connecting. */
  readonly askForBoot: boolean;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Sets up metering and asks for what the charger has not said by itself.
 * @throws CallFailure when the charger does not answer: then it is not asked further
 */
export async function setUp({ session, connectors, meterIntervalS, askForBoot, log, signal }: SetUp): Promise<void> {
  // Some chargers boot without saying so, others say nothing until they are asked.
  if (askForBoot) await trigger(session, "BootNotification", 0, signal);
  for (const alternatives of session.dialect.settings(meterIntervalS)) {
    const made = await makeSetting(session, alternatives, signal);
    if (!made) log.info("the charger refused a setting", { ...alternatives.at(-1)?.payload });
  }
  for (const connector of connectors) {
    if (!session.stateHeard.has(connector)) await trigger(session, "StatusNotification", connector, signal);
    if (!session.samplesHeard) await trigger(session, "MeterValues", connector, signal);
  }
}

/** What the charger says of its smart charging; nothing where it does not say. */
export async function readTraits(session: Session, log: Log, signal: AbortSignal): Promise<Traits | undefined> {
  try {
    const answer = await session.link.call(session.dialect.readTraits(), "background", signal);
    const traits = session.dialect.traitsFrom(answer);
    log.debug("charger's smart charging", { ...traits });
    return traits;
  } catch (error) {
    signal.throwIfAborted();
    log.info("the charger does not say what it can do; the defaults are used", { err: error });
    return undefined;
  }
}

/**
 * Asks the charger to send a message.
 * @returns true if it said that it will
 * @throws CallFailure when it does not answer
 */
export async function trigger(
  session: Session,
  message: Triggered,
  connector: number,
  signal: AbortSignal,
): Promise<boolean> {
  return (await words(session, session.dialect.trigger(message, connector), signal)).includes("Accepted");
}

/** Tries the alternatives in turn until one is taken. */
async function makeSetting(session: Session, alternatives: readonly Request[], signal: AbortSignal): Promise<boolean> {
  for (const request of alternatives) {
    const answered = await words(session, request, signal);
    if (answered.includes("Accepted") || answered.includes("RebootRequired")) return true;
  }
  return false;
}

/** The status words of the answer; none where the charger answered with an error, which it may: set-up is a wish. */
async function words(session: Session, request: Request, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const answer = await session.link.call(request, "background", signal);
    return session.dialect.statuses(answer).map((status) => status.word);
  } catch (error) {
    if (error instanceof CallFailure && (error.fault === "refused" || error.fault === "protocol")) return [];
    throw error;
  }
}
