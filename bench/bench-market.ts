import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { signBody } from "../src/market/signature.ts";
import { publicKeyText } from "../src/market/signing-keys.ts";

const ACK = '{"message":{"ack":{"status":"ACK"}}}';
const SIGNATURE_LIFETIME_MS = 60_000;
const HOLD_MS = 600_000;

/** A message as it goes on the wire. */
export interface SignedMessage {
  readonly body: string;
  readonly authorization: string;
}

/** A market that signs setpoints and acknowledges all that is sent to it. */
export class BenchMarket implements AsyncDisposable {
  readonly bppId = "market.bench.example";
  readonly bapId = "site.bench.example";
  readonly keyId = "k1";
  readonly publicKey: string;
  readonly #privateKey = generateKeyPairSync("ed25519").privateKey;
  readonly #server: Server;

  private constructor() {
    this.publicKey = publicKeyText(this.#privateKey);
    this.#server = createServer((request, response) => {
      request.resume();
      request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(ACK));
    });
  }

  static async open(): Promise<BenchMarket> {
    const market = new BenchMarket();
    await new Promise<void>((resolve, reject) => {
      market.#server.once("error", reject);
      market.#server.listen(0, "127.0.0.1", resolve);
    });
    return market;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/beckn`;
  }

  /** What the daemon's config needs to know of this market. */
  config(): object {
    return {
      subscriberId: this.bapId,
      bppId: this.bppId,
      bppUri: this.url,
      requireSignature: true,
      webhook: { port: 0 },
      trustedKeys: [{ subscriberId: this.bppId, keyId: this.keyId, publicKey: this.publicKey }],
    };
  }

  /** A new `on_confirm` for a resource, always in the same order and transaction. @param powerKW generation positive */
  onConfirm(era: string, powerKW: number): SignedMessage {
    const nowMs = Date.now();
    const text = (ms: number) => new Date(ms).toISOString();
    const body = JSON.stringify({
      context: {
        version: "2.0.0",
        action: "on_confirm",
        domain: "beckn.one:deg:ev-charging:*",
        timestamp: text(nowMs),
        message_id: randomUUID(),
        transaction_id: `transaction-${era}`,
        bap_id: this.bapId,
        bap_uri: "https://site.bench.example/beckn",
        bpp_id: this.bppId,
        bpp_uri: "https://market.bench.example/beckn",
        ttl: "PT30S",
      },
      message: {
        order: {
          "@type": "beckn:Order",
          "beckn:id": `order-${era}`,
          "beckn:orderStatus": "CONFIRMED",
          "beckn:seller": "market-clearing-agent",
          "beckn:buyer": { "beckn:id": "buyer-1", "@type": "beckn:Buyer" },
          "beckn:orderItems": [
            {
              "beckn:orderedItem": "energy-15-min",
              "beckn:quantity": { unitText: "kWh", unitQuantity: 2 },
              "beckn:acceptedOffer": { "beckn:id": "offer-1", "beckn:price": { currency: "INR", value: 0.09 } },
            },
          ],
          "beckn:orderValue": { currency: "INR", value: 0.18 },
          "beckn:orderAttributes": {
            "@type": "EnergyOrder",
            era,
            setpointKW: powerKW,
            clearingPrice: 0.09,
            validFrom: text(nowMs),
            validUntil: text(nowMs + HOLD_MS),
            approvedMaxTradeKW: 22,
            gridConstraints: { feeder: "feeder-7", congestionPercent: 40 },
          },
        },
      },
    });
    const signer = { subscriberId: this.bppId, keyId: this.keyId, privateKey: this.#privateKey };
    const times = { nowMs, lifetimeMs: SIGNATURE_LIFETIME_MS };
    return { body, authorization: signBody(signer, Buffer.from(body), times).authorization };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
