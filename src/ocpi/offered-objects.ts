import { OCPI_STATUS, OcpiFault } from "./ocpi-fault.ts";
import type { OcpiReply, OcpiRequest } from "./ocpi-message.ts";
import { PAGE_LIMITS, pageHeaders, pageQueryOf } from "./ocpi-paging.ts";
import { type OcpiPeer, speaksFor } from "./ocpi-peers.ts";
import type { OcpiObject } from "./ocpi-schemas.ts";
import type { OcpiStore } from "./ocpi-store.ts";
import { isSameText, type OcpiModule, type OcpiParty, type OcpiVersion } from "./ocpi-version.ts";

/** The Sender interface of a module: what we have, for others to read. */
export function offer(
  store: OcpiStore,
  us: OcpiParty,
  version: OcpiVersion,
  module: OcpiModule,
  request: OcpiRequest,
): OcpiReply {
  if (request.method !== "GET") throw methodNotAllowed("GET");
  if (request.ids.length === 0) return offerPage(store, version, module, request);
  if (module !== "locations" || request.ids.length > 3) {
    throw new OcpiFault(OCPI_STATUS.clientError, "there is no such endpoint", { httpStatus: 404 });
  }
  const [id = "", ...parts] = request.ids;
  const location = store.get({ side: "ours", version, module, ...us, id });
  const found = location && partOf(location, parts);
  if (found === undefined) throw unknownObject("locations");
  return { data: found };
}

function offerPage(store: OcpiStore, version: OcpiVersion, module: OcpiModule, request: OcpiRequest): OcpiReply {
  const most = PAGE_LIMITS[module];
  const query = pageQueryOf(request.query, most);
  const { objects, total } = store.list({
    side: "ours",
    version,
    module,
    ...query,
    isVisible: (object) => isFor(request.peer, module, object),
  });
  return { data: objects, headers: pageHeaders(request.url, request.query, { ...query, most, total }) };
}

/** Sessions and CDRs are of a driver and go to that driver's provider only; locations and tariffs are for all. */
function isFor(peer: OcpiPeer, module: OcpiModule, object: OcpiObject): boolean {
  if (module === "locations" || module === "tariffs") return true;
  const { country_code: countryCode, party_id: partyId } = object["cdr_token"] as Record<string, string>;
  return countryCode !== undefined && partyId !== undefined && speaksFor(peer, { countryCode, partyId });
}

/** The location itself, one of its EVSEs, or a connector of that. */
export function partOf(location: OcpiObject, [evseUid, connectorId]: readonly string[]): OcpiObject | undefined {
  if (evseUid === undefined) return location;
  const evse = itemOf(location["evses"], "uid", evseUid);
  if (evse === undefined || connectorId === undefined) return evse;
  return itemOf(evse["connectors"], "id", connectorId);
}

function itemOf(list: unknown, field: "uid" | "id", id: string): OcpiObject | undefined {
  return ((list ?? []) as OcpiObject[]).find((item) => isSameText(String(item[field]), id));
}

/** 404, since there is nothing at the address; 2003 for a location (status_codes chapter). */
export function unknownObject(module: OcpiModule): OcpiFault {
  const code = module === "locations" ? OCPI_STATUS.unknownLocation : OCPI_STATUS.invalidParameters;
  return new OcpiFault(code, `there is no such object in ${module}`, { httpStatus: 404 });
}

export function methodNotAllowed(allow: string): OcpiFault {
  return new OcpiFault(OCPI_STATUS.clientError, `only ${allow} is possible here`, {
    httpStatus: 405,
    headers: { allow },
  });
}
