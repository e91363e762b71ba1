import type { Availability } from "./reading.ts";
import type { Capability, Era, ResourceKind } from "./resource.ts";

/** Bounds on a site's or a device's power, kW magnitudes. An absent bound is none, and 0 forbids. */
export interface PowerEnvelope {
  /** Most that may flow in at the connection point, net of what is generated behind it. */
  readonly importKW?: number;
  /** Most that may flow out at the connection point, net of what is consumed behind it. */
  readonly exportKW?: number;
  /** Most that all may consume together; generation behind the connection point gives no more room. */
  readonly loadKW?: number;
  /** Most that all may generate together; consumption behind the connection point gives no more room. */
  readonly generationKW?: number;
}

/**
 * Which of a site's devices a utility's order is for: `der`, all that can generate (all devices of a site that has none), or
 * `storage`.
 */
export type OrderedDevices = "der" | "storage";

/** What a utility's server allows and asks of the site, or of one device. */
export interface UtilityDemand extends PowerEnvelope {
  /** Absent: the whole site. */
  readonly era?: Era;
  /** Powers to hold whatever the market says, kW, export positive; a site's is shared out over its devices. */
  readonly orders?: readonly { readonly of: OrderedDevices; readonly powerKW: number }[];
  /** For a person, in the protocol's own terms: "opModExpLimW 1500 W of event 0A1F (primacy 1)". */
  readonly detail: string;
}

/** How the site stands with the utility's server. */
export interface UtilityLink {
  readonly server: string;
  readonly linkUp: boolean;
  readonly linkDetail: string;
}

/** One device as a utility may know it: what it can do, and what it does. kW, export positive; absent is not zero. */
export interface MeteredDevice {
  readonly era: Era;
  readonly kind: ResourceKind;
  readonly linkUp: boolean;
  readonly capability?: Capability;
  readonly availability?: Availability;
  readonly powerKW?: number;
  /** What the device says it could generate at most now; its availability may be no more than its rating. */
  readonly offeredKW?: number;
  /** What it was told to hold; absent where it is left to itself. */
  readonly targetKW?: number;
  readonly reactivePowerKvar?: number;
  readonly socPercent?: number;
  readonly voltageV?: number;
}

/** What a client of a utility's server needs of the site. */
export interface UtilityPort {
  /** What the utility demands from now on, in place of all that it demanded before. */
  oblige(demands: readonly UtilityDemand[]): void;
  /** How the link to its server is; shown to a person. */
  link(link: UtilityLink): void;
  devices(): readonly MeteredDevice[];
}
