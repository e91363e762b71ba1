import type { Evidence } from "../../../src/model/adapter.ts";
import { CallFailure } from "../link/call-queue.ts";
import { describeProfile, differs, type ForeignProfiles, isForeign, limitText } from "./foreign-profiles.ts";
import { type ConnectorRating, importKWFrom, powerFromImportKW, type WireLimit, wireLimit } from "./import-limit.ts";
import type { InstalledProfile } from "./installed-profiles.ts";

/**
 * Asks a charger why it may not do what it accepted. What it answers explains and proves nothing: there are chargers that repeat
 * what they were told and do something else, and such that accept the question and answer without a schedule.
 *
 * @param importKW what we last told it, kW; absent if nothing
 * @throws CallFailure when it does not answer
 */
export async function probeEffect(
  foreign: ForeignProfiles,
  importKW: number | undefined,
  rating: ConnectorRating,
  signal: AbortSignal,
): Promise<Evidence> {
  const said = await willing(() => foreign.composite("command", signal));
  const others = (await willing(() => foreign.list("command", signal)))?.filter(isForeign) ?? [];
  const ours = importKW === undefined || said === undefined ? undefined : wireLimit(importKW, rating, said.unit);
  const text = evidenceText(said, ours, others);
  return said === undefined ? { text } : { text, saysKW: powerFromImportKW(importKWFrom(said, rating)) };
}

function evidenceText(
  said: WireLimit | undefined,
  ours: WireLimit | undefined,
  others: readonly InstalledProfile[],
): string {
  const found = others.length === 0 ? "" : `; it holds ${others.map(describeProfile).join(", ")}`;
  if (said === undefined) return `the charger gives no composite schedule${found}`;
  const composite = `composite schedule says ${limitText(said)}`;
  if (ours === undefined || found !== "") return `${composite}${found}`;
  if (!differs(said, ours)) return `${composite} as well, and the charger does not keep to it`;
  return said.value > ours.value
    ? `${composite}: an older profile with a higher stack level?`
    : `${composite}: a lower limit of somebody else?`;
}

/** A charger that does not want to say is no fault. */
async function willing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CallFailure && (error.fault === "refused" || error.fault === "protocol")) return undefined;
    throw error;
  }
}
