import { type JsonRecord, recordAt, recordsAt, textAt } from "../link/json.ts";
import type { OcppVersion } from "../version.ts";

/**
 * What becomes of a call from the backend.
 * - `forward`: the charger answers it
 * - `profiles`: it sets a limit, which we keep and combine with the market's
 * - `refuse`: it would cut the charger off from this gateway; the answer says so
 */
export type DownRule =
  | { readonly kind: "forward" }
  | { readonly kind: "profiles" }
  | { readonly kind: "refuse"; readonly answer: JsonRecord; readonly why: string };

const PROFILES = new Set([
  "SetChargingProfile",
  "ClearChargingProfile",
  "GetChargingProfiles",
  "UpdateDynamicSchedule",
]);

/** Settings of a 1.6 charger's own connection, which ends here: the backend's password is not the one that it needs. */
const CONNECTION_KEYS = new Set(["authorizationkey", "securityprofile", "websocketpinginterval"]);

/** Variables of a 2.x station's own connection. */
const CONNECTION_COMPONENTS = new Set(["securityctrlr", "ocppcommctrlr"]);

const REFUSED = { status: "Rejected" };

export function downRule(version: OcppVersion, action: string, payload: JsonRecord): DownRule {
  if (PROFILES.has(action)) return { kind: "profiles" };
  if (action === "SetNetworkProfile") {
    return { kind: "refuse", answer: REFUSED, why: "the charger's connection ends at this gateway" };
  }
  if (version === "ocpp1.6" && action === "ChangeConfiguration") {
    const key = textAt(payload, "key")?.toLowerCase() ?? "";
    if (CONNECTION_KEYS.has(key)) {
      return { kind: "refuse", answer: REFUSED, why: `${key} belongs to the connection that ends at this gateway` };
    }
  }
  if (version !== "ocpp1.6" && action === "SetVariables") {
    const wanted = recordsAt(payload, "setVariableData");
    const ours = wanted.filter((one) =>
      CONNECTION_COMPONENTS.has(textAt(recordAt(one, "component") ?? {}, "name")?.toLowerCase() ?? ""),
    );
    // One answer for all of them: which of a mixed list was done would be hard to tell.
    if (ours.length > 0) {
      const setVariableResult = wanted.map((one) => ({
        attributeStatus: "Rejected",
        component: recordAt(one, "component") ?? {},
        variable: recordAt(one, "variable") ?? {},
      }));
      return { kind: "refuse", answer: { setVariableResult }, why: "the connection ends at this gateway" };
    }
  }
  return { kind: "forward" };
}

/**
 * What a charger answered, without what is ours: the password of its connection to this gateway is nothing for the backend.
 */
export function answerForBackend(version: OcppVersion, action: string, answer: JsonRecord): JsonRecord {
  if (version !== "ocpp1.6" || action !== "GetConfiguration") return answer;
  const keys = recordsAt(answer, "configurationKey");
  if (keys.length === 0) return answer;
  return {
    ...answer,
    configurationKey: keys.map((entry) => {
      if (textAt(entry, "key")?.toLowerCase() !== "authorizationkey") return entry;
      const { value: _ours, ...rest } = entry;
      return rest;
    }),
  };
}
