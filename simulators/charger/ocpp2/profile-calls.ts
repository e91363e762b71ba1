import { z } from "zod";
import type { CallHandler, ChargerControls } from "../dialect.ts";
import { present, timestamp } from "../link/wire-time.ts";
import type { ChargingProfile } from "../profiles/charging-profile.ts";
import type { CompositePeriod } from "../profiles/composite-schedule.ts";
import { ChargingProfile2, profileFrom2, purpose2, wireProfile2 } from "./ocpp2-profile.ts";
import { accepted, rejected, statusOf } from "./status-info.ts";

const Purpose = ChargingProfile2.shape.chargingProfilePurpose;
const SetChargingProfile = z.object({ evseId: z.number(), chargingProfile: ChargingProfile2 });
const ClearChargingProfile = z.object({
  chargingProfileId: z.number().optional(),
  chargingProfileCriteria: z
    .object({
      evseId: z.number().optional(),
      chargingProfilePurpose: Purpose.optional(),
      stackLevel: z.number().optional(),
    })
    .optional(),
});
const GetCompositeSchedule = z.object({
  evseId: z.number(),
  duration: z.number(),
  chargingRateUnit: z.enum(["A", "W"]).optional(),
});
const GetChargingProfiles = z.object({
  requestId: z.number(),
  evseId: z.number().optional(),
  chargingProfile: z.object({
    chargingProfilePurpose: Purpose.optional(),
    stackLevel: z.number().optional(),
    chargingProfileId: z.array(z.number()).optional(),
    chargingLimitSource: z.array(z.string()).optional(),
  }),
});

/** `chargingLimitSource` of what the CSMS installed: the charge-point operator. */
const OWN_SOURCE = "CSO";

/** Charging profiles in 2.x: set, clear, look at, and what comes of them. */
export function profileHandlers2(controls: ChargerControls): Record<string, CallHandler> {
  return {
    SetChargingProfile: (payload) => {
      const { evseId, chargingProfile } = SetChargingProfile.parse(payload);
      const made = profileFrom2(evseId, chargingProfile);
      return statusOf("refusal" in made ? made.refusal : controls.setProfile(made.profile));
    },
    ClearChargingProfile: (payload) => {
      const { chargingProfileId, chargingProfileCriteria: criteria } = ClearChargingProfile.parse(payload);
      const purpose = criteria?.chargingProfilePurpose;
      // Of a purpose that this charger does not hold there is nothing to clear.
      if (chargingProfileId === undefined && purpose !== undefined && purpose2(purpose) === undefined) {
        return { status: "Unknown" };
      }
      const cleared = controls.clearProfiles({
        ...present("id", chargingProfileId),
        ...present("connectorId", criteria?.evseId),
        ...present("stackLevel", criteria?.stackLevel),
        ...present("purpose", purpose && purpose2(purpose)),
      });
      return { status: cleared > 0 ? "Accepted" : "Unknown" };
    },
    GetCompositeSchedule: (payload) => {
      const { evseId, duration, chargingRateUnit } = GetCompositeSchedule.parse(payload);
      const { units, connectors, current } = controls.bounds;
      const unit = chargingRateUnit ?? units[0] ?? "A";
      if (evseId < 0 || evseId > connectors) return rejected("UnknownEvse", `there is no EVSE ${evseId}`);
      if (!units.includes(unit)) return rejected("UnsupportedRateUnit", `${unit} is not supported`);
      const periods = controls.composite(evseId, duration * 1000, unit);
      const chargingSchedulePeriod = periods.map((period) => wirePeriod(period, current));
      const scheduleStart = timestamp(controls.now());
      return {
        ...accepted(),
        schedule: { evseId, duration, scheduleStart, chargingRateUnit: unit, chargingSchedulePeriod },
      };
    },
    GetChargingProfiles: (payload) => {
      const { requestId, evseId, chargingProfile: criteria } = GetChargingProfiles.parse(payload);
      const found = controls.installedProfiles().filter((profile) => meets(profile, evseId, criteria));
      const reports = grouped(found);
      for (const [index, { connectorId, source, profiles }] of reports.entries()) {
        controls.afterwards("ReportChargingProfiles", {
          requestId,
          chargingLimitSource: source,
          evseId: connectorId,
          tbc: index < reports.length - 1,
          chargingProfile: profiles.map(wireProfile2),
        });
      }
      return { status: found.length > 0 ? "Accepted" : "NoProfiles" };
    },
  };
}

/** A period of what binds, as 2.x writes it. A DC outlet has no phases. */
export function wirePeriod(
  { startPeriod, limit, numberPhases, setpoint, mode }: CompositePeriod,
  current: "AC" | "DC",
): Record<string, unknown> {
  return {
    startPeriod,
    limit,
    ...(current === "DC" ? {} : { numberPhases }),
    ...present("setpoint", setpoint),
    ...present("operationMode", mode),
  };
}

function meets(
  profile: ChargingProfile,
  evseId: number | undefined,
  criteria: z.infer<typeof GetChargingProfiles>["chargingProfile"],
): boolean {
  const { chargingProfilePurpose: purpose, stackLevel, chargingProfileId, chargingLimitSource } = criteria;
  return (
    (evseId === undefined || profile.connectorId === evseId) &&
    (purpose === undefined || profile.purpose === purpose2(purpose)) &&
    (stackLevel === undefined || profile.stackLevel === stackLevel) &&
    (chargingProfileId === undefined || chargingProfileId.includes(profile.id)) &&
    (chargingLimitSource === undefined || chargingLimitSource.includes(profile.source ?? OWN_SOURCE))
  );
}

interface Report {
  readonly connectorId: number;
  readonly source: string;
  readonly profiles: ChargingProfile[];
}

/** One report tells of one EVSE and one source. */
function grouped(profiles: readonly ChargingProfile[]): readonly Report[] {
  const reports = new Map<string, Report>();
  for (const profile of profiles) {
    const { connectorId, source = OWN_SOURCE } = profile;
    const key = `${connectorId}/${source}`;
    const report = reports.get(key) ?? { connectorId, source, profiles: [] };
    report.profiles.push(profile);
    reports.set(key, report);
  }
  return [...reports.values()];
}
