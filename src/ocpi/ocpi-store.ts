import type { OcpiObject } from "./ocpi-schemas.ts";
import type { OcpiModule, OcpiParty, OcpiVersion } from "./ocpi-version.ts";

/** `ours`: we made it and offer it. `theirs`: another party sent it. */
export type OcpiSide = "ours" | "theirs";

/** What names an object. Codes and id are compared without regard to case. */
export interface OcpiKey extends OcpiParty {
  readonly side: OcpiSide;
  readonly version: OcpiVersion;
  readonly module: OcpiModule;
  readonly id: string;
}

export interface OcpiQuery {
  readonly side: OcpiSide;
  readonly version: OcpiVersion;
  readonly module: OcpiModule;
  /** `last_updated` at or after this instant, epoch ms. */
  readonly fromMs?: number;
  /** `last_updated` before this instant. */
  readonly toMs?: number;
  readonly offset: number;
  readonly limit: number;
  /** False for an object that is not to be seen by who asks; it is not counted either. */
  readonly isVisible?: (object: OcpiObject) => boolean;
}

export interface OcpiPage {
  readonly objects: readonly OcpiObject[];
  /** All that match, not only those of this page. */
  readonly total: number;
}

/** How a peer that registered by the credentials handshake is known. Contains secrets. */
export interface OcpiRegistration {
  /** Name of the peer in the config. */
  readonly peer: string;
  readonly version: OcpiVersion;
  /** What the peer sends us. Absent after it has unregistered. */
  readonly tokenIn?: string;
  /** What we send to the peer. */
  readonly tokenOut?: string;
  readonly versionsUrl?: string;
  /** SHA-256 of the registration token that was used up; it opens nothing any more. */
  readonly usedTokenHash: string;
}

/**
 * Where OCPI objects are kept. A call that has resolved is as safe as the store promises.
 */
export interface OcpiStore extends AsyncDisposable {
  get(key: OcpiKey): OcpiObject | undefined;
  /** The oldest first, by when an object was first put, so that pages keep their place. */
  list(query: OcpiQuery): OcpiPage;
  /** @throws RangeError when the store is full */
  put(key: OcpiKey, object: OcpiObject): Promise<"created" | "replaced">;
  /** @returns false if there was nothing */
  remove(key: OcpiKey): Promise<boolean>;
  registration(peer: string): OcpiRegistration | undefined;
  register(registration: OcpiRegistration): Promise<void>;
}

/** Where an object stands among all, with a code for its key. */
export function keyText(key: OcpiKey): string {
  const { side, version, module, countryCode, partyId, id } = key;
  return [side, version, module, countryCode.toUpperCase(), partyId.toUpperCase(), id.toUpperCase()].join("\n");
}
