import { integerAt, isRecord, type JsonRecord, recordAt } from "../link/json.ts";
import type { OcppVersion } from "../version.ts";
import type { Keeping } from "./upstream-queue.ts";

/**
 * What becomes of a call from the charger, beside its effect here.
 * - `ask`: the backend's answer is the charger's, if it comes in time; it is no use later
 * - `queue`: it is sent when it can be; with `waits` the charger's answer waits for the backend's
 * - `keep`: it stays here
 */
export type UpRule =
  | { readonly kind: "ask" }
  | { readonly kind: "queue"; readonly keeping: Keeping; readonly topic?: string; readonly waits: boolean }
  | { readonly kind: "keep" };

const KEEP: UpRule = { kind: "keep" };
const ASK: UpRule = { kind: "ask" };
const SAMPLE: UpRule = { kind: "queue", keeping: "sample", waits: false };

const RULES: Readonly<Record<string, UpRule>> = {
  // The backend hears a boot and a heartbeat from us: they belong to a connection, and the charger's ends here.
  BootNotification: KEEP,
  Heartbeat: KEEP,
  // The answer to a question of ours; the backend's own question about profiles is answered here.
  ReportChargingProfiles: KEEP,
  // A certificate for the connection that ends here.
  SignCertificate: KEEP,
  Authorize: ASK,
  DataTransfer: ASK,
  Get15118EVCertificate: ASK,
  GetCertificateStatus: ASK,
  GetCertificateChainStatus: ASK,
  VatNumberValidation: ASK,
  StartTransaction: { kind: "queue", keeping: "transaction", waits: true },
  StopTransaction: { kind: "queue", keeping: "transaction", waits: false },
};

/** Reports that belong to a request; the backend gets those that it asked for. */
const REPORTS = new Set([
  "NotifyReport",
  "NotifyMonitoringReport",
  "NotifyCustomerInformation",
  "NotifyDisplayMessages",
  "LogStatusNotification",
]);

export function upRule(action: string, payload: JsonRecord, askedIds: ReadonlySet<number>): UpRule {
  if (REPORTS.has(action)) {
    const requestId = integerAt(payload, "requestId");
    return requestId !== undefined && !askedIds.has(requestId) ? KEEP : SAMPLE;
  }
  if (action === "StatusNotification") {
    const place = integerAt(payload, "evseId") ?? integerAt(payload, "connectorId") ?? 0;
    return { kind: "queue", keeping: "latest", topic: `status/${place}`, waits: false };
  }
  if (action === "TransactionEvent") {
    return { kind: "queue", keeping: "transaction", waits: isRecord(payload["idToken"]) };
  }
  return Object.hasOwn(RULES, action) ? (RULES[action] ?? SAMPLE) : SAMPLE;
}

/** The backend's word on who may charge, put into our answer; our transaction id stays. */
export function mergedAnswer(version: OcppVersion, action: string, ours: JsonRecord, theirs: JsonRecord): JsonRecord {
  if (version !== "ocpp1.6" || action !== "StartTransaction") return theirs;
  const idTagInfo = recordAt(theirs, "idTagInfo");
  return { ...ours, ...(idTagInfo === undefined ? {} : { idTagInfo }) };
}
