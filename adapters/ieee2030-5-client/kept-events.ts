import { z } from "zod";
import type { Lfdi } from "../ieee2030-5/identity.ts";
import type { AdapterMemory } from "../kind.ts";
import { MODES, type Mode } from "./control-values.ts";

const kept = z.object({
  startMs: z.number(),
  endMs: z.number(),
  reached: z.array(z.number()).max(16),
  lost: z.array(z.enum(MODES)),
});

/** What must outlive a restart of an event: when it runs, with its random parts, and what was answered of it. */
export interface KeptEvent {
  /** Server time, epoch ms. */
  readonly startMs: number;
  readonly endMs: number;
  /** Response.status values, in order, whether or not somebody asked for them. */
  readonly reached: readonly number[];
  /** Controls in which another event took its place for good. */
  readonly lost: readonly Mode[];
}

/** Events of one EndDevice by mRID. */
export interface EventMemory {
  get(mRID: string): KeptEvent | undefined;
  put(mRID: string, event: KeptEvent): void;
  forget(mRID: string): void;
}

/** What ended longer ago than this at the start is forgotten, ms: the server no longer lists it. */
const FORGOTTEN_MS = 2 * 86_400_000;

/**
 * @param nowMs wall time, epoch ms
 * @param onFault told why something could not be kept; it is in force all the same
 */
export function eventMemory(
  memory: AdapterMemory,
  lfdi: Lfdi,
  nowMs: number,
  onFault: (error: unknown) => void,
): EventMemory {
  const prefix = `event/${lfdi}/`;
  const keyOf = (mRID: string) => `${prefix}${mRID}`;
  for (const key of memory.keys(prefix)) {
    const parsed = kept.safeParse(memory.get(key));
    if (!parsed.success || parsed.data.endMs < nowMs - FORGOTTEN_MS) memory.forget(key).catch(onFault);
  }
  return {
    get: (mRID) => {
      const parsed = kept.safeParse(memory.get(keyOf(mRID)));
      return parsed.success ? parsed.data : undefined;
    },
    put: (mRID, event) => {
      memory.set(keyOf(mRID), event).catch(onFault);
    },
    forget: (mRID) => {
      memory.forget(keyOf(mRID)).catch(onFault);
    },
  };
}
