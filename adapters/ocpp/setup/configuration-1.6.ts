import { type JsonRecord, recordsAt, textAt } from "../link/json.ts";
import type { Request } from "../messages/dialect.ts";
import type { FactNames } from "./traits.ts";
import type { Variable, Variables } from "./variable.ts";

/** Configuration keys of OCPP 1.6, chapter 9. */
export const CONFIGURATION_KEYS: FactNames = {
  rateUnits: "ChargingScheduleAllowedChargingRateUnit",
  maxStackLevel: "ChargeProfileMaxStackLevel",
  maxPeriods: "ChargingScheduleMaxPeriods",
  maxProfiles: "MaxChargingProfilesInstalled",
  connectors: "NumberOfConnectors",
  // The second is a vendor's own, which says the same.
  switchesPhases: ["ConnectorSwitch3to1PhaseSupported", "ACPhaseSwitchingSupported"],
  smartCharging: "SupportedFeatureProfiles",
  maxSampledMeasurands: "MeterValuesSampledDataMaxLength",
  maxAlignedMeasurands: "MeterValuesAlignedDataMaxLength",
  settings: {
    sampledMeasurands: "MeterValuesSampledData",
    sampleIntervalS: "MeterValueSampleInterval",
    alignedMeasurands: "MeterValuesAlignedData",
    alignedIntervalS: "ClockAlignedDataInterval",
    heartbeatIntervalS: "HeartbeatInterval",
    pingIntervalS: "WebSocketPingInterval",
  },
};

/** All of them in one question: a charger leaves out what it does not know, or lists it as unknown. */
export function configurationQuestion(): Request {
  const { settings, switchesPhases, ...single } = CONFIGURATION_KEYS;
  const [standard] = switchesPhases;
  return {
    action: "GetConfiguration",
    payload: { key: [...Object.values(single), standard, ...Object.values(settings)] },
  };
}

export function configurationFrom(answer: JsonRecord): Variables {
  const found = new Map<string, Variable>();
  for (const entry of recordsAt(answer, "configurationKey")) {
    const key = textAt(entry, "key");
    const value = textAt(entry, "value");
    const readOnly = entry["readonly"];
    if (key === undefined) continue;
    found.set(key.toLowerCase(), {
      ...(value === undefined ? {} : { value }),
      ...(typeof readOnly === "boolean" ? { readOnly } : {}),
    });
  }
  return found;
}
