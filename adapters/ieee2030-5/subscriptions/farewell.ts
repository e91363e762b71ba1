import type { Log } from "../../../src/log.ts";
import type { AdapterMemory } from "../../kind.ts";
import type { Lfdi } from "../identity.ts";
import { EDEV_LIST } from "../server/paths.ts";
import { writeXml } from "../xml/xml-write.ts";
import { endingDocument } from "./notification-document.ts";
import { SUBSCRIPTIONS_KEY, Subscriptions } from "./subscriptions.ts";

export interface FarewellOptions {
  readonly memory: AdapterMemory;
  readonly isConfigured: (lfdi: Lfdi) => boolean;
  /** @returns the HTTP status of the answer */
  readonly post: (lfdi: Lfdi, notificationURI: string, body: string) => Promise<number>;
  readonly log: Log;
}

/**
 * Tells devices that are no longer in the config that their subscriptions have ended, and forgets those. Each is tried once:
 * a device that is not there finds out when it polls, and is refused.
 */
export async function sayFarewell({ memory, isConfigured, post, log }: FarewellOptions): Promise<void> {
  for (const key of memory.keys(SUBSCRIPTIONS_KEY)) {
    const lfdi = key.slice(SUBSCRIPTIONS_KEY.length);
    if (isConfigured(lfdi)) continue;
    for (const { id, terms } of new Subscriptions(memory, lfdi).items) {
      // Which number the device had is only in what it subscribed to.
      const owner = /^\/edev\/\d+/.exec(terms.resource)?.[0] ?? EDEV_LIST;
      const body = writeXml(endingDocument(terms.resource, `${owner}/sub/${id}`, "cancelled"));
      await post(lfdi, terms.notificationURI, body).catch((error: unknown) => {
        log.info("2030.5 device that was removed can't be told so", { lfdi, reason: String(error) });
      });
    }
    await memory.forget(key).catch(() => {});
  }
}
