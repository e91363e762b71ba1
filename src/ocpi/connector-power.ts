import type { Capability } from "../model/resource.ts";
import type { OcpiConnector, PowerType } from "./ocpi-objects.ts";

/** What OCPI tells of a connector's power, kW, export positive. How it fails safe and how fast it is OCPI does not tell. */
export type ConnectorPower = Pick<Capability, "minPowerKW" | "maxPowerKW" | "minRunKW" | "control">;

/** Least current at which a car charges with AC (IEC 61851-1, annex A). */
const MIN_CHARGE_A = 6;

/** Conductors by which `max_voltage` times `max_amperage` counts. */
const PHASES: Readonly<Record<PowerType, number>> = {
  AC_1_PHASE: 1,
  AC_2_PHASE: 2,
  // Both legs carry the same current and the voltage may be meant across them, so 1 never promises too much.
  AC_2_PHASE_SPLIT: 1,
  AC_3_PHASE: 3,
  DC: 1,
};

/**
 * The power of a connector: `max_electric_power` where it is given, since it is there for the case that volts times amps
 * say too much; else volts times amps times phases. A car only takes: OCPI has no field that says it may feed back.
 * @throws RangeError if the numbers give no power
 */
export function connectorPower(connector: OcpiConnector): ConnectorPower {
  const { power_type, max_voltage, max_amperage, max_electric_power } = connector;
  const phases = PHASES[power_type];
  const chargeW = max_electric_power ?? max_voltage * max_amperage * phases;
  if (!(chargeW > 0 && Number.isFinite(chargeW))) {
    throw new RangeError(`connector ${connector.id}: ${max_voltage} V and ${max_amperage} A give no power`);
  }
  const minRunKW = (MIN_CHARGE_A * max_voltage * phases) / 1000;
  return {
    minPowerKW: gridPowerFromChargeKW(chargeW / 1000),
    maxPowerKW: 0,
    control: "limit",
    ...(power_type !== "DC" && minRunKW > 0 && minRunKW <= chargeW / 1000 && { minRunKW }),
  };
}

/** OCPI counts what flows into the car as positive; here generation is. */
export function gridPowerFromChargeKW(chargeKW: number): number {
  return chargeKW === 0 ? 0 : -chargeKW;
}
