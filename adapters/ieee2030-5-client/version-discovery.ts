import { z } from "zod";
import type { CsipAus } from "./der-documents.ts";
import { UtilityFault } from "./utility-fault.ts";

/** Where a server of CSIP-AUS says which editions it speaks, and where each begins. */
const WELL_KNOWN = "/.well-known/csipaus";
/** The name of an edition there. */
const EDITIONS: Readonly<Record<CsipAus, string | undefined>> = {
  none: undefined,
  "1.2": "https://csipaus.org/ns/v1.2",
  "1.3": "https://csipaus.org/ns/v1.3",
};
const MOST_SHOWN = 5;

const versions = z.object({
  supportedSchemaVersions: z.record(
    z.string().max(200),
    z.object({ dcap: z.array(z.string().min(1).max(2000)).max(100) }),
  ),
});

/** True for an address that is no DeviceCapability but says where they are. */
export function isDiscovery(url: string): boolean {
  return new URL(url).pathname === WELL_KNOWN;
}

/**
 * The DeviceCapability of our own edition; one of another is never touched.
 * @throws UtilityFault where the document is none, or has no place for our edition
 */
export function capabilityFor(csipAus: CsipAus, document: unknown): string {
  const parsed = versions.safeParse(document);
  if (!parsed.success) throw new UtilityFault(`${WELL_KNOWN}: ${z.prettifyError(parsed.error)}`);
  const { supportedSchemaVersions: offered } = parsed.data;
  const edition = EDITIONS[csipAus];
  const [first] = edition === undefined ? [] : (offered[edition]?.dcap ?? []);
  if (first !== undefined) return first;
  const names = Object.keys(offered).slice(0, MOST_SHOWN).join(", ");
  throw new UtilityFault(`the server has no DeviceCapability for CSIP-AUS ${csipAus}; it names ${names || "none"}`);
}
