import { readFile } from "node:fs/promises";
import type { OcpiConfig, OcpiPeerConfig } from "./ocpi-config.ts";
import type { OcpiRegistration, OcpiStore } from "./ocpi-store.ts";
import { tokenHash, tokensFromAuthorization } from "./ocpi-token.ts";
import { isSameParty, type OcpiParty } from "./ocpi-version.ts";

/** A peer with its tokens at hand. */
export interface OcpiPeer {
  readonly config: OcpiPeerConfig;
  /** Agreed beforehand: what it sends to us. */
  readonly token?: string;
  /** CREDENTIALS_TOKEN_A. */
  readonly registrationToken?: string;
  /** Agreed beforehand: what we send to it. */
  readonly ourToken?: string;
}

/** Who asks, and how far its token goes: a registration token opens versions and credentials and nothing else. */
export interface Caller {
  readonly peer: OcpiPeer;
  readonly access: "full" | "registration";
}

/** Reads the tokens that stand in files. @throws Error naming the peer and the file */
export async function readPeers(config: OcpiConfig): Promise<OcpiPeer[]> {
  return Promise.all(
    config.peers.map(async (peer) => {
      const token = peer.token ?? (await readToken(peer.name, peer.tokenFile));
      const registrationToken = peer.registrationToken ?? (await readToken(peer.name, peer.registrationTokenFile));
      const ourToken = peer.ourToken ?? (await readToken(peer.name, peer.ourTokenFile));
      return {
        config: peer,
        ...(token !== undefined && { token }),
        ...(registrationToken !== undefined && { registrationToken }),
        ...(ourToken !== undefined && { ourToken }),
      };
    }),
  );
}

async function readToken(peer: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const content = await readFile(file, "utf8").catch((error: Error) => {
    throw new Error(`ocpi peer ${peer}: ${file} can't be read: ${error.message}`, { cause: error });
  });
  const token = content.trim();
  if (!/^[\x21-\x7e]{20,64}$/.test(token)) {
    throw new Error(`ocpi peer ${peer}: ${file} must hold one token of 20 to 64 printable letters`);
  }
  return token;
}

/** Finds the caller by its token, those of the config and those of the handshake. */
export class OcpiPeers {
  readonly #peers: readonly OcpiPeer[];
  readonly #store: OcpiStore;
  readonly #acceptRawTokens: boolean;
  #callers: ReadonlyMap<string, Caller>;

  constructor(peers: readonly OcpiPeer[], store: OcpiStore, acceptRawTokens: boolean) {
    this.#peers = peers;
    this.#store = store;
    this.#acceptRawTokens = acceptRawTokens;
    this.#callers = this.#index();
  }

  callerOf(authorization: string | undefined): Caller | undefined {
    for (const token of tokensFromAuthorization(authorization, this.#acceptRawTokens)) {
      const caller = this.#callers.get(tokenHash(token));
      if (caller !== undefined) return caller;
    }
    return undefined;
  }

  byName(name: string): OcpiPeer | undefined {
    return this.#peers.find(({ config }) => config.name === name);
  }

  registrationOf(peer: OcpiPeer): OcpiRegistration | undefined {
    return this.#store.registration(peer.config.name);
  }

  async register(registration: OcpiRegistration): Promise<void> {
    await this.#store.register(registration);
    this.#callers = this.#index();
  }

  #index(): Map<string, Caller> {
    const callers = new Map<string, Caller>();
    for (const peer of this.#peers) {
      const registration = this.registrationOf(peer);
      const full = peer.token ?? registration?.tokenIn;
      if (full !== undefined) callers.set(tokenHash(full), { peer, access: "full" });
      if (peer.registrationToken === undefined || peer.token !== undefined) continue;
      const hash = tokenHash(peer.registrationToken);
      if (hash !== registration?.usedTokenHash) callers.set(hash, { peer, access: "registration" });
    }
    return callers;
  }
}

/** True if the peer may speak in this party's name. */
export function speaksFor(peer: OcpiPeer, party: OcpiParty): boolean {
  return peer.config.parties.some((own) => isSameParty(own, party));
}
