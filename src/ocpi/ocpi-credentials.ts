import { randomBytes } from "node:crypto";
import { z } from "zod";
import { OcpiClientError, type OcpiEndpoint } from "./ocpi-client.ts";
import { isSafeUrl, type OcpiConfig } from "./ocpi-config.ts";
import { invalidParameters, OCPI_STATUS, OcpiFault } from "./ocpi-fault.ts";
import type { OcpiReply, OcpiRequest } from "./ocpi-message.ts";
import { type Caller, type OcpiPeer, type OcpiPeers, speaksFor } from "./ocpi-peers.ts";
import { tokenHash } from "./ocpi-token.ts";
import type { OcpiVersion } from "./ocpi-version.ts";
import { methodNotAllowed } from "./offered-objects.ts";

const credentials = z.looseObject({
  token: z.string().regex(/^[\x21-\x7e]{1,64}$/, "must be 1 to 64 printable letters without spaces"),
  url: z.string().max(255).refine(isSafeUrl, "must be an https URL"),
  roles: z
    .array(
      z.looseObject({
        role: z.string().max(10),
        country_code: z.string().length(2),
        party_id: z.string().length(3),
        business_details: z.looseObject({ name: z.string().max(100) }),
      }),
    )
    .min(1)
    .max(50),
});

/** Asks the other side where its endpoints are, with the token it gave us. */
export type FetchEndpoints = (
  versionsUrl: string,
  token: string,
  version: OcpiVersion,
) => Promise<readonly OcpiEndpoint[]>;

/** A new credentials token. */
export function newToken(): string {
  return randomBytes(36).toString("base64url");
}

/**
 * The credentials module as the side that is registered with. A peer that has a token in the config needs none of it;
 * one with a registration token (CREDENTIALS_TOKEN_A) opens with POST, gets CREDENTIALS_TOKEN_C, and its first token is
 * void from then on.
 */
export class CredentialsModule {
  readonly #config: OcpiConfig;
  readonly #peers: OcpiPeers;
  readonly #fetchEndpoints: FetchEndpoints;

  constructor(config: OcpiConfig, peers: OcpiPeers, fetchEndpoints: FetchEndpoints) {
    this.#config = config;
    this.#peers = peers;
    this.#fetchEndpoints = fetchEndpoints;
  }

  /** @param versionsUrl our own versions endpoint @throws OcpiFault */
  async handle(version: OcpiVersion, caller: Caller, request: OcpiRequest, versionsUrl: string): Promise<OcpiReply> {
    const { peer, access } = caller;
    const isRegistered = access === "full";
    switch (request.method) {
      case "GET":
        return { data: this.#ours(isRegistered ? this.#tokenOf(peer) : (peer.registrationToken ?? ""), versionsUrl) };
      case "POST":
        if (isRegistered) throw methodNotAllowed("GET, PUT, DELETE");
        return { data: this.#ours(await this.#register(version, peer, request), versionsUrl) };
      case "PUT":
        if (!isRegistered || peer.token !== undefined) throw methodNotAllowed("GET");
        return { data: this.#ours(await this.#register(version, peer, request), versionsUrl) };
      case "DELETE":
        if (!isRegistered || peer.token !== undefined) throw methodNotAllowed("GET");
        await this.#peers.register({ peer: peer.config.name, version, usedTokenHash: usedHash(peer) });
        return {};
      default:
        throw methodNotAllowed("GET, POST, PUT, DELETE");
    }
  }

  #tokenOf(peer: OcpiPeer): string {
    return peer.token ?? this.#peers.registrationOf(peer)?.tokenIn ?? "";
  }

  async #register(version: OcpiVersion, peer: OcpiPeer, request: OcpiRequest): Promise<string> {
    const { token, url } = this.#checked(peer, request.body);
    await this.#checkTheirApi(version, url, token);
    const tokenIn = newToken();
    await this.#peers.register({
      peer: peer.config.name,
      version,
      tokenIn,
      tokenOut: token,
      versionsUrl: url,
      usedTokenHash: usedHash(peer),
    });
    return tokenIn;
  }

  #checked(peer: OcpiPeer, body: unknown): z.output<typeof credentials> {
    const parsed = credentials.safeParse(body);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw invalidParameters(`${issue?.path.join(".") || "the body"}: ${issue?.message ?? "is not valid"}`);
    }
    const { roles, url } = parsed.data;
    for (const [index, { country_code, party_id }] of roles.entries()) {
      // Else a peer could name itself as any party and speak in its name.
      if (speaksFor(peer, { countryCode: country_code, partyId: party_id })) continue;
      throw invalidParameters(`roles.${index}: ${country_code}*${party_id} was not agreed for this token`);
    }
    const agreed = peer.config.versionsUrl;
    if (agreed !== undefined && new URL(agreed).host !== new URL(url).host) {
      throw invalidParameters(`url: must be on ${new URL(agreed).host}, as was agreed`);
    }
    return parsed.data;
  }

  async #checkTheirApi(version: OcpiVersion, url: string, token: string): Promise<void> {
    try {
      const endpoints = await this.#fetchEndpoints(url, token, version);
      if (endpoints.some(({ identifier }) => identifier === "credentials")) return;
    } catch (error) {
      const isVersion = error instanceof OcpiClientError && error.statusCode === 3002;
      const reason = error instanceof Error ? error.message : "no answer";
      const code = isVersion ? OCPI_STATUS.unsupportedVersion : OCPI_STATUS.cannotUseClientApi;
      throw new OcpiFault(code, `your API could not be used: ${reason}`, { cause: error });
    }
    throw new OcpiFault(OCPI_STATUS.missingEndpoints, "your API has no credentials endpoint");
  }

  #ours(token: string, versionsUrl: string): object {
    return ourCredentials(this.#config, token, versionsUrl);
  }
}

function usedHash(peer: OcpiPeer): string {
  return peer.registrationToken === undefined ? "" : tokenHash(peer.registrationToken);
}

/** Our credentials object: the token with which the other side reaches us, and who we are. */
export function ourCredentials(config: OcpiConfig, token: string, versionsUrl: string): object {
  return {
    token,
    url: versionsUrl,
    roles: config.roles.map((role) => ({
      role,
      party_id: config.partyId,
      country_code: config.countryCode,
      business_details: { name: config.businessName },
    })),
  };
}
