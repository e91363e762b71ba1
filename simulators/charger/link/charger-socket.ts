import { RPCClient } from "ocpp-rpc";

/** How a charger misbehaves. May be changed while it runs. */
export interface ChargerBehaviour {
  /** Accepts every profile and charges on at full power. */
  ignoresProfiles: boolean;
  /** Refuses every profile. */
  rejectsProfiles: boolean;
  /** Never answers a call; what it sends by itself goes on. */
  silent: boolean;
  /** Answers calls with wrong types and broken frames. */
  talksNonsense: boolean;
}

export interface ChargerSocketOptions {
  /** Without the identity, which is appended. */
  readonly endpoint: string;
  readonly identity: string;
  readonly subprotocol: string;
  readonly behaviour: Readonly<ChargerBehaviour>;
}

const CALL_TIMEOUT_MS = 10_000;
const HANDSHAKE_TIMEOUT_MS = 5_000;
const MAX_FRAME_BYTES = 1 << 20;
const ANSWER = /^\[[34],("(?:[^"\\]|\\.)*")/;

/**
 * One connection to the CSMS. Both directions are held against the schemas of the protocol. It does not come back by
 * itself: whoever opened it opens the next one.
 */
export class ChargerSocket extends RPCClient {
  readonly #behaviour: Readonly<ChargerBehaviour>;
  #spoiled = 0;

  constructor(options: ChargerSocketOptions) {
    super({
      endpoint: options.endpoint.replace(/\/+$/, ""),
      identity: options.identity,
      protocols: [options.subprotocol],
      password: null,
      headers: {},
      wsOpts: { handshakeTimeout: HANDSHAKE_TIMEOUT_MS, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false },
      strictMode: true,
      strictModeValidators: [],
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
    this.#behaviour = options.behaviour;
  }

  /** Every frame out passes here, so this is where an answer gets lost or spoilt. */
  override sendRaw(frame: string): void {
    const id = ANSWER.exec(frame)?.[1];
    if (id !== undefined && this.#behaviour.silent) return;
    super.sendRaw(id !== undefined && this.#behaviour.talksNonsense ? this.#spoil(frame, id) : frame);
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
