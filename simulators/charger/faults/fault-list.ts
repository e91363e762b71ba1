import { type ChargerBehaviour, METER_FAULTS, type MeterFault } from "../behaviour.ts";

/** One fault as it is named on the command line. */
export interface Fault {
  readonly name: string;
  /** What stands behind `=`; absent where nothing may. */
  readonly value?: string;
  /** What is meant where a value may be left out. */
  readonly otherwise?: string;
  readonly effect: string;
  /** The part of the behaviour that it sets. @throws FaultError for a value that makes no sense */
  readonly behaviour: (value: string, before: Readonly<ChargerBehaviour>) => Partial<ChargerBehaviour>;
}

/** A fault that does not exist, or a value that it cannot have. The message says what may stand there. */
export class FaultError extends Error {
  override readonly name = "FaultError";
}

const PURPOSES = { max: "max", default: "tx-default", tx: "tx" } as const;
const KINDS = { absolute: "Absolute", relative: "Relative", recurring: "Recurring", dynamic: "Dynamic" } as const;
const ERRORS = { NotImplemented: "NotImplemented", NotSupported: "NotSupported" } as const;
const LIES = { empty: "empty", none: "none", echo: "echo" } as const;
const METER = Object.fromEntries(METER_FAULTS.map((name) => [name, name])) as Record<MeterFault, MeterFault>;

/** Every way in which the charger can misbehave, grouped as in the help. */
export const FAULTS: readonly { readonly title: string; readonly faults: readonly Fault[] }[] = [
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

/**
 * Adds faults, as `NAME` or `NAME=VALUE`, to a behaviour.
 * @throws FaultError for a fault that there is not, or a value that it cannot have
 */
export function withFaults(before: Readonly<ChargerBehaviour>, texts: readonly string[]): ChargerBehaviour {
  const behaviour = { ...before };
  for (const text of texts) Object.assign(behaviour, partOf(text, behaviour));
  return behaviour;
}

/** The list for people, as the help shows it. */
export function faultsHelp(): string {
  const rows = FAULTS.flatMap(({ faults }) => faults);
  const width = Math.max(...rows.map((row) => usage(row).length).filter((length) => length <= 36));
  const line = (row: Fault) => {
    const head = usage(row);
    return head.length > width
      ? `  ${head}\n  ${" ".repeat(width)}  ${row.effect}`
      : `  ${head.padEnd(width)}  ${row.effect}`;
  };
  return FAULTS.map(({ title, faults }) => `${title}:\n${faults.map(line).join("\n")}`).join("\n");
}

function usage({ name, value, otherwise }: Fault): string {
  if (value === undefined) return name;
  return otherwise === undefined ? `${name}=${value}` : `${name}[=${value}]`;
}

function partOf(text: string, before: Readonly<ChargerBehaviour>): Partial<ChargerBehaviour> {
  const [name = "", ...rest] = text.split("=");
  const found = FAULTS.flatMap(({ faults }) => faults).find((row) => row.name === name);
  if (found === undefined) throw new FaultError(`there is no fault "${name}"; --help lists them`);
  const given = rest.length === 0 ? found.otherwise : rest.join("=");
  if (found.value === undefined && given !== undefined)
    throw new FaultError(`fault ${name} takes no value, got "${text}"`);
  if (found.value !== undefined && given === undefined)
    throw new FaultError(`fault ${name} needs a value: ${usage(found)}`);
  try {
    return found.behaviour(given ?? "", before);
  } catch (error) {
    throw new FaultError(`fault ${usage(found)}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function fault(name: string, value: string, effect: string, behaviour: Fault["behaviour"]): Fault {
  return { name, value, effect, behaviour };
}

function optional(
  name: string,
  value: string,
  otherwise: string,
  effect: string,
  behaviour: Fault["behaviour"],
): Fault {
  return { name, value, otherwise, effect, behaviour };
}

function flag(name: string, effect: string, part: Partial<ChargerBehaviour>): Fault {
  return { name, effect, behaviour: () => part };
}

function number(text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most)) {
    throw new RangeError(`"${text}" is not a number from ${least} to ${most}`);
  }
  return value;
}

function whole(text: string): number {
  const value = number(text, 0, 100);
  if (!Number.isInteger(value)) throw new RangeError(`"${text}" is not a whole number`);
  return value;
}

function seconds(text: string): number {
  return Math.round(1000 * number(text, 0, 1e7));
}

function oneOf<Value>(text: string, values: Readonly<Record<string, Value>>): Value {
  const value = Object.hasOwn(values, text) ? values[text] : undefined;
  if (value === undefined) throw new RangeError(`"${text}" is none of ${Object.keys(values).join(", ")}`);
  return value;
}
