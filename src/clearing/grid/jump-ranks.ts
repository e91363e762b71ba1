import type { Participant, Rationing } from "../clearing-types.ts";

/** Gives each jump its rank among jumps at the same price. */
export interface JumpRanks {
  /**
   * @param topKW power at the top of the jump, kW, export positive
   * @param index the participant's place in its list; without one, the external exchange
   */
  of(topKW: number, index?: number): number;
}

const allAlike: JumpRanks = { of: () => 0 };

/**
 * With `PRO_RATA` all ranks are alike and jumps at one price rise together. With `PRIORITY` who goes first gets the most of
 * what it wants to trade: its generation rises first, its consumption is given up last. Generation rises before
 * consumption is given up, so that as much as possible is traded; the exchange with the outside comes between the two.
 */
export function jumpRanks(rationing: Rationing, participants: readonly Participant[]): JumpRanks {
  if (rationing === "PRO_RATA") return allAlike;
  const order = participants.map((_, index) => index);
  order.sort((a, b) => byPriority(participants[a] as Participant, participants[b] as Participant));
  const place = new Array<number>(participants.length).fill(0);
  for (const [rank, index] of order.entries()) place[index] = rank;
  const outside = participants.length;
  return {
    of(topKW, index) {
      const own = index === undefined ? outside : (place[index] ?? outside);
      return topKW > 0 ? own : 2 * outside - own;
    },
  };
}

/** By priority, then time (those without one last), then ERA, letter by letter. */
function byPriority(a: Participant, b: Participant): number {
  const priority = (a.priority ?? 0) - (b.priority ?? 0);
  if (priority !== 0) return priority;
  const aAtMs = a.submittedAtMs ?? Number.MAX_SAFE_INTEGER;
  const bAtMs = b.submittedAtMs ?? Number.MAX_SAFE_INTEGER;
  if (aAtMs !== bAtMs) return aAtMs - bAtMs;
  return a.era < b.era ? -1 : a.era > b.era ? 1 : 0;
}
