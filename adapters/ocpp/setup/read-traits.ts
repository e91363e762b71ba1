import type { Log } from "../../../src/log.ts";
import { CallFailure } from "../link/call-queue.ts";
import type { Session } from "../link/session.ts";
import type { DialectContext } from "../messages/dialect.ts";
import type { ReportDesk } from "./report-desk.ts";
import { type Traits, traitsFrom } from "./traits.ts";
import type { Variable, Variables } from "./variable.ts";

/** The station that is asked. Its desk is asked for where the version answers in reports. */
export interface AskedStation extends DialectContext {
  readonly log: Log;
  readonly reports: ReportDesk;
}

/** What the charger says of itself and its settings; nothing where it does not say. */
export async function readTraits(
  session: Session,
  station: AskedStation,
  signal: AbortSignal,
): Promise<Traits | undefined> {
  const { dialect } = session;
  const found = new Map<string, Variable>();
  try {
    for (const question of dialect.readVariables(station)) {
      const answer = await askPolitely(session, question, signal);
      for (const [name, variable] of answer === undefined ? [] : dialect.variablesFrom(answer))
        found.set(name, variable);
    }
    if (found.size === 0) await readEverything(session, station, found, signal);
  } catch (error) {
    signal.throwIfAborted();
    station.log.info("the charger does not say what it can do; the defaults are used", { err: error });
  }
  if (found.size === 0) return undefined;
  const traits = traitsFrom(found, dialect.factNames);
  station.log.debug("charger's smart charging", { ...traits });
  return traits;
}

/** Some chargers refuse a question for what they do not know, and answer when they are asked for all. */
async function readEverything(
  session: Session,
  station: AskedStation,
  found: Map<string, Variable>,
  signal: AbortSignal,
): Promise<void> {
  const { dialect } = session;
  const { reportedVariables } = dialect;
  const note = (variables: Variables) => {
    for (const [name, variable] of variables) found.set(name, variable);
  };
  const reports = reportedVariables === undefined ? undefined : station.reports;
  const requestId = reports?.begin() ?? 0;
  try {
    const answer = await askPolitely(session, dialect.readEverything(requestId), signal);
    if (answer === undefined) return;
    if (reports === undefined || reportedVariables === undefined) note(dialect.variablesFrom(answer));
    else if (dialect.statuses(answer)[0]?.word === "Accepted") {
      note(reportedVariables(await reports.collect(requestId, signal)));
    }
  } finally {
    reports?.forget(requestId);
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
