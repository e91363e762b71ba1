/** What the DTLS thread is started with. */
export interface DtlsOptions {
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  readonly identity: string;
  /** Bytes of the pre-shared key. */
  readonly key: Uint8Array;
  readonly handshakeMs: number;
}

/** From the DTLS thread. A fault is the last thing it says. */
export type DtlsEvent =
  | { readonly kind: "connected" }
  | { readonly kind: "datagram"; readonly datagram: Uint8Array }
  | { readonly kind: "lost"; readonly reason: string };

/** To the DTLS thread. */
export type DtlsOrder = { readonly kind: "send"; readonly datagram: Uint8Array } | { readonly kind: "close" };
