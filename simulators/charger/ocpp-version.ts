/** The versions of OCPP that the charger speaks, all as JSON over WebSocket. */
export const OCPP_VERSIONS = ["1.6", "2.0.1", "2.1"] as const;

export type OcppVersion = (typeof OCPP_VERSIONS)[number];

/** As offered in `Sec-WebSocket-Protocol`. */
export function subprotocolOf(version: OcppVersion): string {
  return `ocpp${version}`;
}
