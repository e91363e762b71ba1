import { invalidParameters, OCPI_STATUS, OcpiFault } from "./ocpi-fault.ts";
import type { OcpiReply, OcpiRequest } from "./ocpi-message.ts";
import { speaksFor } from "./ocpi-peers.ts";
import { checkLocationPart, checkObject, type OcpiObject } from "./ocpi-schemas.ts";
import type { OcpiKey, OcpiStore } from "./ocpi-store.ts";
import { isSameText, type OcpiModule, type OcpiVersion } from "./ocpi-version.ts";
import { methodNotAllowed, partOf, unknownObject } from "./offered-objects.ts";

/** What changed in what others told us. `object` is absent when it was deleted. */
export interface OcpiChange {
  readonly key: OcpiKey;
  readonly peer: string;
  readonly object?: OcpiObject;
}

/** Methods of the Receiver interface (each module's own table). */
const METHODS: Readonly<Record<OcpiModule, readonly string[]>> = {
  locations: ["GET", "PUT", "PATCH"],
  tariffs: ["GET", "PUT", "DELETE"],
  sessions: ["GET", "PUT", "PATCH"],
  cdrs: ["GET", "POST"],
};

/** The Receiver interface of a module: what its owner, the operator, tells us. */
export class ReceivedObjects {
  readonly #store: OcpiStore;
  readonly #changed: (change: OcpiChange) => void;
  /** One change of an object at a time: a PATCH reads before it writes. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(store: OcpiStore, changed: (change: OcpiChange) => void) {
    this.#store = store;
    this.#changed = changed;
  }

  /** @throws OcpiFault */
  async receive(version: OcpiVersion, module: OcpiModule, request: OcpiRequest): Promise<OcpiReply> {
    const { method } = request;
    if (!METHODS[module].includes(method)) throw methodNotAllowed(METHODS[module].join(", "));
    if (method === "POST") return this.#post(version, request);
    const key = ownedKey(version, module, request);
    if (method === "GET") return { data: this.#existing(key, request) };
    const name = `${module} ${key.countryCode} ${key.partyId} ${key.id}`.toUpperCase();
    return this.#inTurn(name, () => {
      if (method === "PUT") return this.#put(key, request);
      return method === "PATCH" ? this.#patch(key, request) : this.#delete(key, request);
    });
  }

  async #put(key: OcpiKey, request: OcpiRequest): Promise<OcpiReply> {
    if (request.ids.length > 3) return this.#change(key, request, { kind: "put", body: request.body });
    const object = checkObject(key.version, key.module, request.body);
    checkSameAsPath(key, object);
    return this.#keep(key, request, object);
  }

  async #patch(key: OcpiKey, request: OcpiRequest): Promise<OcpiReply> {
    const { body } = request;
    if (typeof body !== "object" || body === null || Array.isArray(body))
      throw invalidParameters("the body must be an object");
    if ((body as OcpiObject)["last_updated"] === undefined)
      throw invalidParameters("last_updated: is required in a PATCH");
    return this.#change(key, request, { kind: "patch", body: body as OcpiObject });
  }

  /** Changes a part of what is there: a field, an EVSE, a connector. */
  async #change(
    key: OcpiKey,
    request: OcpiRequest,
    change: { kind: "put"; body: unknown } | { kind: "patch"; body: OcpiObject },
  ): Promise<OcpiReply> {
    const before = this.#store.get(key);
    if (before === undefined) throw unknownObject(key.module);
    const [, , , evseUid, connectorId] = request.ids;
    const isNew = partOf(before, request.ids.slice(3)) === undefined;
    if (isNew && change.kind === "patch") throw unknownObject(key.module);
    const changed = replacePart(before, evseUid, connectorId, (part, kind) => {
      const after = change.kind === "put" ? change.body : merged(part, change.body, key.module);
      if (kind === "object") return after as OcpiObject;
      const checked = checkLocationPart(kind, after);
      const own = kind === "evse" ? "uid" : "id";
      const inPath = kind === "evse" ? evseUid : connectorId;
      if (!isSameText(String(checked[own]), inPath ?? ""))
        throw invalidParameters(`${own}: is not the one in the path`);
      return checked;
    });
    const object = checkObject(key.version, key.module, changed);
    checkSameAsPath(key, object);
    const reply = await this.#keep(key, request, object);
    return change.kind === "put" && isNew ? { ...reply, httpStatus: 201 } : reply;
  }

  async #delete(key: OcpiKey, request: OcpiRequest): Promise<OcpiReply> {
    if (!(await this.#store.remove(key))) throw unknownObject(key.module);
    this.#changed({ key, peer: request.peer.config.name });
    return {};
  }

  /** A CDR is final: the same one again is the same answer, another one under its id is refused. */
  async #post(version: OcpiVersion, request: OcpiRequest): Promise<OcpiReply> {
    if (request.ids.length > 0) throw methodNotAllowed("GET");
    const object = checkObject(version, "cdrs", request.body);
    const [countryCode, partyId, id] = [object["country_code"], object["party_id"], object["id"]].map(String) as Names;
    if (object["credit"] !== true && id.length > 36)
      throw invalidParameters("id: longer than 36 letters only for a credit");
    const key: OcpiKey = { side: "theirs", version, module: "cdrs", countryCode, partyId, id };
    if (!speaksFor(request.peer, key))
      throw invalidParameters(`${countryCode}*${partyId}: is not a party of this token`);
    const headers = { Location: [request.url, ...[countryCode, partyId, id].map(encodeURIComponent)].join("/") };
    return this.#inTurn(`cdrs ${countryCode} ${partyId} ${id}`.toUpperCase(), async () => {
      const before = this.#store.get(key);
      if (before !== undefined && !isSame(before, object)) {
        throw invalidParameters(`id: CDR ${id} is there already with other content; CDRs can't change, send a credit`);
      }
      if (before !== undefined) return { headers };
      return { ...(await this.#keep(key, request, object)), headers };
    });
  }

  async #keep(key: OcpiKey, request: OcpiRequest, object: OcpiObject): Promise<OcpiReply> {
    let outcome: "created" | "replaced";
    try {
      outcome = await this.#store.put(key, object);
    } catch (error) {
      const reason = error instanceof RangeError ? error.message : "it can't be stored now";
      throw new OcpiFault(OCPI_STATUS.serverError, reason, { cause: error });
    }
    this.#changed({ key, peer: request.peer.config.name, object });
    return { httpStatus: outcome === "created" ? 201 : 200 };
  }

  #existing(key: OcpiKey, request: OcpiRequest): OcpiObject {
    const object = this.#store.get(key);
    const part = object && partOf(object, request.ids.slice(3));
    if (part === undefined) throw unknownObject(key.module);
    return part;
  }

  async #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name);
    const turn = (async () => {
      await before?.catch(() => {});
      return work();
    })();
    this.#turns.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    }
  }
}

type Names = [string, string, string];

/** Key from `{country_code}/{party_id}/{id}`. 404 for a party that the token is not of, as the standard allows. */
function ownedKey(version: OcpiVersion, module: OcpiModule, request: OcpiRequest): OcpiKey {
  const [countryCode, partyId, id] = request.ids;
  const most = module === "locations" ? 5 : 3;
  if (countryCode === undefined || partyId === undefined || id === undefined || request.ids.length > most) {
    throw new OcpiFault(OCPI_STATUS.clientError, "expected {country_code}/{party_id}/{id}", { httpStatus: 404 });
  }
  if (!speaksFor(request.peer, { countryCode, partyId })) {
    throw new OcpiFault(OCPI_STATUS.clientError, `${countryCode}*${partyId}: is not a party of this token`, {
      httpStatus: 404,
    });
  }
  return { side: "theirs", version, module, countryCode, partyId, id };
}

function checkSameAsPath(key: OcpiKey, object: OcpiObject): void {
  const expected = { country_code: key.countryCode, party_id: key.partyId, id: key.id };
  for (const [field, value] of Object.entries(expected)) {
    if (!isSameText(String(object[field]), value)) throw invalidParameters(`${field}: is not the one in the path`);
  }
}

/**
 * Fields that are given replace those that are there; null takes an optional one away. Charging periods of a session
 * are added to those that are there (sessions module, PATCH); one that is there already, as after a repeated request,
 * is not added again.
 */
function merged(before: OcpiObject | undefined, patch: OcpiObject, module: OcpiModule): OcpiObject {
  const after: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete after[name];
    else after[name] = value;
  }
  if (module === "sessions" && Array.isArray(patch["charging_periods"])) {
    const there = (before?.["charging_periods"] ?? []) as unknown[];
    const known = new Set(there.map((period) => JSON.stringify(sorted(period))));
    const added = patch["charging_periods"].filter((period) => !known.has(JSON.stringify(sorted(period))));
    after["charging_periods"] = [...there, ...added];
  }
  return after;
}

/**
 * The location with one part changed; `last_updated` of the part goes to all that contain it (locations module).
 * Without an EVSE it is the whole object that changes.
 */
function replacePart(
  object: OcpiObject,
  evseUid: string | undefined,
  connectorId: string | undefined,
  change: (part: OcpiObject | undefined, kind: "object" | "evse" | "connector") => OcpiObject,
): OcpiObject {
  if (evseUid === undefined) return change(object, "object");
  const evse = partOf(object, [evseUid]);
  if (connectorId === undefined) {
    const after = change(evse, "evse");
    return { ...object, evses: replaced(object["evses"], evse, after), last_updated: after["last_updated"] };
  }
  if (evse === undefined) throw unknownObject("locations");
  const connector = partOf(object, [evseUid, connectorId]);
  const after = change(connector, "connector");
  const last_updated = after["last_updated"];
  const parent = { ...evse, connectors: replaced(evse["connectors"], connector, after), last_updated };
  return { ...object, evses: replaced(object["evses"], evse, parent), last_updated };
}

function replaced(list: unknown, before: OcpiObject | undefined, after: OcpiObject): OcpiObject[] {
  const items = (list ?? []) as OcpiObject[];
  return before === undefined ? [...items, after] : items.map((item) => (item === before ? after : item));
}

function isSame(a: OcpiObject, b: OcpiObject): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** The order of fields means nothing in JSON. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sorted((value as OcpiObject)[name])]));
}
