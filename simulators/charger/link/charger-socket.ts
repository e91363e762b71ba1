import { randomUUID } from "node:crypto";
import { RPCClient } from "ocpp-rpc";
import type { WebSocket } from "ws";
import type { ChargerBehaviour } from "../behaviour.ts";
import { type OcppVersion, subprotocolOf } from "../ocpp-version.ts";
import { type ExtraFrame, extraFrame, resultErrorFrame, sendFrame, sieved } from "./frame-sieve.ts";
import { ownValidators, validatorOf21 } from "./protocol-schemas.ts";

export interface ChargerSocketOptions {
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
const ANSWER = /^\[[34],("(?:[^"\\]|\\.)*")/;

type EarlyFrames = Parameters<RPCClient["_attachWebsocket"]>[1];

/**
 * One connection to the CSMS. Both directions are held against the schemas of the protocol. It does not come back by
 * itself: whoever opened it opens the next one.
 */
export class ChargerSocket extends RPCClient {
  readonly #version: OcppVersion;
  readonly #behaviour: Readonly<ChargerBehaviour>;
  #spoiled = 0;

  constructor(options: ChargerSocketOptions) {
    super({
      endpoint: options.endpoint.replace(/\/+$/, ""),
      identity: options.identity,
      protocols: [subprotocolOf(options.version)],
      password: null,
      headers: {},
      wsOpts: { handshakeTimeout: HANDSHAKE_TIMEOUT_MS, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false },
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
    if (options.version === "2.1") this.on("strictValidationFailure", (failure) => this.#complain(failure));
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
    const id = ANSWER.exec(frame)?.[1];
    if (id !== undefined && this.#behaviour.silent) return;
    super.sendRaw(id !== undefined && this.#behaviour.talksNonsense ? this.#spoil(frame, id) : frame);
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
    const frame: ExtraFrame | undefined = extraFrame(text);
    if (frame !== undefined) this.emit("extraFrame", frame);
    return frame !== undefined;
  }

  /** An answer of the CSMS that does not pass the schema is given back as a CALLRESULTERROR. */
  #complain({ messageId, outbound, isCall, error }: SchemaFailure): void {
    if (outbound || isCall) return;
    this.sendRaw(resultErrorFrame(messageId, error.rpcErrorCode ?? "FormatViolation", error.message));
  }

  #spoil(frame: string, id: string): string {
    this.#spoiled += 1;
    switch (this.#spoiled % 4) {
      case 1:
        return `[3,${id},{"status":42,"nonsense":[null]}]`;
      case 2:
        return frame.slice(0, Math.max(2, Math.floor(frame.length / 2)));
      case 3:
        return `[3,${id},"Accepted"]`;
      default:
        return `{"3":${id}}`;
    }
  }
}
