import { ERA_PATTERN, type Era } from "../model/resource.ts";
import { type ConnectorPower, connectorPower } from "./connector-power.ts";
import type { OcpiConnector, OcpiEvse, OcpiLocation } from "./ocpi-objects.ts";

/**
 * - `connector`: `ocpi.location.LOC1/3256/1`, one for each connector; unique among the locations of one operator
 * - `qualified`: `ocpi.location.BE:BEC:LOC1/3256/1`, unique among all operators
 * - `location`: `ocpi.location.IN*ECO*BTM*01`, one for the whole location, the seed's own form
 */
export type EraForm = "connector" | "qualified" | "location";

/** A resource that a location names. */
export interface LocationResource {
  readonly era: Era;
  readonly power: ConnectorPower;
  readonly evseUid?: string;
  readonly connectorId?: string;
  /** Tariffs of the connector; of all its connectors for a whole location. */
  readonly tariffIds: readonly string[];
}

export interface LocationResources {
  readonly resources: readonly LocationResource[];
  /** What could not be mapped and why, for a person. Nothing else suffers from it. */
  readonly faults: readonly string[];
}

/** Statuses of an EVSE that is not there, or not yet. */
const ABSENT = new Set(["REMOVED", "PLANNED"]);

/**
 * The resources of a location. EVSEs that are removed or planned are none.
 *
 * An id is never altered to make it fit: one that an address cannot carry is reported in `faults`.
 */
export function resourcesOfLocation(location: OcpiLocation, form: EraForm): LocationResources {
  const present = (location.evses ?? []).filter(({ status }) => !ABSENT.has(status));
  return form === "location" ? wholeLocation(location, present) : connectors(location, present, form);
}

function connectors(location: OcpiLocation, evses: readonly OcpiEvse[], form: EraForm): LocationResources {
  const owner = form === "qualified" ? `${location.country_code}:${location.party_id}:` : "";
  const resources: LocationResource[] = [];
  const faults: string[] = [];
  for (const evse of evses) {
    for (const connector of evse.connectors) {
      const ids = [location.id, evse.uid, connector.id];
      const era = `ocpi.location.${owner}${ids.join("/")}`;
      const fault = eraFault(era, ids);
      const power = powerOf(connector, faults, era);
      if (fault !== undefined) faults.push(fault);
      if (fault !== undefined || power === undefined) continue;
      resources.push({
        era,
        power,
        evseUid: evse.uid,
        connectorId: connector.id,
        tariffIds: connector.tariff_ids ?? [],
      });
    }
  }
  return { resources, faults };
}

function wholeLocation(location: OcpiLocation, evses: readonly OcpiEvse[]): LocationResources {
  const era = `ocpi.location.${location.id}`;
  const fault = eraFault(era, [location.id]);
  if (fault !== undefined) return { resources: [], faults: [fault] };
  const faults: string[] = [];
  let minPowerKW = 0;
  let minRunKW = Infinity;
  const tariffIds = new Set<string>();
  for (const evse of evses) {
    // Only one connector of an EVSE can be used at a time, so its strongest counts.
    const powers = evse.connectors
      .map((connector) => powerOf(connector, faults, era))
      .filter((power) => power !== undefined);
    minPowerKW += Math.min(0, ...powers.map((power) => power.minPowerKW));
    minRunKW = Math.min(minRunKW, ...powers.map((power) => power.minRunKW ?? 0));
    for (const connector of evse.connectors) for (const id of connector.tariff_ids ?? []) tariffIds.add(id);
  }
  if (minPowerKW === 0) return { resources: [], faults: [...faults, `${era}: no connector in use`] };
  const power: ConnectorPower = {
    minPowerKW,
    maxPowerKW: 0,
    control: "limit",
    ...(minRunKW > 0 && Number.isFinite(minRunKW) && { minRunKW }),
  };
  return { resources: [{ era, power, tariffIds: [...tariffIds] }], faults };
}

function powerOf(connector: OcpiConnector, faults: string[], era: Era): ConnectorPower | undefined {
  try {
    return connectorPower(connector);
  } catch (error) {
    faults.push(`${era}: ${error instanceof Error ? error.message : "no power"}`);
    return undefined;
  }
}

function eraFault(era: Era, ids: readonly string[]): string | undefined {
  const bad = ids.find((id) => id.includes("/"));
  if (bad !== undefined && ids.length > 1) return `"${bad}" has a "/", which separates the ids of an address`;
  if (!ERA_PATTERN.test(era))
    return `"${era}" is not an Energy Resource Address: letters, digits and * _ . : @ / - only`;
  return undefined;
}
