import { integerAt, type JsonRecord, recordsAt, textAt } from "../link/json.ts";
import type { Handled } from "./events.ts";

/** A part of the device model, from GetBaseReport. */
export function variablesReported(payload: JsonRecord): Handled {
  return reported(payload, recordsAt(payload, "reportData"));
}

/** Charging profiles of one EVSE and one source, from GetChargingProfiles; each row says which. */
export function profilesReported(payload: JsonRecord): Handled {
  const evseId = integerAt(payload, "evseId");
  const chargingLimitSource = textAt(payload, "chargingLimitSource");
  const rows = recordsAt(payload, "chargingProfile").map((profile) => ({ ...profile, evseId, chargingLimitSource }));
  return reported(payload, rows);
}

function reported(payload: JsonRecord, rows: readonly JsonRecord[]): Handled {
  const requestId = integerAt(payload, "requestId");
  if (requestId === undefined) return { answer: {}, events: [] };
  return { answer: {}, events: [{ kind: "report", requestId, rows, more: payload["tbc"] === true }] };
}
