import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";
import type { Station } from "../station.ts";
import { OCPP_VERSIONS, type OcppVersion } from "../version.ts";
import { Backoff } from "./backoff.ts";
import { basicPassword } from "./credential.ts";
import { chooseVersion, identityFromUrl, withoutTrailingSlash } from "./handshake.ts";
import { LoginGuard } from "./login-guard.ts";
import { PasswordCheck } from "./password-check.ts";
import type { Refusal } from "./refusal.ts";
import { NEEDS, type SecurityProfile } from "./security-profile.ts";
import type { StrangerList } from "./stranger-list.ts";

const KIBIBYTE = 1024;

/** A NotifyReport of a whole station (2.x) is long; no message of 1.6 is. */
const maxFrameBytes = (version: OcppVersion) => (version === "ocpp1.6" ? 64 : 1024) * KIBIBYTE;

/** Whoever was hung up on for what it sent waits before it may come again. */
const MISCONDUCT = { free: 3, capMs: 60_000 } as const;

/** When too many passwords wait to be checked. */
const BUSY_MS = 5000;

export interface DoorkeeperOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly strangers: StrangerList;
  readonly station: (identity: string) => Station | undefined;
  /** Strangers that a technician does not want to see again. */
  readonly isRejected: (identity: string) => boolean;
  /** A password or certificate was wrong; `waitMs` is how long nothing more is looked at. */
  onWrongCredentials(identity: string, what: { readonly from: string; readonly waitMs: number }): void;
}

/** What somebody at the door has shown. */
interface Caller {
  readonly request: IncomingMessage;
  readonly from: string;
  readonly isTls: boolean;
}

/** Decides who is let in: it says no in the words of HTTP, or hands the connection to its station. */
export class Doorkeeper {
  readonly #options: DoorkeeperOptions;
  readonly #logins: LoginGuard;
  readonly #misconduct: Backoff;
  readonly #passwords: PasswordCheck;
  readonly #upgraders = new Map(OCPP_VERSIONS.map((version) => [version, upgrader(version)]));

  constructor(options: DoorkeeperOptions) {
    this.#options = options;
    this.#logins = new LoginGuard(options.clock);
    this.#misconduct = new Backoff(options.clock, MISCONDUCT);
    this.#passwords = new PasswordCheck(options.clock);
  }

  /** What a charger did on its last connection is held against it at the next. */
  noteMisconduct(identity: string, from: string): void {
    this.#misconduct.noteFailure(`${from} ${identity}`);
  }

  /** A charger that is no longer there leaves nothing behind. */
  forget(identity: string): void {
    this.#passwords.forget(identity);
  }

  async receive(request: IncomingMessage, socket: Duplex, head: Buffer, isTls: boolean): Promise<Refusal | undefined> {
    const caller: Caller = { request, from: request.socket.remoteAddress ?? "unknown", isTls };
    const admitted = await this.#admit(caller);
    if ("status" in admitted) return admitted;
    const { station, profile, version } = admitted;
    if (!(await station.admits(profile > 0, caller.from))) {
      return { status: 409, reason: "duplicate", why: "this identity is connected already" };
    }
    if (socket.destroyed) return undefined;
    this.#upgraders.get(version)?.handleUpgrade(request, socket, head, (webSocket) => {
      const sinceMs = this.#options.clock.now();
      station.attach(webSocket, { version, from: caller.from, profile, tls: isTls, sinceMs });
    });
    return undefined;
  }

  async #admit(
    caller: Caller,
  ): Promise<{ station: Station; profile: SecurityProfile; version: OcppVersion } | Refusal> {
    const { request, from } = caller;
    // A charger is no browser: a page that someone on site opens must not reach this port.
    if (request.headers.origin !== undefined) {
      return { status: 403, reason: "browser", why: "browsers are not served" };
    }
    const url = identityFromUrl(request.url, this.#options.path);
    if (url.kind === "undecodable") {
      return { status: 400, reason: "identity", why: "the identity is badly percent-encoded" };
    }
    if (url.kind === "elsewhere") {
      const why = `the address must be ${withoutTrailingSlash(this.#options.path)}/IDENTITY`;
      return { status: 404, reason: "address", why };
    }
    const { identity } = url;
    // Nobody is told whether an identity is unknown or not wanted.
    if (this.#options.isRejected(identity)) return { status: 404, reason: "rejected", why: "unknown charger" };
    const station = this.#options.station(identity);
    if (station === undefined) {
      return this.#turnAway(identity, from, { status: 404, reason: "unknown", why: "unknown charger" });
    }
    const penaltyMs = this.#misconduct.waitMs(`${from} ${identity}`);
    if (penaltyMs > 0) {
      const why = "too much that was no OCPP came from here";
      return { status: 429, reason: "misconduct", why, retryAfterMs: penaltyMs };
    }
    const profile = await this.#profileOf(station, caller);
    if (typeof profile === "object") return this.#turnAway(identity, from, profile);
    const version = chooseVersion(request.headers["sec-websocket-protocol"], station.withoutSubprotocol);
    if (version !== undefined) return { station, profile, version };
    const why = `no subprotocol of ${OCPP_VERSIONS.join(", ")} offered`;
    return this.#turnAway(identity, from, { status: 400, reason: "subprotocol", why });
  }

  /** The profile that somebody has proved, or why it is not enough. */
  async #profileOf(station: Station, { request, from, isTls }: Caller): Promise<SecurityProfile | Refusal> {
    const { identity, security } = station;
    const { least, credential } = security;
    // Before any password is looked at: it went over the wire for all to read.
    if (least >= 2 && !isTls) {
      return { status: 403, reason: "security-profile", why: `this charger needs ${NEEDS[least]}` };
    }
    const owner = certificateOwner(request);
    if (least === 0 && credential === undefined && owner === undefined) return 0;
    const waitMs = this.#logins.waitMs(from, identity);
    if (waitMs > 0) {
      return { status: 429, reason: "too-many-failures", why: "too many failed logins", retryAfterMs: waitMs };
    }
    if (owner !== undefined) {
      // As X.520 compares common names.
      if (owner.toLowerCase() === identity.toLowerCase()) return 3;
      return this.#wrong(identity, from, {
        status: 403,
        reason: "certificate",
        why: "the certificate is another charger's",
      });
    }
    if (least === 3) {
      return this.#wrong(identity, from, {
        status: 401,
        reason: "certificate",
        why: "no certificate of a known authority",
      });
    }
    const given = credential && basicPassword(request.headers.authorization, identity);
    const verdict =
      credential === undefined || given === undefined
        ? "wrong"
        : await this.#passwords.check(identity, credential, given);
    if (verdict === "busy") {
      return { status: 503, reason: "too-busy", why: "too many logins at once", retryAfterMs: BUSY_MS };
    }
    if (verdict === "wrong") {
      return this.#wrong(identity, from, { status: 401, reason: "credentials", why: "wrong or missing password" });
    }
    this.#logins.noteSuccess(from, identity);
    return isTls ? 2 : 1;
  }

  #wrong(identity: string, from: string, refusal: Refusal): Refusal {
    const waitMs = this.#logins.noteFailure(from, identity);
    this.#options.onWrongCredentials(identity, { from, waitMs });
    return refusal;
  }

  #turnAway(identity: string, from: string, refusal: Refusal): Refusal {
    if (this.#options.strangers.note(identity, from, refusal.why)) {
      this.#options.log.warn("a charger was turned away", {
        charger: identity.slice(0, 48),
        from,
        why: refusal.why,
      });
    }
    return refusal;
  }
}

/** The common name of a certificate that an authority of ours has signed; nothing where there is none. */
function certificateOwner(request: IncomingMessage): string | undefined {
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const commonName: unknown = socket.getPeerCertificate().subject?.CN;
  // A list of names says nothing about which one it is.
  return typeof commonName === "string" ? commonName : "";
}

function upgrader(version: OcppVersion): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxFrameBytes(version),
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered].find((word) => word.toLowerCase() === version) ?? false,
  });
}
