import type { SecurityProfile } from "./door/security-profile.ts";
import type { Misconduct } from "./link/charger-link.ts";
import type { ChargerEvent } from "./messages/events.ts";
import type { Station } from "./station.ts";

/** Hears from all stations what concerns the security of the site. */
export interface StationWatcher {
  /** The charger told of a security event of its own. */
  onSecurityEvent(identity: string, event: Extract<ChargerEvent, { kind: "security" }>): void;
  /** A second connection came while the first one answered; `replaced` where it took its place. */
  onContested(identity: string, what: { readonly from: string; readonly replaced: boolean }): void;
  /** It came with less than it has come with before, which it may. */
  onLowerProfile(
    identity: string,
    what: { readonly from: string; readonly profile: SecurityProfile; readonly before: SecurityProfile },
  ): void;
  onMisconduct(identity: string, what: Misconduct, from: string | undefined): void;
  /** Its last connector was taken out of the site. */
  onVacant(station: Station): void;
}
