import { isLoopback } from "./loopback.ts";
import type { Config } from "./schema.ts";

/** Something that is allowed and that a technician should know before leaving the site. */
export interface FailsafeNote {
  readonly path: string;
  readonly note: string;
}

/** What a config allows that may be meant otherwise: open listeners, no signatures, no market. */
export function failsafeNotes(config: Config): readonly FailsafeNote[] {
  const notes: FailsafeNote[] = [];
  const { market } = config;
  if (market === undefined) {
    notes.push({ path: "market", note: "is not set: no setpoint will arrive" });
  } else {
    const isOpen = market.webhook !== undefined && !isLoopback(market.webhook.host);
    if ((isOpen || market.requireSignature === true) && market.trustedKeys.length === 0) {
      notes.push({ path: "market.trustedKeys", note: "is empty: every message of the market will be refused" });
    }
    if (market.signingKey === undefined) {
      notes.push({ path: "market.signingKey", note: "is not set: our messages go out unsigned" });
    }
  }
  if (!isLoopback(config.api.host)) {
    notes.push({ path: "api.host", note: "is not loopback: status and metrics are open to the network" });
  }
  if (config.site.maxImportKW === undefined && config.devices.length > 1) {
    notes.push({ path: "site.maxImportKW", note: "is not set: no fuse bounds the devices in sum" });
  }
  return notes;
}
