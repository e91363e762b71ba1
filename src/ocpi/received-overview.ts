import { type CdrSettlement, settlementFromCdr } from "./cdr-settlement.ts";
import { resourcesOfLocation } from "./location-eras.ts";
import type { Cdr, OcpiLocation } from "./ocpi-objects.ts";
import type { OcpiStore } from "./ocpi-store.ts";
import { OCPI_VERSIONS } from "./ocpi-version.ts";

/** Objects of a module that an overview has at most: the newest. */
const MAX_SHOWN = 100;

/** What peers have told us, in our terms: resources with their power, and charges with what they cost. */
export interface OcpiOverview {
  readonly resources: readonly {
    readonly era: string;
    /** ≤ 0: what it may draw, kW, export positive. */
    readonly minPowerKW: number;
    readonly tariffIds: readonly string[];
  }[];
  readonly cdrs: readonly Omit<CdrSettlement, "lines">[];
  /** What could not be understood, for a person. */
  readonly faults: readonly string[];
}

export function receivedOverview(store: OcpiStore): OcpiOverview {
  const faults: string[] = [];
  const resources = newest(store, "locations").flatMap((object) => {
    const found = resourcesOfLocation(object as unknown as OcpiLocation, "qualified");
    faults.push(...found.faults);
    return found.resources.map(({ era, power, tariffIds }) => ({ era, minPowerKW: power.minPowerKW, tariffIds }));
  });
  const cdrs = newest(store, "cdrs").flatMap((object) => {
    try {
      const { lines: _lines, ...settlement } = settlementFromCdr(object as unknown as Cdr);
      return [settlement];
    } catch (error) {
      faults.push(`CDR ${String(object["id"])}: ${error instanceof Error ? error.message : "can't be read"}`);
      return [];
    }
  });
  return { resources, cdrs, faults };
}

function newest(store: OcpiStore, module: "locations" | "cdrs") {
  return OCPI_VERSIONS.flatMap((version) => {
    const query = { side: "theirs" as const, version, module };
    const { total } = store.list({ ...query, offset: 0, limit: 0 });
    return store.list({ ...query, offset: Math.max(0, total - MAX_SHOWN), limit: MAX_SHOWN }).objects;
  });
}
