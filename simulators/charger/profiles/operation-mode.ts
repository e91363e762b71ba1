import type { ChargingProfile, OperationMode, PeriodValues, SchedulePeriod } from "./charging-profile.ts";
import { type Refusal, refuse } from "./refusal.ts";

type Field = keyof PeriodValues;

interface ModeRule {
  readonly needs: readonly Field[];
  readonly may: readonly Field[];
}

/**
 * Which values belong to which mode (2.1, part 2, Q: limits and setpoints per operation mode). The modes that are not
 * here need a grid frequency or a controller on site, and this charger has neither.
 */
const RULES: Readonly<Partial<Record<OperationMode, ModeRule>>> = {
  Idle: { needs: [], may: [] },
  ChargingOnly: { needs: ["limit"], may: [] },
  CentralSetpoint: { needs: ["setpoint"], may: ["limit", "dischargeLimit"] },
  CentralFrequency: { needs: ["setpoint"], may: ["limit", "dischargeLimit"] },
};

export const SUPPORTED_MODES = Object.keys(RULES) as readonly OperationMode[];

const FIELDS: readonly Field[] = ["limit", "dischargeLimit", "setpoint"];

/** What the place where the profile goes allows. */
export interface ModeSituation {
  /** The outlet can give power back. */
  readonly bidirectional: boolean;
  /** The CSMS allowed this car to; absent where no car is named. */
  readonly mayDischarge?: boolean;
}

/** Checks mode and values of one period, 2.1. */
export function refuseMode(
  profile: Pick<ChargingProfile, "purpose">,
  period: SchedulePeriod,
  situation: ModeSituation,
): Refusal | undefined {
  const mode = period.mode ?? "ChargingOnly";
  const rule = RULES[mode];
  if (rule === undefined || (mode !== "ChargingOnly" && !situation.bidirectional)) {
    const known = situation.bidirectional ? SUPPORTED_MODES.join(", ") : "ChargingOnly";
    return refuse("InvalidOperationMode", `operationMode ${mode} is not supported, only ${known}`);
  }
  if (profile.purpose === "max" && mode !== "ChargingOnly") {
    return refuse("InvalidOperationMode", `a maximum for the station is ChargingOnly, not ${mode}`);
  }
  for (const field of FIELDS) {
    const present = period[field] !== undefined;
    if (!present && rule.needs.includes(field)) return refuse("InvalidSchedule", `${mode} needs ${field}`);
    if (present && !rule.needs.includes(field) && !rule.may.includes(field)) {
      return refuse("InvalidSchedule", `${mode} takes no ${field}`);
    }
  }
  return refuseValues(period, situation);
}

function refuseValues(period: SchedulePeriod, situation: ModeSituation): Refusal | undefined {
  const { limit, dischargeLimit, setpoint } = period;
  if (setpoint === undefined) return undefined;
  if (limit !== undefined && setpoint > limit) {
    return refuse("InvalidSchedule", `setpoint ${setpoint} is above limit ${limit}`);
  }
  if (dischargeLimit !== undefined && setpoint < dischargeLimit) {
    return refuse("InvalidSchedule", `setpoint ${setpoint} is below dischargeLimit ${dischargeLimit}`);
  }
  if (setpoint < 0 && situation.mayDischarge === false) {
    // AuthorizeResponse: without allowedEnergyTransfer a car may charge only.
    return refuse(
      "InvalidOperationMode",
      "this car was not allowed to discharge: NotifyAllowedEnergyTransfer is missing",
    );
  }
  return undefined;
}
