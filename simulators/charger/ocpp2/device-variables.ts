import { parseMeasurands, parseSeconds } from "../charger-settings.ts";
import type { ChargerControls } from "../dialect.ts";
import { MEASURANDS } from "../power/meter-sample.ts";

/** One variable of the device model of 2.0.1. */
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
export function deviceVariables(controls: ChargerControls): readonly DeviceVariable[] {
  const { settings, bounds, wiring } = controls;
  const fixed = (
    component: string,
    variable: string,
    value: string | number | boolean,
    more: Partial<DeviceVariable> = {},
  ): DeviceVariable => ({
    component,
    variable,
    dataType: typeof value === "number" ? "integer" : typeof value === "boolean" ? "boolean" : "string",
    read: () => String(value),
    ...more,
  });
  const seconds = (component: string, variable: string, read: () => number, write: (seconds: number) => void) =>
    fixed(component, variable, 0, {
      unit: "s",
      read: () => String(read()),
      write: (text) => {
        const value = parseSeconds(text);
        if (value !== undefined) write(value);
        return value !== undefined;
      },
    });
  const evse = { evseId: 1 };
  const maxPowerW = wiring.maxA * wiring.voltageV * wiring.phases;
  return [
    fixed("ChargingStation", "VendorName", "Simulated"),
    fixed("ChargingStation", "Model", "Strict201"),
    fixed("ChargingStation", "SerialNumber", controls.identity),
    fixed("ChargingStation", "AvailabilityState", "Available"),
    fixed("ChargingStation", "Available", true),
    fixed("ChargingStation", "Problem", false),
    fixed("ChargingStation", "SupplyPhases", wiring.phases),
    fixed("EVSE", "AvailabilityState", "Available", evse),
    fixed("EVSE", "Available", true, evse),
    fixed("EVSE", "SupplyPhases", wiring.phases, evse),
    fixed("EVSE", "Power", maxPowerW, { ...evse, dataType: "decimal", unit: "W", maxLimit: maxPowerW }),
    fixed("Connector", "ConnectorType", "cType2", evse),
    fixed("Connector", "SupplyPhases", wiring.phases, evse),
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
      valuesList: MEASURANDS.join(","),
      read: () => settings.measurands.join(","),
      write: (text) => {
        const measurands = parseMeasurands(text);
        if (measurands !== undefined) settings.measurands = measurands;
        return measurands !== undefined;
      },
    }),
    fixed("SmartChargingCtrlr", "Enabled", true),
    fixed("SmartChargingCtrlr", "Available", true),
    fixed("SmartChargingCtrlr", "Entries", bounds.maxProfiles, { maxLimit: bounds.maxProfiles }),
    fixed("SmartChargingCtrlr", "LimitChangeSignificance", 1, { dataType: "decimal", unit: "Percent" }),
    fixed("SmartChargingCtrlr", "PeriodsPerSchedule", bounds.maxPeriods),
    fixed("SmartChargingCtrlr", "Phases3to1", wiring.phases === 3),
    fixed("SmartChargingCtrlr", "ProfileStackLevel", bounds.maxStackLevel),
    fixed("SmartChargingCtrlr", "RateUnit", bounds.units.join(","), { dataType: "MemberList", valuesList: "A,W" }),
    fixed("TxCtrlr", "EVConnectionTimeOut", 60, { unit: "s" }),
    fixed("TxCtrlr", "StopTxOnEVSideDisconnect", true),
    fixed("TxCtrlr", "StopTxOnInvalidId", true),
  ];
}
