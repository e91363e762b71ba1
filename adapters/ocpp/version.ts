/** The WebSocket subprotocols that are spoken here; where a charger offers several, the newest is taken. */
export const OCPP_VERSIONS = ["ocpp2.1", "ocpp2.0.1", "ocpp1.6"] as const;

export type OcppVersion = (typeof OCPP_VERSIONS)[number];

/** As people write it: `OCPP 2.0.1`. */
export function versionName(version: OcppVersion): string {
  return `OCPP ${version.slice("ocpp".length)}`;
}
