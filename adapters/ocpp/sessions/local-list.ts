import { createHash } from "node:crypto";
import { z } from "zod";
import type { Log } from "../../../src/log.ts";
import type { AdapterMemory } from "../../kind.ts";
import { CallFailure } from "../link/call-queue.ts";
import type { JsonRecord } from "../link/json.ts";
import type { Session } from "../link/session.ts";
import type { Request } from "../messages/dialect.ts";
import type { AdmissionRule } from "./admission.ts";
import type { Tag } from "./tag.ts";

/** Entries in one message where the charger does not say how many it takes. */
const USUAL_PER_MESSAGE = 50;

const keptSchema = z.object({ version: z.int(), digest: z.string() });

export interface LocalListOptions {
  readonly session: Session;
  readonly identity: string;
  readonly rule: AdmissionRule;
  readonly memory: AdapterMemory;
  readonly nowMs: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Brings the list of who may charge to the charger, so that it also knows while we are not there. Only where the list has
 * changed since, or the charger has lost it. A charger that keeps none goes on asking.
 * @throws CallFailure when the charger does not answer
 */
export async function pushLocalList(options: LocalListOptions): Promise<void> {
  const { session, identity, rule, memory, log, signal } = options;
  const { sessions: calls, statuses } = session.dialect;
  const key = `local-list/${identity}`;
  const kept = keptSchema.safeParse(memory.get(key));
  const before = kept.success ? kept.data : undefined;
  const wanted = rule.tags.filter((tag) => calls.fits(tag));
  // Who never had a list from us keeps what another system gave.
  if (rule.mode === "open" && before === undefined) return;
  if (wanted.length < rule.tags.length) {
    log.warn("tags that are too long for this version stay out of the charger's list", {
      left: rule.tags.length - wanted.length,
    });
  }

  const version = calls.listVersionFrom((await ask(session, calls.listVersion(), signal)) ?? {});
  if (version === undefined || version < 0) {
    log.info("the charger keeps no list of its own; who may charge is asked each time");
    return;
  }
  const limits = calls.listLimitsFrom((await ask(session, calls.listLimits(), signal)) ?? {});
  const tags = wanted.slice(0, limits.maxEntries ?? wanted.length);
  if (tags.length < wanted.length) {
    log.warn("the charger's list is too short for all tags", { takes: tags.length, wanted: wanted.length });
  }
  const digest = createHash("sha256").update(JSON.stringify(tags)).digest("hex").slice(0, 16);
  if (before?.digest === digest && before.version === version) return;

  if (rule.mode !== "open") for (const setting of calls.listSettings()) await ask(session, setting, signal);
  let next = Math.max(version, before?.version ?? 0);
  for (const [index, chunk] of chunksOf(tags, limits.maxPerMessage || USUAL_PER_MESSAGE).entries()) {
    next += 1;
    const request = calls.sendList(next, index === 0 ? "Full" : "Differential", chunk, options.nowMs);
    const status = statuses((await ask(session, request, signal)) ?? {})[0];
    if (status?.word !== "Accepted") {
      log.warn("the charger did not take the list of who may charge", { answer: status?.word, entries: tags.length });
      return;
    }
  }
  await memory.set(key, { version: next, digest });
  log.info("the charger's list of who may charge is up to date", { version: next, entries: tags.length });
}

/** One chunk at least: an empty list is one too. */
function chunksOf(tags: readonly Tag[], size: number): readonly (readonly Tag[])[] {
  const chunks: (readonly Tag[])[] = [tags.slice(0, size)];
  for (let from = size; from < tags.length; from += size) chunks.push(tags.slice(from, from + size));
  return chunks;
}

/** Nothing where the charger answered with an error: to keep a list is its own choice. */
async function ask(session: Session, request: Request, signal: AbortSignal): Promise<JsonRecord | undefined> {
  try {
    return await session.link.call(request, "background", signal);
  } catch (error) {
    if (error instanceof CallFailure && (error.fault === "refused" || error.fault === "protocol")) return undefined;
    throw error;
  }
}
