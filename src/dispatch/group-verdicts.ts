import type { Clock } from "../clock.ts";
import type { Setpoint } from "../model/setpoint.ts";
import type { Judgement, Verdict } from "../model/verdict.ts";

/** Group setpoints that may be open at once; the oldest is forgotten beyond this. */
const MAX_OPEN = 1_000;

export interface GroupVerdicts {
  /** A group's setpoint was split into these parts. */
  expect(setpoint: Setpoint, parts: readonly Setpoint[]): void;
  /** A verdict of any device; passed on, and if it is part of a group, the group's verdict follows from it. */
  take(judgement: Judgement): void;
}

/**
 * A group's verdict follows from its members': if all agree it is theirs; if some power was delivered it is `partial`;
 * else it is the most telling of the failures.
 */
export function groupVerdicts(clock: Clock, publish: (judgement: Judgement) => void): GroupVerdicts {
  const groupOf = new Map<string, string>();
  const groups = new Map<string, { setpoint: Setpoint; parts: readonly string[]; found: Map<string, Judgement> }>();

  const forget = (id: string) => {
    for (const part of groups.get(id)?.parts ?? []) groupOf.delete(part);
    groups.delete(id);
  };

  return {
    expect(setpoint, parts) {
      groups.set(setpoint.id, { setpoint, parts: parts.map((part) => part.id), found: new Map() });
      for (const part of parts) groupOf.set(part.id, setpoint.id);
      const [oldest] = groups.keys();
      if (groups.size > MAX_OPEN && oldest !== undefined) forget(oldest);
    },
    take(judgement) {
      publish(judgement);
      const group = groups.get(groupOf.get(judgement.setpointId) ?? "");
      if (group === undefined) return;
      group.found.set(judgement.setpointId, judgement);
      if (group.found.size < group.parts.length) return;
      const members = [...group.found.values()];
      const measured = members.map((member) => member.measuredKW).filter((powerKW) => powerKW !== undefined);
      const final = members.every((member) => member.final);
      publish({
        setpointId: group.setpoint.id,
        era: group.setpoint.era,
        verdict: combine(members.map((member) => member.verdict)),
        reason: members.map((member) => `${member.era} ${member.verdict}: ${member.reason}`).join("; "),
        orderedKW: group.setpoint.powerKW,
        samples: Math.min(...members.map((member) => member.samples)),
        atMs: clock.now(),
        final,
        ...(measured.length === members.length && { measuredKW: measured.reduce((sum, one) => sum + one, 0) }),
      });
      if (final) forget(group.setpoint.id);
    },
  };
}

const MOST_TELLING: readonly Verdict[] = [
  "ignored",
  "reverted",
  "refused",
  "unreachable",
  "unverifiable",
  "expired",
  "superseded",
];

function combine(verdicts: readonly Verdict[]): Verdict {
  const [first] = verdicts;
  if (first !== undefined && verdicts.every((verdict) => verdict === first)) return first;
  if (verdicts.some((verdict) => verdict === "effective" || verdict === "partial")) return "partial";
  return MOST_TELLING.find((verdict) => verdicts.includes(verdict)) ?? "unverifiable";
}
