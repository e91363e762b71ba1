import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign, verify } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A message as it is on the wire; read with care, since the tests look into all of it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into JSON of every shape
export type Wire = any;

export interface ReceivedCallback {
  readonly path: string;
  readonly authorization: string;
  readonly raw: string;
  readonly message: Wire;
}

export const ACK = { message: { ack: { status: "ACK" } } };
export const NACK = { message: { ack: { status: "NACK" }, error: { code: "X", paths: "", message: "no" } } };

/** A small energy app: bids for one resource, confirms what it is offered, and checks every signature on its own. */
export class SmallParticipant implements AsyncDisposable {
  readonly bapId: string;
  readonly era: string;
  readonly publicKey: string;
  readonly callbacks: ReceivedCallback[] = [];
  transactionId = randomUUID();
  confirms = true;
  /** What it answers to a callback; a number is an HTTP status with an empty body, "never" no answer at all. */
  answer: (action: string, attempt: number) => object | number | "never" = () => ACK;
  uri = "";
  readonly #privateKey: KeyObject;
  readonly #marketUrl: string;
  readonly #server: Server;

  constructor(marketUrl: string, bapId: string, era: string) {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.bapId = bapId;
    this.era = era;
    this.publicKey = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
    this.#privateKey = privateKey;
    this.#marketUrl = marketUrl;
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const raw = Buffer.concat(chunks).toString("utf8");
      this.received({ path: request.url ?? "", authorization: request.headers.authorization ?? "", raw });
      const action = (request.url ?? "").split("/").at(-1) ?? "";
      const answer = this.answer(action, this.of(action).length);
      if (answer === "never") return;
      response.writeHead(typeof answer === "number" ? answer : 200, { "content-type": "application/json" });
      response.end(typeof answer === "number" ? "" : JSON.stringify(answer));
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.uri = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/beckn`;
    return this;
  }

  /** Takes a callback, whichever way it came, and confirms an offer. */
  received(callback: Omit<ReceivedCallback, "message">): void {
    const message = JSON.parse(callback.raw);
    this.callbacks.push({ ...callback, message });
    if (message.context.action !== "on_discover" || !this.confirms) return;
    // A market that closes meanwhile is no fault of the participant.
    this.send("confirm", this.confirmation()).catch(() => {});
  }

  of(action: string): Wire[] {
    return this.callbacks.filter(({ message }) => message.context.action === action).map(({ message }) => message);
  }

  discover(bidCurve: object[], more: object = {}) {
    return this.send("discover", { intent: { "@type": "EnergyIntent", era: this.era, bidCurve, ...more } });
  }

  /** Agrees to the newest offer. */
  confirmation(): Wire {
    const offer = this.of("on_discover").at(-1)?.message.catalogs[0]["beckn:offers"][0];
    return {
      order: {
        "beckn:orderItems": [{ "beckn:orderedItem": this.era }],
        "beckn:acceptedOffer": {
          "beckn:id": offer?.["beckn:id"],
          "beckn:price": { value: offer?.["beckn:price"]["schema:price"], currency: "INR" },
        },
        "beckn:orderAttributes": { "@type": "EnergyOrder", clearingPrice: "PAY_AS_CLEAR" },
      },
    };
  }

  /** A request of the right form, to be changed by tests that want it wrong. */
  request(action: string, message: object, context: object = {}): Wire {
    return {
      context: {
        version: "2.0.0",
        action,
        domain: "beckn.one:deg:ev-charging:*",
        timestamp: new Date().toISOString(),
        message_id: randomUUID(),
        transaction_id: this.transactionId,
        bap_id: this.bapId,
        bap_uri: this.uri,
        bpp_id: "market.test",
        ttl: "PT30S",
        ...context,
      },
      message,
    };
  }

  send(action: string, message: object, context: object = {}) {
    return this.post(action, JSON.stringify(this.request(action, message, context)));
  }

  /** Posts any text; signed unless another header, or none, is given. */
  async post(action: string, body: string, authorization: string | null = this.sign(body)) {
    const response = await fetch(`${this.#marketUrl}/${action}`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...(authorization !== null && { authorization }) },
    });
    const answer = (await response.json()) as Wire;
    return {
      status: response.status,
      answer,
      ack: answer.message.ack.status as string,
      code: answer.message.error?.code as string | undefined,
      paths: answer.message.error?.paths as string | undefined,
      headers: response.headers,
    };
  }

  sign(body: string, created = Math.floor(Date.now() / 1000), expires = created + 60): string {
    const signature = sign(null, Buffer.from(signedText(body, `${created}`, `${expires}`)), this.#privateKey);
    return (
      `Signature keyId="${this.bapId}|app-key|ed25519",algorithm="ed25519",created="${created}",expires="${expires}",` +
      `headers="(created) (expires) digest",signature="${signature.toString("base64")}"`
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Whether a callback was signed by the holder of this key, as the published recipe says. */
export function isSignedBy(
  publicKey: string,
  keyId: string,
  { authorization, raw }: Pick<ReceivedCallback, "authorization" | "raw">,
) {
  const parts = Object.fromEntries(
    [...authorization.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value] as const),
  ) as Record<string, string>;
  const x = Buffer.from(publicKey, "base64").toString("base64url");
  const text = signedText(raw, parts["created"] ?? "", parts["expires"] ?? "");
  return (
    parts["keyId"] === `${keyId}|ed25519` &&
    verify(
      null,
      Buffer.from(text),
      { key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" },
      Buffer.from(parts["signature"] ?? "", "base64"),
    )
  );
}

function signedText(body: string, created: string, expires: string): string {
  const digest = createHash("blake2b512").update(body).digest("base64");
  return `(created): ${created}\n(expires): ${expires}\ndigest: BLAKE-512=${digest}`;
}
