import { type Fault, type FaultList, number, seconds, whole } from "../fault-option.ts";
import type { ModbusBehaviour } from "./behaviour.ts";

type ModbusFault = Fault<ModbusBehaviour>;

/** Every way in which any Modbus device can misbehave, grouped as in the help. */
export const MODBUS_FAULTS: FaultList<ModbusBehaviour> = [
  {
    title: "Its answers",
    faults: [
      flag("silence", "no request is answered", { silent: true }),
      {
        name: "exception",
        value: "CODE",
        effect: "every request gets this exception, 1 to 255 (6 is busy, 11 a gateway whose device is away)",
        behaviour: (value) => ({ exceptionCode: whole(value, 1, 255) }),
      },
      {
        name: "late",
        value: "SECONDS",
        effect: "answers come so much later, also after the client has given up",
        behaviour: (value) => ({ answerDelayMs: seconds(value) }),
      },
      flag("reset", "the connection is reset in the middle of each answer", { resetsMidFrame: true }),
      flag("wrong-unit", "answers carry the number of another unit", { answersAsAnother: true }),
      flag("nonsense", "wrong transactions, lengths and checksums, and bytes that are no Modbus", {
        talksNonsense: true,
      }),
      flag("split", "answers come a byte at a time", { splitsAnswers: true }),
      flag("twice", "every answer comes twice", { repeatsAnswers: true }),
      flag("echo", "on RTU the client hears its own request first, as through some RS-485 adapters", {
        echoesRequests: true,
      }),
      {
        name: "half-open",
        value: "ANSWERS",
        otherwise: "1",
        effect: "after so many answers a connection is dead and does not say so",
        behaviour: (value) => ({ diesAfterAnswers: whole(value, 1, 1_000_000) }),
      },
      {
        name: "share",
        value: "SHARE",
        effect: "the faults above hit only this share of the answers, 0 to 1, by the seed",
        behaviour: (value) => ({ faultShare: number(value, 0, 1) }),
      },
    ],
  },
  {
    title: "What is written",
    faults: [
      flag("refuses", "control writes get exception 3", { refuses: true }),
      flag("ignores", "control writes are accepted and read back, and the power does not follow", {
        ignoresWrites: true,
      }),
      flag("fc6-only", "function 16 gets exception 1", { rejectsWriteMultiple: true }),
      flag("fc16-only", "function 6 gets exception 1", { rejectsWriteSingle: true }),
    ],
  },
  {
    title: "What is measured",
    faults: [
      flag("stale", "measured values stay as they were", { isStale: true }),
      flag("sleeps", "without sun all that is measured reads as not implemented", { sleepsAtNight: true }),
    ],
  },
  {
    title: "Its supply",
    faults: [
      {
        name: "restarts",
        value: "SECONDS",
        effect: "it restarts so often, and forgets what was ordered",
        behaviour: (value) => ({ restartsEveryMs: Math.max(1, seconds(value)) }),
      },
      flag("map-moves", "after each restart its registers lie elsewhere, as after an update", { movesMap: true }),
    ],
  },
];

function flag(name: string, effect: string, part: Partial<ModbusBehaviour>): ModbusFault {
  return { name, effect, behaviour: () => part };
}
