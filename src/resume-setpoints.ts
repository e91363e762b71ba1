import { judgementOf } from "./dispatch/holding.ts";
import type { Finding } from "./dispatch/verification.ts";
import type { Setpoint } from "./model/setpoint.ts";
import type { Judgement } from "./model/verdict.ts";
import type { ControlStore } from "./store/control-store.ts";

/**
 * The setpoints that go on after a restart. What ended meanwhile is not replayed: it only gets its last word, which is
 * stored here.
 * @param nowMs wall time, epoch ms
 */
export async function setpointsToResume(
  store: Pick<ControlStore, "openSetpoints" | "findContract" | "commit">,
  nowMs: number,
): Promise<readonly Setpoint[]> {
  const open: Setpoint[] = [];
  const ended: Judgement[] = [];
  for (const { setpoint, judgement } of await store.openSetpoints(nowMs)) {
    if (judgement?.final) continue;
    const isOver = setpoint.validUntilMs <= nowMs;
    const transactionId = setpoint.source.transactionId;
    const contract = transactionId === undefined ? undefined : await store.findContract(transactionId);
    if (!isOver && contract?.state !== "ENDED") {
      open.push(setpoint);
      continue;
    }
    const finding: Finding = isOver
      ? { verdict: "expired", reason: "it ended while the gateway was down", samples: 0 }
      : { verdict: "superseded", reason: "its order was cancelled", samples: 0 };
    // What the meter had shown by then stays the verdict, with its evidence.
    const told = { atMs: nowMs, final: true };
    ended.push(judgement ? { ...judgement, ...told } : judgementOf(setpoint, finding, told));
  }
  if (ended.length > 0) await store.commit({ judgements: ended });
  return open;
}
