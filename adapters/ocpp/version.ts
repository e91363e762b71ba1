/** The WebSocket subprotocols that are spoken here; the newer one is preferred where a charger offers both. */
export const OCPP_VERSIONS = ["ocpp2.0.1", "ocpp1.6"] as const;

export type OcppVersion = (typeof OCPP_VERSIONS)[number];
