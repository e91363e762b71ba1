/**
 * Error codes of CALLERROR and CALLRESULTERROR that mean the same. 1.6 says FormationViolation for what 2.x calls
 * FormatViolation, and the standards themselves spell Occurrence with one r and with two.
 */
const CANONICAL: Readonly<Record<string, string>> = {
  formationviolation: "FormatViolation",
  occurenceconstraintviolation: "OccurrenceConstraintViolation",
};

const KNOWN = [
  "FormatViolation",
  "GenericError",
  "InternalError",
  "MessageTypeNotSupported",
  "NotImplemented",
  "NotSupported",
  "OccurrenceConstraintViolation",
  "PropertyConstraintViolation",
  "ProtocolError",
  "RpcFrameworkError",
  "SecurityError",
  "TypeConstraintViolation",
] as const;

/** One spelling for each error code, whatever version, spelling and case a charger uses; others stay as they came. */
export function errorCodeFrom(text: string): string {
  const lower = text.trim().toLowerCase();
  return CANONICAL[lower] ?? KNOWN.find((code) => code.toLowerCase() === lower) ?? text;
}

/** True where a charger does not do an action at all; the two codes are mixed up too often to be told apart. */
export function isUnknownAction(code: string | undefined): boolean {
  return code === "NotImplemented" || code === "NotSupported";
}
