import { createRPCError } from "ocpp-rpc";
import symbols from "ocpp-rpc/lib/symbols.js";
import type { Clock } from "../../../src/clock.ts";
import type { ChargerBehaviour } from "../behaviour.ts";

/** What a handler returns so that the library sends nothing. */
const { NOREPLY } = symbols;

/** One call of the CSMS on its way to its handler. */
export interface IncomingCall {
  readonly action: string;
  readonly messageId: string;
  readonly params: unknown;
}

type Answer = Record<string, unknown>;

/** What becomes of the calls of a CSMS before, instead of and after they are carried out. */
export class CallFaults {
  readonly #clock: Clock;
  readonly #behaviour: Readonly<ChargerBehaviour>;
  readonly #signal: AbortSignal;
  #lastProfile: unknown;

  constructor(options: { clock: Clock; behaviour: Readonly<ChargerBehaviour>; signal: AbortSignal }) {
    this.#clock = options.clock;
    this.#behaviour = options.behaviour;
    this.#signal = options.signal;
  }

  /**
   * Carries out a call as far as this charger does.
   * @param sendRaw takes a frame past the schemas
   * @throws an error of the protocol where that is the answer
   */
  async answer(
    call: IncomingCall,
    handle: (params: unknown) => Answer,
    sendRaw: (frame: string) => void,
  ): Promise<Answer | typeof NOREPLY> {
    const { answerDelayMs, neverAnswersProfiles, answersProfilesWithError, compositeLie } = this.#behaviour;
    if (answerDelayMs > 0) await this.#clock.sleep(answerDelayMs, this.#signal);
    if (call.action === "SetChargingProfile") {
      this.#lastProfile = call.params;
      if (neverAnswersProfiles) return NOREPLY;
      if (answersProfilesWithError !== undefined) {
        throw createRPCError(answersProfilesWithError, "SetChargingProfile is not for this charger", {});
      }
    }
    const answer = handle(call.params);
    if (call.action !== "GetCompositeSchedule" || compositeLie === undefined || answer["status"] !== "Accepted") {
      return answer;
    }
    sendRaw(JSON.stringify([3, call.messageId, lie(answer, compositeLie, this.#lastProfile)]));
    return NOREPLY;
  }
}

/** The name of the schedule differs: `chargingSchedule` in 1.6, `schedule` in 2.x. */
function lie(answer: Answer, kind: "empty" | "none" | "echo", lastProfile: unknown): Answer {
  const name = "schedule" in answer ? "schedule" : "chargingSchedule";
  const { [name]: schedule, ...rest } = answer;
  if (kind === "none") return rest;
  const chargingSchedulePeriod = kind === "empty" ? [] : sentPeriods(lastProfile);
  return chargingSchedulePeriod === undefined
    ? answer
    : { ...rest, [name]: { ...(schedule as Answer), ...sentUnit(lastProfile, kind), chargingSchedulePeriod } };
}

interface SentSchedule {
  readonly chargingRateUnit: unknown;
  readonly chargingSchedulePeriod: unknown;
}

function sentSchedule(payload: unknown): SentSchedule | undefined {
  const { csChargingProfiles, chargingProfile } = (payload ?? {}) as Record<
    "csChargingProfiles" | "chargingProfile",
    { chargingSchedule: SentSchedule | SentSchedule[] } | undefined
  >;
  const sent = (csChargingProfiles ?? chargingProfile)?.chargingSchedule;
  return Array.isArray(sent) ? sent[0] : sent;
}

function sentPeriods(payload: unknown): unknown {
  return sentSchedule(payload)?.chargingSchedulePeriod;
}

function sentUnit(payload: unknown, kind: "empty" | "echo"): Answer {
  const sent = sentSchedule(payload);
  return kind === "echo" && sent !== undefined ? { chargingRateUnit: sent.chargingRateUnit } : {};
}
