/**
 * What 2030.5-2018, 6.7 demands of TLS, with GCM for servers that lack CCM-8. OpenSSL from 3.2 on rates CCM-8's short tag
 * below its default level; what the level would keep out besides is kept out by version, curve and signatures.
 */
export const SEP_TLS = {
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
  ciphers: "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0",
  sigalgs: "ECDSA+SHA256:ECDSA+SHA384",
  ecdhCurve: "prime256v1",
} as const;
