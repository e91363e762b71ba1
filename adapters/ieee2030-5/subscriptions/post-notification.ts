import { request } from "node:https";
import { type Clock, withDeadline } from "../../../src/clock.ts";
import { type Lfdi, lfdiFromCertificate } from "../identity.ts";
import { SEP_CIPHERS, SEP_TLS } from "../sep-tls.ts";
import { SEP_XML } from "../server/media-type.ts";
import type { TlsFiles } from "../server/tls-files.ts";

const DEADLINE_MS = 10_000;

/** Where a Notification goes, and who has to be there. */
export interface Addressee {
  readonly uri: string;
  readonly lfdi: Lfdi;
}

/**
 * POSTs one Notification and waits for the status of the answer; what else it says is not read. The certificates of devices
 * name no host, so instead of a name their own LFDI is what has to be right.
 *
 * @throws Error when nobody is there, or somebody else, or no answer comes in time
 */
export async function postNotification(
  { uri, lfdi }: Addressee,
  body: string,
  tls: TlsFiles,
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  return await withDeadline(clock, DEADLINE_MS, signal, async (deadline) => {
    return await new Promise<number>((resolve, reject) => {
      const outgoing = request(
        uri,
        {
          ...tls,
          method: "POST",
          agent: false,
          signal: deadline,
          ...SEP_TLS,
          ciphers: SEP_CIPHERS,
          // The chain was checked before; this is only about whose certificate it is.
          checkServerIdentity: (_host, certificate) => {
            const found = lfdiFromCertificate(certificate.raw);
            return found === lfdi ? undefined : new Error(`there is LFDI ${found} instead of ${lfdi}`);
          },
          headers: { "Content-Type": SEP_XML, "Content-Length": Buffer.byteLength(body) },
        },
        (response) => {
          response.on("error", () => {});
          response.destroy();
          resolve(response.statusCode ?? 0);
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  });
}
