import type { ProfileKind, ProfilePurpose } from "./profiles/charging-profile.ts";

/** What real chargers do to meter values, one name a sin. */
export const METER_FAULTS = ["no-unit", "kilo", "casing", "empty", "nan", "strings", "signed"] as const;

export type MeterFault = (typeof METER_FAULTS)[number];

/** How a charger misbehaves. May be changed while it runs. */
export interface ChargerBehaviour {
  /** Accepts every profile and charges on at full power. */
  ignoresProfiles: boolean;
  /** Refuses every profile. */
  rejectsProfiles: boolean;
  /** Refuses profiles above this stack level. */
  rejectsAboveStackLevel: number | undefined;
  /** Refuses profiles of these purposes. */
  rejectsPurposes: readonly ProfilePurpose[];
  /** Refuses profiles of these kinds. */
  rejectsKinds: readonly ProfileKind[];
  /** Refuses a limit of 0, with which others are paused. */
  refusesZeroLimit: boolean;
  /** Answers SetChargingProfile with this CALLERROR. */
  answersProfilesWithError: "NotImplemented" | "NotSupported" | undefined;
  /** Never answers SetChargingProfile, and does not do what it says. */
  neverAnswersProfiles: boolean;

  /** Share of an order that it carries out, 0 to 1. */
  appliesShare: number;
  /** Accepted profiles lose their effect after so long; they stay installed. */
  revertsAfterMs: number | undefined;
  /** So long after the start of a transaction two of three phases are lost. */
  dropsToOnePhaseAfterMs: number | undefined;
  /** A default profile with this limit, A per phase, is there already, at the highest stack level. */
  foreignLimitA: number | undefined;
  /** GetCompositeSchedule is `Accepted` with no period, with no schedule, or with what was last sent. */
  compositeLie: "empty" | "none" | "echo" | undefined;

  /** How far its clock is ahead of the true time; negative if it is behind. */
  clockOffsetMs: number;
  /** Its clock never heard the time and counts from 1970. */
  clockStartsIn1970: boolean;
  /** Writes times without `Z`. */
  timestampsWithoutZone: boolean;

  /** Never answers a call; what it sends by itself goes on. */
  silent: boolean;
  /** Answers calls with wrong types and broken frames. */
  talksNonsense: boolean;
  /** Answers come so much later. */
  answerDelayMs: number;
  /** Dials without a subprotocol, from the next connection on. */
  offersNoSubprotocol: boolean;
  /** Keeps a second connection open under the same identity. */
  opensSecondSocket: boolean;
  /** The supply fails so often. */
  rebootsEveryMs: number | undefined;
  /** Sends BootNotification only when it is asked to. */
  neverBoots: boolean;
  /** Sends frames that mean nothing, as fast as the link takes them. */
  floodsGarbage: boolean;

  /** What is wrong with its meter values. */
  meterFaults: readonly MeterFault[];
  /** When it sends them: at their interval, only when asked, or only with the end of the transaction. */
  meterTiming: "periodic" | "triggered" | "at-end";
  /** A charge that began so long ago, without a link, is told with the times of then. */
  backlogMs: number | undefined;
  /** Sends a SecurityEventNotification of this type whenever the link is up. */
  securityEvent: string | undefined;
}

export const GOOD_BEHAVIOUR: Readonly<ChargerBehaviour> = {
  ignoresProfiles: false,
  rejectsProfiles: false,
  rejectsAboveStackLevel: undefined,
  rejectsPurposes: [],
  rejectsKinds: [],
  refusesZeroLimit: false,
  answersProfilesWithError: undefined,
  neverAnswersProfiles: false,
  appliesShare: 1,
  revertsAfterMs: undefined,
  dropsToOnePhaseAfterMs: undefined,
  foreignLimitA: undefined,
  compositeLie: undefined,
  clockOffsetMs: 0,
  clockStartsIn1970: false,
  timestampsWithoutZone: false,
  silent: false,
  talksNonsense: false,
  answerDelayMs: 0,
  offersNoSubprotocol: false,
  opensSecondSocket: false,
  rebootsEveryMs: undefined,
  neverBoots: false,
  floodsGarbage: false,
  meterFaults: [],
  meterTiming: "periodic",
  backlogMs: undefined,
  securityEvent: undefined,
};
