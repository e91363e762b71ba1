import {
  behaviourWith,
  type Fault,
  type FaultList,
  helpOf,
  number,
  oneOf,
  seconds,
  whole,
} from "../../fault-option.ts";
import { type ChargerBehaviour, METER_FAULTS, type MeterFault } from "../behaviour.ts";

type ChargerFault = Fault<ChargerBehaviour>;

const PURPOSES = { max: "max", default: "tx-default", tx: "tx" } as const;
const KINDS = { absolute: "Absolute", relative: "Relative", recurring: "Recurring", dynamic: "Dynamic" } as const;
const ERRORS = { NotImplemented: "NotImplemented", NotSupported: "NotSupported" } as const;
const LIES = { empty: "empty", none: "none", echo: "echo" } as const;
const METER = Object.fromEntries(METER_FAULTS.map((name) => [name, name])) as Record<MeterFault, MeterFault>;

/** Every way in which the charger can misbehave, grouped as in the help. */
export const FAULTS: FaultList<ChargerBehaviour> = [
  {
    title: "It refuses",
    faults: [
      flag("rejects-all", "every profile is Rejected", { rejectsProfiles: true }),
      fault("rejects-stack-level", "N", "profiles above stack level N are Rejected", (value) => ({
        rejectsAboveStackLevel: whole(value),
      })),
      fault(
        "rejects-purpose",
        "max|default|tx",
        "profiles of that purpose are Rejected; may be repeated",
        (value, before) => ({
          rejectsPurposes: [...before.rejectsPurposes, oneOf(value, PURPOSES)],
        }),
      ),
      fault(
        "rejects-kind",
        "absolute|relative|recurring|dynamic",
        "profiles of that kind are Rejected; may be repeated",
        (value, before) => ({
          rejectsKinds: [...before.rejectsKinds, oneOf(value, KINDS)],
        }),
      ),
      flag("rejects-zero", "a limit of 0 is Rejected, so it cannot be paused with one", { refusesZeroLimit: true }),
      optional(
        "profile-error",
        "NotImplemented|NotSupported",
        "NotSupported",
        "SetChargingProfile is answered with that CALLERROR",
        (value) => ({
          answersProfilesWithError: oneOf(value, ERRORS),
        }),
      ),
      flag("profile-silence", "SetChargingProfile is never answered", { neverAnswersProfiles: true }),
    ],
  },
  {
    title: "It accepts and does something else",
    faults: [
      flag("ignores", "every profile is Accepted, and the car charges on at full power", { ignoresProfiles: true }),
      fault("partial", "SHARE", "only that share of an order is carried out, 0 to 1", (value) => ({
        appliesShare: number(value, 0, 1),
      })),
      fault("reverts", "SECONDS", "so long after it was accepted, an order has no effect any more", (value) => ({
        revertsAfterMs: seconds(value),
      })),
      optional(
        "phase-drop",
        "SECONDS",
        "0",
        "so long after the start of a transaction two of three phases are lost",
        (value) => ({
          dropsToOnePhaseAfterMs: seconds(value),
        }),
      ),
      fault(
        "foreign-profile",
        "AMPS",
        "somebody else's default profile is there already, at the highest stack level",
        (value) => ({
          foreignLimitA: number(value, 0, 1000),
        }),
      ),
      fault(
        "composite",
        "empty|none|echo",
        "GetCompositeSchedule is Accepted without periods, without a schedule, or with what was last sent",
        (value) => ({
          compositeLie: oneOf(value, LIES),
        }),
      ),
    ],
  },
  {
    title: "Its clock",
    faults: [
      fault("clock-offset", "SECONDS", "it is so far ahead; negative for behind", (value) => ({
        clockOffsetMs: 1000 * number(value, -1e9, 1e9),
      })),
      flag("clock-1970", "it never heard the time, and counts from 1970", { clockStartsIn1970: true }),
      flag("no-zone", "times are written without Z", { timestampsWithoutZone: true }),
    ],
  },
  {
    title: "Its link",
    faults: [
      flag("silent", "no call is answered; meter values go on", { silent: true }),
      flag("nonsense", "answers have wrong types, are cut off, are no object, no array", { talksNonsense: true }),
      fault("slow", "SECONDS", "answers come so much later", (value) => ({ answerDelayMs: seconds(value) })),
      flag("no-subprotocol", "it dials without Sec-WebSocket-Protocol", { offersNoSubprotocol: true }),
      flag("second-socket", "a second connection is open under the same identity", { opensSecondSocket: true }),
      fault("reboots", "SECONDS", "the supply fails so often", (value) => ({
        rebootsEveryMs: Math.max(1, seconds(value)),
      })),
      flag("no-boot", "BootNotification comes only when it is asked for", { neverBoots: true }),
      flag("garbage", "frames that mean nothing come as fast as the link takes them", { floodsGarbage: true }),
    ],
  },
  {
    title: "Its messages",
    faults: [
      fault(
        "meter",
        METER_FAULTS.join("|"),
        "meter values are wrong in that way; may be repeated",
        (value, before) => ({
          meterFaults: [...before.meterFaults, oneOf(value, METER)],
        }),
      ),
      flag("meter-on-trigger", "meter values come only when they are asked for", { meterTiming: "triggered" }),
      flag("meter-at-end", "meter values come only with the end of the transaction", { meterTiming: "at-end" }),
      fault(
        "backlog",
        "SECONDS",
        "a charge that began so long ago, without a link, is told with the times of then",
        (value) => ({
          backlogMs: seconds(value),
        }),
      ),
      optional(
        "security-event",
        "TYPE",
        "StartupOfTheDevice",
        "a SecurityEventNotification comes whenever the link is up",
        (value) => ({
          securityEvent: value.slice(0, 50),
        }),
      ),
    ],
  },
];

/** Adds faults, as `NAME` or `NAME=VALUE`, to a behaviour. @throws FaultError */
export function withFaults(before: Readonly<ChargerBehaviour>, texts: readonly string[]): ChargerBehaviour {
  return behaviourWith(FAULTS, before, texts);
}

/** The list for people, as the help shows it. */
export function faultsHelp(): string {
  return helpOf(FAULTS);
}

function fault(name: string, value: string, effect: string, behaviour: ChargerFault["behaviour"]): ChargerFault {
  return { name, value, effect, behaviour };
}

function optional(
  name: string,
  value: string,
  otherwise: string,
  effect: string,
  behaviour: ChargerFault["behaviour"],
): ChargerFault {
  return { name, value, otherwise, effect, behaviour };
}

function flag(name: string, effect: string, part: Partial<ChargerBehaviour>): ChargerFault {
  return { name, effect, behaviour: () => part };
}
