/** The version and the curve that 2030.5-2018, 6.7 demands of TLS, for both ends. */
export const SEP_TLS = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2", ecdhCurve: "prime256v1" } as const;

/**
 * The cipher that 2030.5-2018, 6.7 demands, and GCM for devices whose library lacks CCM-8. OpenSSL from 3.2 on rates CCM-8's
 * short tag below its default level; what the level would keep out besides (weak keys, weak hashes) is kept out by the
 * version, the curve and the signature algorithms.
 */
export const SEP_CIPHERS = "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0";

/** The same as a client says them: servers that lack CCM-8 often take the longer key alone. */
export const SEP_CLIENT_CIPHERS =
  "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0";

export const SEP_SIGNATURES = "ECDSA+SHA256:ECDSA+SHA384";
