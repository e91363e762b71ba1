import { EventEmitter } from "node:events";
import { BlockOrder } from "./block-order.ts";

/** Datagrams to and from one device. */
export interface DatagramPath {
  /** Never throws; what cannot be sent is lost, as on any network, or ends the path. */
  send(datagram: Buffer): void;
  close(): void;
}

/** What a path tells. */
export interface PathEvents {
  readonly onDatagram: (datagram: Buffer) => void;
  /** The path is gone for good; told at most once. */
  readonly onLost: (error: Error) => void;
}

/**
 * The socket that the CoAP library works on: it looks like one of `node:dgram` and leads to one device only. What comes from
 * there is untrusted, and what the library throws over it ends this link and nothing else.
 */
export class PeerSocket extends EventEmitter {
  readonly type: "udp4" | "udp6";
  readonly #peer: { readonly address: string; readonly port: number };
  readonly #onFault: (error: unknown) => void;
  readonly #blocks = new BlockOrder();
  #path: DatagramPath | undefined;
  #receivedBytes = 0;

  constructor(
    peer: { readonly address: string; readonly port: number; readonly family: 4 | 6 },
    onFault: (error: unknown) => void,
  ) {
    super();
    this.type = peer.family === 6 ? "udp6" : "udp4";
    this.#peer = peer;
    this.#onFault = onFault;
  }

  /** Bytes that came since this was last set to 0: a device may send blocks without an end. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  forgetReceived(): void {
    this.#receivedBytes = 0;
  }

  use(path: DatagramPath): void {
    this.#path = path;
  }

  receive(datagram: Buffer): void {
    this.#receivedBytes += datagram.length;
    try {
      if (!this.#blocks.takes(datagram)) return;
      const { address, port } = this.#peer;
      this.emit("message", datagram, {
        address,
        port,
        family: this.type === "udp6" ? "IPv6" : "IPv4",
        size: datagram.length,
      });
    } catch (error) {
      this.#onFault(error);
    }
  }

  /** As `dgram` has it. An error is told by the path and never to the library, which would throw it where nobody catches it. */
  send(
    message: Buffer,
    offset: number,
    length: number,
    _port: number,
    _address: string,
    callback?: (error: Error | null, bytes: number) => void,
  ): void {
    const datagram = message.subarray(offset, offset + length);
    this.#blocks.sent(datagram);
    this.#path?.send(datagram);
    callback?.(null, length);
  }

  address(): { address: string; port: number } {
    return this.#peer;
  }

  close(callback?: () => void): void {
    this.#path?.close();
    this.#path = undefined;
    callback?.();
  }
}
