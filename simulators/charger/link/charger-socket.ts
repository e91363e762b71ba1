import { randomUUID } from "node:crypto";
import { RPCClient } from "ocpp-rpc";
import type { WebSocket } from "ws";
import type { ChargerBehaviour } from "../behaviour.ts";
import { FrameFaults } from "../faults/frame-faults.ts";
import { garbage } from "../faults/garbage.ts";
import { type OcppVersion, subprotocolOf } from "../ocpp-version.ts";
import { extraFrame, resultErrorFrame, sendFrame, sieved } from "./frame-sieve.ts";
import type { Login } from "./login.ts";
import { ownValidators, validatorOf21 } from "./protocol-schemas.ts";

export interface ChargerSocketOptions extends Login {
  /** Without the identity, which is appended. */
  readonly endpoint: string;
  readonly identity: string;
  readonly version: OcppVersion;
  readonly behaviour: Readonly<ChargerBehaviour>;
}

/** What did not pass the schemas, as the library reports it. */
export interface SchemaFailure {
  readonly messageId: string;
  readonly method: string;
  readonly outbound: boolean;
  readonly isCall: boolean;
  readonly error: Error & { readonly rpcErrorCode?: string };
}

const CALL_TIMEOUT_MS = 10_000;
const HANDSHAKE_TIMEOUT_MS = 5_000;
const MAX_FRAME_BYTES = 1 << 20;
const GARBAGE_AT_ONCE = 50;
const MOST_BUFFERED_BYTES = 1 << 18;

type EarlyFrames = Parameters<RPCClient["_attachWebsocket"]>[1];

/**
 * One connection to the CSMS. Both directions are held against the schemas of the protocol. It does not come back by
 * itself: whoever opened it opens the next one.
 */
export class ChargerSocket extends RPCClient {
  readonly #version: OcppVersion;
  readonly #behaviour: Readonly<ChargerBehaviour>;
  readonly #faults: FrameFaults;
  #garbageSent = 0;

  constructor(options: ChargerSocketOptions) {
    const { ca, cert, key, password = null } = options;
    super({
      endpoint: options.endpoint.replace(/\/+$/, ""),
      identity: options.identity,
      protocols: [subprotocolOf(options.version)],
      // Bytes pass through the library untouched; only its types know nothing of them.
      password: password as string | null,
      headers: {},
      wsOpts: {
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        maxPayload: MAX_FRAME_BYTES,
        perMessageDeflate: false,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      },
      strictMode: true,
      strictModeValidators: ownValidators(options.version),
      reconnect: false,
      maxReconnects: 0,
      backoff: { initialDelay: 1000, maxDelay: 10_000, factor: 2, randomisationFactor: 0.25 },
      callTimeoutMs: CALL_TIMEOUT_MS,
      pingIntervalMs: 30_000,
      deferPingsOnActivity: false,
      respondWithDetailedErrors: false,
      callConcurrency: 1,
      maxBadMessages: Number.POSITIVE_INFINITY,
    });
    this.#version = options.version;
    this.#behaviour = options.behaviour;
    this.#faults = new FrameFaults(options.behaviour);
    if (options.version === "2.1") this.on("strictValidationFailure", (failure) => this.#complain(failure));
  }

  /** @throws when nobody listens there, or the CSMS refuses the connection */
  override async connect(): Promise<unknown> {
    if (this.#behaviour.offersNoSubprotocol) {
      this._options.protocols = [];
      // The schemas hold all the same: both sides have to agree on a version beforehand.
      this.once("protocol", () => {
        this._protocol = subprotocolOf(this.#version);
      });
    }
    return await super.connect();
  }

  /**
   * A message that wants no answer (2.1, message type SEND).
   * @throws when there is no link, or the payload does not pass the schema
   */
  send(action: string, payload: Record<string, unknown>): void {
    if (this.#version !== "2.1") throw new Error(`${action}: OCPP ${this.#version} knows no SEND`);
    void validatorOf21().validate(`urn:${action}.send`, payload);
    this.sendRaw(sendFrame(randomUUID(), action, payload));
  }

  /** Every frame out passes here, so this is where an answer gets lost or spoilt. */
  override sendRaw(frame: string): void {
    const left = this.#faults.apply(frame);
    if (left !== undefined) super.sendRaw(left);
  }

  /** A handful of frames that mean nothing, unless so many wait already that the link is full. */
  sendGarbage(): void {
    for (let sent = 0; sent < GARBAGE_AT_ONCE; sent += 1) {
      if (this._state !== RPCClient.OPEN || (this._ws?.bufferedAmount ?? 0) > MOST_BUFFERED_BYTES) return;
      super.sendRaw(garbage(this.#garbageSent));
      this.#garbageSent += 1;
    }
  }

  /** The frames of 2.1 that the library does not know are taken out before it sees them. */
  protected override _attachWebsocket(socket: WebSocket, early?: EarlyFrames): void {
    if (this.#version !== "2.1") {
      super._attachWebsocket(socket, early);
      return;
    }
    const frames = (early?.condense() ?? []).map(([data]: unknown[]) => data);
    super._attachWebsocket(sieved(socket, frames, (text) => this.#takes(text)));
  }

  #takes(text: string): boolean {
    const frame = extraFrame(text);
    if (frame !== undefined) this.emit("extraFrame", frame);
    return frame !== undefined;
  }

  /** An answer of the CSMS that does not pass the schema is given back as a CALLRESULTERROR. */
  #complain({ messageId, outbound, isCall, error }: SchemaFailure): void {
    if (outbound || isCall) return;
    this.sendRaw(resultErrorFrame(messageId, error.rpcErrorCode ?? "FormatViolation", error.message));
  }
}
