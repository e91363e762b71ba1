/** How a charger shows who it is (security profiles 1 to 3 of OCPP). */
export interface Login {
  /** Basic authentication, with the identity as the user. Bytes go as they are. */
  readonly password?: string | Uint8Array;
  /** Authorities that the CSMS's certificate is held against, PEM; absent means those of the system. */
  readonly ca?: string;
  /** The charger's own certificate and key, PEM, for mutual TLS. */
  readonly cert?: string;
  readonly key?: string;
}
