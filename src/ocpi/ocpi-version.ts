/** The versions of OCPI that are spoken here, oldest first. */
export const OCPI_VERSIONS = ["2.2.1", "2.3.0"] as const;

export type OcpiVersion = (typeof OCPI_VERSIONS)[number];

/** The functional modules that are spoken here, in both directions. */
export const OCPI_MODULES = ["locations", "tariffs", "sessions", "cdrs"] as const;

export type OcpiModule = (typeof OCPI_MODULES)[number];

/** Who a party is. A CPO owns chargers and makes the objects of all four modules; an eMSP has drivers and takes them. */
export const OCPI_ROLES = ["CPO", "EMSP", "NSP", "SCSP", "OTHER"] as const;

/** A party of the network, named by two codes that are compared without regard to case (OCPI types, CiString). */
export interface OcpiParty {
  /** ISO 3166-1 alpha-2. */
  readonly countryCode: string;
  /** Three letters or digits. */
  readonly partyId: string;
}

/** True if both name the same party. */
export function isSameParty(a: OcpiParty, b: OcpiParty): boolean {
  return isSameText(a.countryCode, b.countryCode) && isSameText(a.partyId, b.partyId);
}

/** Compares as OCPI compares a CiString: ASCII letters without regard to case. */
export function isSameText(a: string, b: string): boolean {
  return a.toUpperCase() === b.toUpperCase();
}

export function isOcpiModule(text: string | undefined): text is OcpiModule {
  return OCPI_MODULES.some((module) => module === text);
}

export function isOcpiVersion(text: string | undefined): text is OcpiVersion {
  return OCPI_VERSIONS.some((version) => version === text);
}
