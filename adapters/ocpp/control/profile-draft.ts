import type { Clock } from "../../../src/clock.ts";
import type { OcppDevice } from "../config.ts";
import type { Station } from "../station.ts";
import { type Profile, type ProfileRole, profileId } from "./charging-profile.ts";
import type { WireLimit } from "./import-limit.ts";
import type { ProfileWay } from "./way.ts";

/** What a profile is to say, in our own time. */
export interface Draft {
  readonly way: ProfileWay;
  readonly role: ProfileRole;
  readonly limit: WireLimit;
  /** Lines that may be used. */
  readonly phases: number;
  /** True where the line is to be named that carries the power alone. */
  readonly namesLine: boolean;
  /** Wall time of the end; absent for a profile that stays. */
  readonly untilMs?: number;
  readonly transaction?: { readonly id: number | string; readonly sinceMs?: number };
  readonly afterwards?: WireLimit;
}

/** The profile of one connector, with all times by the charger's own clock. */
export function profileFrom(draft: Draft, station: Station, device: OcppDevice, clock: Clock): Profile {
  const { way, role, untilMs, transaction, afterwards } = draft;
  const { skewMs, isSteady } = station.chargerClock;
  const connector = way.purpose === "MaxProfile" ? 0 : device.connector;
  const since = transaction?.sinceMs;
  return {
    id: profileId(connector, role),
    connector,
    purpose: way.purpose,
    kind: way.kind,
    stackLevel: way.stackLevel,
    limit: draft.limit,
    nowMs: clock.now() + skewMs,
    ...(isSteady ? {} : { clockless: true }),
    ...(device.current === "DC" ? {} : { phases: draft.phases }),
    ...(draft.namesLine && device.phaseToUse !== undefined ? { phaseToUse: device.phaseToUse } : {}),
    ...(untilMs === undefined ? {} : { untilMs: untilMs + skewMs }),
    ...(transaction === undefined ? {} : { transactionId: transaction.id }),
    ...(since === undefined ? {} : { transactionSinceMs: since + skewMs }),
    ...(afterwards === undefined ? {} : { afterwards }),
  };
}
