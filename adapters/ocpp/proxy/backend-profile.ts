import type { RateUnit } from "../control/import-limit.ts";
import { integerAt, type JsonRecord, numberAt, recordAt, recordsAt, textAt } from "../link/json.ts";
import { parseTimestamp } from "../link/timestamp.ts";
import type { OcppVersion } from "../version.ts";

/** What a profile limits: one transaction, any transaction, or the whole station. */
export type BackendPurpose = "transaction" | "default" | "station";

/** One step of a schedule. */
export interface BackendPeriod {
  /** From the start of the schedule, ms. */
  readonly startMs: number;
  /** Amps on each phase, or watts in all; ≥ 0, import. */
  readonly limit: number;
  /** Phases that the limit counts; absent means 3. */
  readonly phases?: number;
}

/** A charging profile that the backend gave us for the charger, in one form for all versions of OCPP. */
export interface BackendProfile {
  readonly id: number;
  /** Connector of 1.6, EVSE of 2.x; 0 is the whole station. */
  readonly connector: number;
  readonly purpose: BackendPurpose;
  readonly stackLevel: number;
  /** `Dynamic` (2.1) is a limit that holds until it is updated. */
  readonly kind: "Absolute" | "Relative" | "Recurring" | "Dynamic";
  /** Absent unless `Recurring`: a day or a week, ms. */
  readonly everyMs?: number;
  /** The transaction it is for, by the backend's own id. */
  readonly transactionId?: string;
  readonly validFromMs?: number;
  readonly validToMs?: number;
  /** Wall time of the schedule's start; absent for one that counts from the transaction's start, or from its arrival. */
  readonly startMs?: number;
  readonly durationMs?: number;
  readonly unit: RateUnit;
  readonly periods: readonly BackendPeriod[];
}

/** Why a profile cannot be kept; `code` has at most 20 letters, as a `reasonCode` of 2.x must. */
export interface ProfileFault {
  readonly code: string;
  readonly text: string;
}

const PURPOSES: Readonly<Record<string, BackendPurpose>> = {
  TxProfile: "transaction",
  TxDefaultProfile: "default",
  ChargePointMaxProfile: "station",
  ChargingStationMaxProfile: "station",
  // 2.1: limits that other systems on the station's own side set are told, not commanded.
};

const KINDS = ["Absolute", "Relative", "Recurring", "Dynamic"] as const;

const EVERY_MS: Readonly<Record<string, number>> = { Daily: 86_400_000, Weekly: 7 * 86_400_000 };

const MAX_PERIODS = 1024;

/** Reads the profile of a SetChargingProfile, or of a remote start. Strict: a limit that is misread is worse than one refused. */
export function readBackendProfile(
  version: OcppVersion,
  connector: number,
  profile: JsonRecord,
): BackendProfile | ProfileFault {
  const id = integerAt(profile, version === "ocpp1.6" ? "chargingProfileId" : "id");
  const stackLevel = integerAt(profile, "stackLevel");
  const purpose = lookUp(PURPOSES, textAt(profile, "chargingProfilePurpose"));
  const kind = KINDS.find((known) => known === textAt(profile, "chargingProfileKind"));
  // A schedule of 1.6 is one object, one of 2.x a list whose further entries are alternatives for ISO 15118.
  const [schedule] = recordsAt(profile, "chargingSchedule");
  if (id === undefined) return fault("MissingParam", "the profile has no id");
  if (connector < 0) return fault("UnknownConnectorId", `there is no connector ${connector}`);
  if (stackLevel === undefined || stackLevel < 0) return fault("InvalidStackLevel", "stackLevel must be 0 or more");
  if (purpose === undefined) return fault("UnsupportedParam", "this chargingProfilePurpose is not known");
  if (kind === undefined || (kind === "Dynamic" && version === "ocpp1.6")) {
    return fault("UnsupportedParam", "this chargingProfileKind is not known");
  }
  if (schedule === undefined) return fault("MissingParam", "the profile has no chargingSchedule");
  if (purpose === "station" && connector !== 0) {
    return fault("InvalidProfile", "a profile for the whole station belongs to connector 0");
  }
  if (purpose === "transaction" && connector === 0) {
    return fault("InvalidProfile", "a profile for a transaction belongs to one connector, not to 0");
  }
  const timing = readTiming(profile, schedule, kind);
  if ("code" in timing) return timing;
  const plan = readPlan(schedule);
  if ("code" in plan) return plan;
  const transactionId = integerAt(profile, "transactionId")?.toString() ?? textAt(profile, "transactionId");
  return {
    id,
    connector,
    purpose,
    stackLevel,
    kind,
    ...timing,
    ...plan,
    ...(transactionId === undefined ? {} : { transactionId }),
  };
}

type Timing = Pick<BackendProfile, "everyMs" | "validFromMs" | "validToMs" | "startMs" | "durationMs">;

function readTiming(profile: JsonRecord, schedule: JsonRecord, kind: BackendProfile["kind"]): Timing | ProfileFault {
  const everyMs = lookUp(EVERY_MS, textAt(profile, "recurrencyKind"));
  if (kind === "Recurring" && everyMs === undefined) return fault("MissingParam", "Recurring needs recurrencyKind");
  const times: { -readonly [Key in keyof Timing]: Timing[Key] } = {};
  for (const [key, from, name] of [
    ["validFromMs", profile, "validFrom"],
    ["validToMs", profile, "validTo"],
    ["startMs", schedule, "startSchedule"],
  ] as const) {
    const text = textAt(from, name);
    if (text === undefined) continue;
    const timeMs = parseTimestamp(text);
    if (timeMs === undefined) return fault("InvalidValue", `${name} is no time: ${text.slice(0, 40)}`);
    times[key] = timeMs;
  }
  const durationS = numberAt(schedule, "duration");
  if (durationS !== undefined && durationS <= 0) return fault("InvalidSchedule", "duration must be above 0");
  if ((kind === "Absolute" || kind === "Recurring") && times.startMs === undefined) {
    return fault("InvalidSchedule", `${kind} needs startSchedule`);
  }
  // A relative one counts from the transaction, whatever else it says.
  if (kind === "Relative") delete times.startMs;
  return {
    ...times,
    ...(durationS === undefined ? {} : { durationMs: durationS * 1000 }),
    ...(kind === "Recurring" && everyMs !== undefined ? { everyMs } : {}),
  };
}

function readPlan(schedule: JsonRecord): Pick<BackendProfile, "unit" | "periods"> | ProfileFault {
  const unit = textAt(schedule, "chargingRateUnit");
  if (unit !== "A" && unit !== "W") return fault("UnsupportedRateUnit", "chargingRateUnit must be A or W");
  const raw = recordsAt(schedule, "chargingSchedulePeriod");
  if (raw.length === 0) return fault("InvalidSchedule", "the schedule has no period");
  if (raw.length > MAX_PERIODS) return fault("InvalidSchedule", `the schedule has more than ${MAX_PERIODS} periods`);
  const periods: BackendPeriod[] = [];
  for (const [index, entry] of raw.entries()) {
    const startS = numberAt(entry, "startPeriod");
    const limit = numberAt(entry, "limit");
    const phases = integerAt(entry, "numberPhases");
    const mode = textAt(entry, "operationMode") ?? "ChargingOnly";
    if (mode !== "ChargingOnly")
      return fault("UnsupportedParam", `operationMode ${mode.slice(0, 30)} is not kept here`);
    if (limit === undefined || limit < 0) return fault("InvalidSchedule", `period ${index} has no limit of 0 or more`);
    const before = periods.at(-1)?.startMs;
    if (startS === undefined || (index === 0 ? startS !== 0 : startS * 1000 <= (before ?? 0))) {
      return fault("InvalidSchedule", "the periods must begin at 0 and go on in order");
    }
    if (phases !== undefined && (phases < 1 || phases > 3)) {
      return fault("InvalidSchedule", `period ${index}: numberPhases must be 1 to 3`);
    }
    periods.push({ startMs: startS * 1000, limit, ...(phases === undefined ? {} : { phases }) });
  }
  return { unit, periods };
}

/** The criteria of a ClearChargingProfile; absent ones match everything. */
export interface ClearCriteria {
  readonly id?: number;
  readonly connector?: number;
  readonly purpose?: BackendPurpose;
  readonly stackLevel?: number;
}

/** Reads the criteria; nothing where a purpose is named that we do not know, which then matches no profile. */
export function readClearCriteria(version: OcppVersion, payload: JsonRecord): ClearCriteria | undefined {
  const is16 = version === "ocpp1.6";
  const where = is16 ? payload : (recordAt(payload, "chargingProfileCriteria") ?? {});
  const id = integerAt(payload, is16 ? "id" : "chargingProfileId");
  const connector = integerAt(where, is16 ? "connectorId" : "evseId");
  const word = textAt(where, "chargingProfilePurpose");
  const purpose = lookUp(PURPOSES, word);
  const stackLevel = integerAt(where, "stackLevel");
  if (word !== undefined && purpose === undefined) return undefined;
  return {
    ...(id === undefined ? {} : { id }),
    ...(connector === undefined ? {} : { connector }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(stackLevel === undefined ? {} : { stackLevel }),
  };
}

function lookUp<T>(table: Readonly<Record<string, T>>, key: string | undefined): T | undefined {
  return key !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}

function fault(code: string, text: string): ProfileFault {
  return { code, text };
}
