import { parseMeasurands, parseSeconds } from "../charger-settings.ts";
import type { ChargerControls } from "../dialect.ts";
import type { OcppVersion } from "../ocpp-version.ts";
import { SUPPORTED_MODES } from "../profiles/operation-mode.ts";

/** One variable of the device model of 2.x. */
export interface DeviceVariable {
  readonly component: string;
  readonly variable: string;
  /** Present for a component that belongs to an EVSE. */
  readonly evseId?: number;
  readonly dataType: "string" | "integer" | "decimal" | "boolean" | "MemberList" | "OptionList";
  readonly unit?: string;
  readonly maxLimit?: number;
  readonly valuesList?: string;
  readonly read: () => string;
  /** Absent where it is read-only. False refuses the value. */
  readonly write?: (value: string) => boolean;
}

/** The device model of this charger, over its live settings. */
export function deviceVariables(version: OcppVersion, controls: ChargerControls): readonly DeviceVariable[] {
  const evseIds = Array.from({ length: controls.bounds.connectors }, (_, index) => index + 1);
  return [
    ...stationVariables(version, controls),
    ...evseIds.flatMap((evseId) => evseVariables(controls, evseId)),
    ...controllerVariables(controls),
    ...smartChargingVariables(version, controls),
    ...(version === "2.1" ? v2xVariables(controls) : []),
  ];
}

function stationVariables(version: OcppVersion, { identity, bounds }: ChargerControls): readonly DeviceVariable[] {
  return [
    fixed("ChargingStation", "VendorName", "Simulated"),
    fixed("ChargingStation", "Model", version === "2.1" ? "Strict21" : "Strict201"),
    fixed("ChargingStation", "SerialNumber", identity),
    fixed("ChargingStation", "AvailabilityState", "Available"),
    fixed("ChargingStation", "Available", true),
    fixed("ChargingStation", "Problem", false),
    fixed("ChargingStation", "SupplyPhases", bounds.phases),
  ];
}

function evseVariables({ wiring, bounds, powerW }: ChargerControls, evseId: number): readonly DeviceVariable[] {
  const maxPowerW = wiring.maxA * wiring.voltageV * wiring.phases;
  const evse = { evseId };
  const dc = bounds.current === "DC";
  return [
    fixed("EVSE", "AvailabilityState", "Available", evse),
    fixed("EVSE", "Available", true, evse),
    fixed("EVSE", "SupplyPhases", wiring.phases, evse),
    fixed("EVSE", "Power", 0, {
      ...evse,
      dataType: "decimal",
      unit: "W",
      maxLimit: maxPowerW,
      read: () => powerW(evseId).toFixed(1),
    }),
    fixed("EVSE", "ACPhaseSwitchingSupported", bounds.switchesPhases, evse),
    fixed("Connector", "ConnectorType", dc ? "cCCS2" : "cType2", evse),
    fixed("Connector", "SupplyPhases", wiring.phases, evse),
  ];
}

function controllerVariables({ settings }: ChargerControls): readonly DeviceVariable[] {
  return [
    seconds(
      "OCPPCommCtrlr",
      "HeartbeatInterval",
      () => Math.round(settings.heartbeatMs / 1000),
      (value) => {
        settings.heartbeatMs = value * 1000;
      },
    ),
    seconds(
      "OCPPCommCtrlr",
      "WebSocketPingInterval",
      () => settings.webSocketPingS,
      (value) => {
        settings.webSocketPingS = value;
      },
    ),
    seconds(
      "SampledDataCtrlr",
      "TxUpdatedInterval",
      () => Math.ceil(settings.sampleIntervalMs / 1000),
      (value) => {
        settings.sampleIntervalMs = value * 1000;
      },
    ),
    fixed("SampledDataCtrlr", "TxUpdatedMeasurands", "", {
      dataType: "MemberList",
      valuesList: settings.measurable.join(","),
      read: () => settings.measurands.join(","),
      write: (text) => {
        const measurands = parseMeasurands(text, settings.measurable);
        if (measurands !== undefined) settings.measurands = measurands;
        return measurands !== undefined;
      },
    }),
    fixed("TxCtrlr", "EVConnectionTimeOut", 60, { unit: "s" }),
    fixed("TxCtrlr", "StopTxOnEVSideDisconnect", true),
    fixed("TxCtrlr", "StopTxOnInvalidId", true),
    fixed("LocalAuthListCtrlr", "Enabled", true),
    fixed("LocalAuthListCtrlr", "Available", true),
    fixed("ReservationCtrlr", "Enabled", true),
    fixed("ReservationCtrlr", "Available", true),
  ];
}

function smartChargingVariables(version: OcppVersion, { bounds }: ChargerControls): readonly DeviceVariable[] {
  const rows = [
    fixed("SmartChargingCtrlr", "Enabled", true),
    fixed("SmartChargingCtrlr", "Available", true),
    fixed("SmartChargingCtrlr", "Entries", bounds.maxProfiles, { maxLimit: bounds.maxProfiles }),
    fixed("SmartChargingCtrlr", "LimitChangeSignificance", 1, { dataType: "decimal", unit: "Percent" }),
    fixed("SmartChargingCtrlr", "PeriodsPerSchedule", bounds.maxPeriods),
    fixed("SmartChargingCtrlr", "Phases3to1", bounds.switchesPhases),
    fixed("SmartChargingCtrlr", "ACPhaseSwitchingSupported", bounds.switchesPhases),
    fixed("SmartChargingCtrlr", "ProfileStackLevel", bounds.maxStackLevel),
    fixed("SmartChargingCtrlr", "RateUnit", bounds.units.join(","), { dataType: "MemberList", valuesList: "A,W" }),
  ];
  if (version === "2.1") {
    rows.push(
      fixed("SmartChargingCtrlr", "SupportsDynamicProfiles", true),
      fixed("SmartChargingCtrlr", "SupportsMaxOfflineDuration", true),
      fixed("SmartChargingCtrlr", "SupportsUseLocalTime", false),
      fixed("SmartChargingCtrlr", "SupportsRandomizedDelay", false),
      fixed("SmartChargingCtrlr", "SupportsLimitAtSoC", false),
      fixed("SmartChargingCtrlr", "SupportsEvseSleep", false),
    );
  }
  return rows;
}

function v2xVariables({ bidirectional }: ChargerControls): readonly DeviceVariable[] {
  const modes = bidirectional ? SUPPORTED_MODES : ["ChargingOnly"];
  return [
    fixed("V2XChargingCtrlr", "Available", bidirectional),
    fixed("V2XChargingCtrlr", "Enabled", bidirectional),
    fixed("V2XChargingCtrlr", "SupportedOperationModes", modes.join(","), {
      dataType: "MemberList",
      valuesList: modes.join(","),
    }),
  ];
}

function fixed(
  component: string,
  variable: string,
  value: string | number | boolean,
  more: Partial<DeviceVariable> = {},
): DeviceVariable {
  return {
    component,
    variable,
    dataType: typeof value === "number" ? "integer" : typeof value === "boolean" ? "boolean" : "string",
    read: () => String(value),
    ...more,
  };
}

function seconds(
  component: string,
  variable: string,
  read: () => number,
  write: (seconds: number) => void,
): DeviceVariable {
  return fixed(component, variable, 0, {
    unit: "s",
    read: () => String(read()),
    write: (text) => {
      const value = parseSeconds(text);
      if (value !== undefined) write(value);
      return value !== undefined;
    },
  });
}
