import { z } from "zod";
import { type OcpiClient, OcpiClientError } from "./ocpi-client.ts";
import type { OcpiConfig } from "./ocpi-config.ts";
import { newToken, ourCredentials } from "./ocpi-credentials.ts";
import type { OcpiPeer, OcpiPeers } from "./ocpi-peers.ts";

const answer = z.looseObject({ token: z.string().regex(/^[\x21-\x7e]{1,64}$/), url: z.string().max(255) });

/**
 * The credentials handshake as the side that begins: with the token that the peer gave us beforehand the first time, with
 * PUT and the present one later, which renews both tokens.
 *
 * The token for the way back is valid before the request leaves, since the peer calls us with it before it answers.
 * @param client for this peer, with the token that holds now
 * @throws OcpiClientError if it fails; then all is as it was before
 */
export async function registerAt(
  peer: OcpiPeer,
  peers: OcpiPeers,
  client: OcpiClient,
  config: OcpiConfig,
  versionsUrl: string,
  signal: AbortSignal,
): Promise<void> {
  const { name, version } = peer.config;
  if (peer.token !== undefined)
    throw new RangeError(`ocpi peer ${name} has its token from the config, not by handshake`);
  const before = peers.registrationOf(peer) ?? { peer: name, version, usedTokenHash: "" };
  const tokenIn = newToken();
  await peers.register({ ...before, version, tokenIn });
  try {
    const method = before.tokenOut === undefined ? "POST" : "PUT";
    const data = await client.credentials(method, ourCredentials(config, tokenIn, versionsUrl), signal);
    const parsed = answer.safeParse(data);
    if (!parsed.success) throw new OcpiClientError("protocol", `ocpi peer ${name} gave no credentials`);
    await peers.register({ ...before, version, tokenIn, tokenOut: parsed.data.token, versionsUrl: parsed.data.url });
  } catch (error) {
    await peers.register(before);
    throw error;
  }
}
