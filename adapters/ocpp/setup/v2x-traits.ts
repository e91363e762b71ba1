import { booleanFrom, type Variables } from "./variable.ts";

const DYNAMIC_PROFILES = "SmartChargingCtrlr.SupportsDynamicProfiles";
const V2X = "V2XChargingCtrlr";

/** What the EVSEs of a 2.1 station say of bidirectional charging; each part only if they said so. */
export interface V2xTraits {
  readonly enabled?: boolean;
  readonly operationModes?: readonly string[];
}

/** Asked only where a car may give back: what a charger does not know it is not bothered with. */
export function v2xVariables(evseIds: readonly number[]): readonly string[] {
  if (evseIds.length === 0) return [];
  const ofEvses = evseIds.flatMap((id) => [`${V2X}.Enabled#${id}`, `${V2X}.SupportedOperationModes#${id}`]);
  return [DYNAMIC_PROFILES, ...ofEvses];
}

/** Whether the station takes profiles of the kind Dynamic. */
export function dynamicProfilesFrom(variables: Variables): boolean | undefined {
  return booleanFrom(variables.get(DYNAMIC_PROFILES.toLowerCase())?.value);
}

/** By EVSE. */
export function v2xFrom(variables: Variables): Readonly<Record<string, V2xTraits>> | undefined {
  const found: Record<string, V2xTraits> = {};
  for (const [name, { value }] of variables) {
    const [, variable, evse] = /^v2xchargingctrlr\.(\w+)#(\d{1,6})$/.exec(name) ?? [];
    if (evse === undefined || value === undefined) continue;
    const enabled = variable === "enabled" ? booleanFrom(value) : undefined;
    found[evse] = {
      ...found[evse],
      ...(enabled === undefined ? {} : { enabled }),
      ...(variable === "supportedoperationmodes"
        ? { operationModes: value.split(",").map((mode) => mode.trim()) }
        : {}),
    };
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
