import { CoapError } from "./coap-error.ts";
import { type Block, type MessageHead, messageHead } from "./message-head.ts";

/** Exchanges that are remembered: one under way, and what is observed. */
const MAX_TOKENS = 256;

/** What of one exchange went by. */
interface Exchange {
  /** Where the block begins that was asked for last, bytes. */
  askedAt: number;
  /** True after the last block: what is told later of an observed resource begins anew. */
  isWhole: boolean;
  /** Of the first block. */
  etag: string;
  /** The block that was sent last; undefined where everything went in one message. */
  sent: Block | undefined;
}

/**
 * Sees to it that blocks are what they say and come one after the other (RFC 7959). The library puts together whatever comes:
 * a datagram that the network doubled would be in the payload twice, and a write would be done when its first block was taken.
 */
export class BlockOrder {
  readonly #exchanges = new Map<string, Exchange>();

  /** Notes what goes out. */
  sent(datagram: Buffer): void {
    const head = messageHead(datagram);
    // Acknowledgements and resets are no exchange of ours.
    if (head === undefined || head.code === 0 || head.code > 31) return;
    const block2 = head.block2 === "odd" ? undefined : head.block2;
    this.#keep(head.token, {
      askedAt: block2 === undefined ? 0 : block2.num * block2.bytes,
      isWhole: false,
      etag: this.#exchanges.get(head.token)?.etag ?? "",
      sent: head.block1 === "odd" ? undefined : head.block1,
    });
  }

  /**
   * @returns false for what is to be passed over: no message, or a block that was there already
   * @throws CoapError `protocol` for a block that can't follow
   */
  takes(datagram: Buffer): boolean {
    const head = messageHead(datagram);
    if (head === undefined) return false;
    const exchange = this.#exchanges.get(head.token);
    const isSuccess = head.code >> 5 === 2;
    if (exchange === undefined || !isSuccess) return true;
    return takesBlock1(head, exchange) && takesBlock2(head, exchange);
  }

  #keep(token: string, exchange: Exchange): void {
    this.#exchanges.delete(token);
    this.#exchanges.set(token, exchange);
    const [oldest] = this.#exchanges.keys();
    if (this.#exchanges.size > MAX_TOKENS && oldest !== undefined) this.#exchanges.delete(oldest);
  }
}

/** The answer to a block that was sent. */
function takesBlock1({ block1 }: MessageHead, { sent }: Exchange): boolean {
  if (block1 === "odd") throw fault("sent a block option that is none");
  if (block1 === undefined) {
    if (sent?.more !== true) return true;
    throw fault("took the first block for the whole message");
  }
  if (sent === undefined) {
    if (block1.num === 0) return true;
    throw fault(`spoke of block ${block1.num} of a message that had none`);
  }
  if (block1.bytes > sent.bytes) throw fault(`asked for blocks of ${block1.bytes} bytes after some of ${sent.bytes}`);
  const at = block1.num * sent.bytes;
  if (at < sent.num * sent.bytes) return false;
  if (block1.num !== sent.num) throw fault(`took block ${block1.num} where ${sent.num} was sent`);
  return true;
}

/** A block of the answer. */
function takesBlock2({ block2, etag, payloadBytes }: MessageHead, exchange: Exchange): boolean {
  if (block2 === "odd") throw fault("sent a block option that is none");
  const { num, more, bytes } = block2 ?? { num: 0, more: false, bytes: Number.POSITIVE_INFINITY };
  const at = num === 0 ? 0 : num * bytes;
  const askedAt = exchange.isWhole ? 0 : exchange.askedAt;
  if (at < askedAt || (exchange.isWhole && at > 0)) return false;
  if (at > askedAt) throw fault(`sent what begins at byte ${at} where byte ${askedAt} was asked for`);
  if (payloadBytes > bytes || (more && payloadBytes !== bytes))
    throw fault(`sent ${payloadBytes} bytes in a block of ${bytes}`);
  if (at === 0) exchange.etag = etag;
  else if (exchange.etag !== etag) throw fault("changed the resource while it was read");
  exchange.isWhole = !more;
  return true;
}

function fault(what: string): CoapError {
  return new CoapError("protocol", `the device ${what}`);
}
