import type { Log } from "../../../src/log.ts";
import { CallFailure } from "../link/call-queue.ts";
import type { Session } from "../link/session.ts";
import type { ReportDesk } from "./report-desk.ts";
import { type Traits, traitsFrom } from "./traits.ts";
import type { Variable } from "./variable.ts";

/** What the charger says of itself and its settings; nothing where it does not say. */
export async function readTraits(
  session: Session,
  reports: ReportDesk,
  log: Log,
  signal: AbortSignal,
): Promise<Traits | undefined> {
  const { dialect } = session;
  const found = new Map<string, Variable>();
  try {
    for (const question of dialect.readVariables()) {
      const answer = await askPolitely(session, question, signal);
      for (const [name, variable] of answer === undefined ? [] : dialect.variablesFrom(answer))
        found.set(name, variable);
    }
    if (found.size === 0) await readEverything(session, reports, found, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.info("the charger does not say what it can do; the defaults are used", { err: error });
  }
  if (found.size === 0) return undefined;
  const traits = traitsFrom(found, dialect.factNames);
  log.debug("charger's smart charging", { ...traits });
  return traits;
}

/** Some chargers refuse a question for what they do not know, and answer when they are asked for all. */
async function readEverything(
  session: Session,
  reports: ReportDesk,
  found: Map<string, Variable>,
  signal: AbortSignal,
): Promise<void> {
  const { dialect } = session;
  const requestId = reports.begin();
  try {
    const answer = await askPolitely(session, dialect.readEverything(requestId), signal);
    if (answer === undefined) return;
    const variables =
      dialect.reportedVariables === undefined
        ? dialect.variablesFrom(answer)
        : dialect.statuses(answer)[0]?.word === "Accepted"
          ? dialect.reportedVariables(await reports.collect(requestId, signal))
          : new Map<string, Variable>();
    for (const [name, variable] of variables) found.set(name, variable);
  } finally {
    reports.forget(requestId);
  }
}

/** Nothing where the charger says that it does not know or does not want; what else goes wrong ends the questions. */
async function askPolitely(session: Session, request: Parameters<Session["link"]["call"]>[0], signal: AbortSignal) {
  try {
    return await session.link.call(request, "background", signal);
  } catch (error) {
    if (error instanceof CallFailure && (error.fault === "refused" || error.fault === "protocol")) return undefined;
    throw error;
  }
}
