import type { DeviceIdentity } from "../../src/model/resource.ts";
import type { SecurityProfile } from "./door/security-profile.ts";
import type { BackendStatus } from "./proxy/backend-proxy.ts";
import type { OcppVersion } from "./version.ts";

/** A connection as it was let in. */
export interface Connection {
  readonly version: OcppVersion;
  /** Address it came from. */
  readonly from: string;
  /** Of OCPP: what the charger has shown, which may be more than it must. */
  readonly profile: SecurityProfile;
  readonly tls: boolean;
  /** Wall time, epoch ms. */
  readonly sinceMs: number;
}

/** One station as a technician sees it; what is not known is absent. */
export interface StationReport {
  readonly identity: string;
  readonly connectors: readonly number[];
  /** Least profile that it may come with. */
  readonly securityProfile: SecurityProfile;
  readonly connection?: Connection;
  /** What it said of itself when it last booted. */
  readonly device?: DeviceIdentity;
  /** Wall time of its last call, epoch ms. */
  readonly lastMessageMs?: number;
  /** Its clock minus ours, ms; 0 where it is right, or nothing is sure. */
  readonly clockSkewMs?: number;
  /** How the backend of its operator is doing; absent where it has none. */
  readonly backend?: BackendStatus;
}
