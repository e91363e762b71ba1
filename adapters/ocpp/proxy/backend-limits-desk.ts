import { integerAt, type JsonRecord, numberAt, recordAt, recordsAt, textAt } from "../link/json.ts";
import type { OcppVersion } from "../version.ts";
import { type ProfileFault, readBackendProfile, readClearCriteria } from "./backend-profile.ts";
import type { BackendProfiles } from "./backend-profiles.ts";

/** What follows from a backend's word on limits: the answer, and a report that goes up after it. */
export interface LimitsAnswer {
  readonly answer: JsonRecord;
  /** True where the limits may be others now. */
  readonly changed: boolean;
  /** Payload of a ReportChargingProfiles. */
  readonly report?: JsonRecord;
}

/**
 * Takes the backend's charging profiles in the charger's place. The charger gets one limit, the tightest of all, so that two
 * masters never fight over its profiles.
 */
export function answerOnLimits(
  version: OcppVersion,
  action: string,
  payload: JsonRecord,
  profiles: BackendProfiles,
  nowMs: number,
): LimitsAnswer {
  if (action === "ClearChargingProfile") {
    const criteria = readClearCriteria(version, payload);
    const cleared = criteria === undefined ? 0 : profiles.clear(criteria);
    return { answer: { status: cleared > 0 ? "Accepted" : "Unknown" }, changed: cleared > 0 };
  }
  if (action === "UpdateDynamicSchedule") {
    const limit = numberAt(recordAt(payload, "scheduleUpdate") ?? {}, "limit");
    const id = integerAt(payload, "chargingProfileId");
    const done = id !== undefined && limit !== undefined && limit >= 0 && profiles.update(id, limit, nowMs);
    if (done) return { answer: { status: "Accepted" }, changed: true };
    return {
      answer: refusal(version, { code: "InvalidProfile", text: "no dynamic profile takes this" }),
      changed: false,
    };
  }
  if (action === "GetChargingProfiles") return report(payload, profiles);
  const connector = integerAt(payload, version === "ocpp1.6" ? "connectorId" : "evseId") ?? 0;
  const raw = recordAt(payload, version === "ocpp1.6" ? "csChargingProfiles" : "chargingProfile") ?? {};
  return keepProfile(version, connector, raw, profiles, nowMs);
}

/** Keeps one profile, from a SetChargingProfile or from inside a remote start. */
export function keepProfile(
  version: OcppVersion,
  connector: number,
  raw: JsonRecord,
  profiles: BackendProfiles,
  nowMs: number,
): LimitsAnswer {
  const profile = readBackendProfile(version, connector, raw);
  if ("code" in profile) return { answer: refusal(version, profile), changed: false };
  if (profiles.set(profile, raw, nowMs) === "full") {
    return { answer: refusal(version, { code: "TooManyElements", text: "no room for more profiles" }), changed: false };
  }
  return { answer: { status: "Accepted" }, changed: true };
}

function report(payload: JsonRecord, profiles: BackendProfiles): LimitsAnswer {
  const requestId = integerAt(payload, "requestId") ?? 0;
  const evseId = integerAt(payload, "evseId");
  const wanted = recordAt(payload, "chargingProfile") ?? {};
  const ids = Array.isArray(wanted["chargingProfileId"]) ? wanted["chargingProfileId"] : undefined;
  const purpose = textAt(wanted, "chargingProfilePurpose");
  const stackLevel = integerAt(wanted, "stackLevel");
  const found = profiles.kept.filter(
    ({ profile, raw }) =>
      (evseId === undefined || profile.connector === evseId) &&
      (ids === undefined || ids.includes(profile.id)) &&
      (purpose === undefined || textAt(raw, "chargingProfilePurpose") === purpose) &&
      (stackLevel === undefined || profile.stackLevel === stackLevel),
  );
  const [first] = found;
  if (first === undefined) return { answer: { status: "NoProfiles" }, changed: false };
  // One report is for one EVSE; a backend that asks for all gets those of the first, and can ask for each.
  const { connector } = first.profile;
  return {
    answer: { status: "Accepted" },
    changed: false,
    report: {
      requestId,
      chargingLimitSource: "CSO",
      evseId: connector,
      chargingProfile: found.filter(({ profile }) => profile.connector === connector).map(({ raw }) => raw),
    },
  };
}

/** Profiles that a remote start carries, taken out of it, since the charger gets its limits from us. */
export function withoutProfile(payload: JsonRecord): { readonly payload: JsonRecord; readonly profile?: JsonRecord } {
  const { chargingProfile, ...rest } = payload;
  const [profile] = recordsAt({ chargingProfile }, "chargingProfile");
  return profile === undefined ? { payload: rest } : { payload: rest, profile };
}

function refusal(version: OcppVersion, { code, text }: ProfileFault): JsonRecord {
  if (version === "ocpp1.6") return { status: "Rejected" };
  return { status: "Rejected", statusInfo: { reasonCode: code.slice(0, 20), additionalInfo: text.slice(0, 512) } };
}
