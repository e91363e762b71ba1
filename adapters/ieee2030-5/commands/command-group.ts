/** `setpointd 2030.5 ...`: the standard's own number, since the names in the config are only for the config. */
export const SEP2_GROUP = {
  name: "2030.5",
  summary: "IEEE 2030.5: certificates, identities, servers, controls",
} as const;
