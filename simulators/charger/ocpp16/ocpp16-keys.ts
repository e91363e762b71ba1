import { parseMeasurands, parseSeconds } from "../charger-settings.ts";
import type { ChargerControls } from "../dialect.ts";

/** One configuration key of 1.6 (§9). */
export interface ConfigurationKey {
  readonly key: string;
  readonly read: () => string;
  /** Absent where it is read-only. False refuses the value. */
  readonly write?: (value: string) => boolean;
}

const UNIT_NAMES = { A: "Current", W: "Power" } as const;

/** The keys of this charger, over its live settings. */
export function configurationKeys(controls: ChargerControls): readonly ConfigurationKey[] {
  const { settings, bounds } = controls;
  const fixed = (key: string, value: string | number | boolean): ConfigurationKey => ({
    key,
    read: () => String(value),
  });
  const seconds = (key: string, read: () => number, write: (seconds: number) => void): ConfigurationKey => ({
    key,
    read: () => String(read()),
    write: (text) => {
      const value = parseSeconds(text);
      if (value !== undefined) write(value);
      return value !== undefined;
    },
  });
  return [
    fixed("AuthorizeRemoteTxRequests", false),
    fixed("ChargeProfileMaxStackLevel", bounds.maxStackLevel),
    fixed("ChargingScheduleAllowedChargingRateUnit", bounds.units.map((unit) => UNIT_NAMES[unit]).join(",")),
    fixed("ChargingScheduleMaxPeriods", bounds.maxPeriods),
    fixed("ClockAlignedDataInterval", 0),
    fixed("ConnectionTimeOut", 60),
    fixed("ConnectorPhaseRotation", phaseRotation(controls)),
    fixed("ConnectorSwitch3to1PhaseSupported", bounds.switchesPhases),
    fixed("GetConfigurationMaxKeys", 50),
    seconds(
      "HeartbeatInterval",
      () => Math.round(settings.heartbeatMs / 1000),
      (value) => {
        settings.heartbeatMs = value * 1000;
      },
    ),
    fixed("LocalAuthListEnabled", true),
    fixed("LocalAuthListMaxLength", controls.localList.maxEntries),
    fixed("LocalAuthorizeOffline", true),
    fixed("LocalPreAuthorize", false),
    fixed("MaxChargingProfilesInstalled", bounds.maxProfiles),
    seconds(
      "MeterValueSampleInterval",
      () => Math.ceil(settings.sampleIntervalMs / 1000),
      (value) => {
        settings.sampleIntervalMs = value * 1000;
      },
    ),
    {
      key: "MeterValuesSampledData",
      read: () => settings.measurands.join(","),
      write: (text) => {
        const measurands = parseMeasurands(text, settings.measurable);
        if (measurands !== undefined) settings.measurands = measurands;
        return measurands !== undefined;
      },
    },
    fixed("MeterValuesSampledDataMaxLength", settings.measurable.length),
    fixed("NumberOfConnectors", bounds.connectors),
    fixed("ReserveConnectorZeroSupported", false),
    fixed("SendLocalListMaxLength", controls.localList.maxEntries),
    fixed("StopTransactionOnEVSideDisconnect", true),
    fixed("StopTransactionOnInvalidId", true),
    fixed("SupportedFeatureProfiles", "Core,SmartCharging,RemoteTrigger,Reservation,LocalAuthListManagement"),
    seconds(
      "WebSocketPingInterval",
      () => settings.webSocketPingS,
      (value) => {
        settings.webSocketPingS = value;
      },
    ),
  ];
}

/** `RST` per connector where there are three conductors, as 1.6 writes it. */
function phaseRotation({ wiring, bounds }: ChargerControls): string {
  const turn = wiring.phases === 3 ? "RST" : "NotApplicable";
  return Array.from({ length: bounds.connectors + 1 }, (_, connectorId) => `${connectorId}.${turn}`).join(",");
}
