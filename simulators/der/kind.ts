/** What a simulated DER is, by its name on the command line. */
export const DER_KINDS = ["solar", "battery", "evse"] as const;
export type DerKind = (typeof DER_KINDS)[number];
