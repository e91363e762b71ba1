import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { authorization, createSigningKey } from "../market/signature.ts";
import type { Party, Stage } from "./stage.ts";

const MAX_BODY_BYTES = 1024 * 1024;
/** How long an answer may take, model time. */
const ANSWER_MS = 3_600_000;

/** One bid of an `aggregationRequest`, or a grid node of it. */
export type Aggregated = { readonly era: string } & Readonly<Record<string, unknown>>;

/** What comes back, as far as the use cases read it. */
export interface AggregationResult {
  readonly status: string;
  readonly clearingPrice?: number;
  readonly clearingQuantityKW: number;
  readonly setpoints: readonly { readonly era: string; readonly setpointKW: number }[];
  readonly locationalPrices?: readonly { readonly era: string; readonly price?: number; readonly adder: number }[];
  readonly offsets?: readonly { readonly era: string; readonly offsetKW: number; readonly unservedKW?: number }[];
}

/** Somebody on the network who has curves cleared: sends `aggregate`, signed, and is told `on_aggregate`. */
export class AggregationClient implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #party: Party;
  readonly #market: { readonly url: string; readonly subscriberId: string };
  readonly #answers = new Map<string, AggregationResult>();
  readonly #server: Server;
  #uri = "";

  private constructor(stage: Stage, party: Party, market: { url: string; subscriberId: string }) {
    this.#stage = stage;
    this.#party = party;
    this.#market = market;
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async open(
    stage: Stage,
    party: Party,
    market: { url: string; subscriberId: string },
  ): Promise<AggregationClient> {
    const client = stage.use(new AggregationClient(stage, party, market));
    await new Promise<void>((resolve) => client.#server.listen(0, "127.0.0.1", resolve));
    client.#uri = `http://127.0.0.1:${(client.#server.address() as AddressInfo).port}`;
    return client;
  }

  /** @throws Error if the market does not acknowledge, or does not answer */
  async clear(participants: readonly Aggregated[], more: object = {}): Promise<AggregationResult> {
    const { clock } = this.#stage;
    const messageId = randomUUID();
    const { subscriberId, keyId, privateKeyFile } = this.#party;
    const key = createSigningKey(subscriberId, keyId, readFileSync(privateKeyFile, "utf8"));
    const body = JSON.stringify({
      context: {
        version: "2.0.0",
        action: "aggregate",
        domain: "beckn.one:deg:energy-coordination:*",
        timestamp: new Date(clock.now()).toISOString(),
        message_id: messageId,
        transaction_id: randomUUID(),
        bap_id: subscriberId,
        bap_uri: this.#uri,
        bpp_id: this.#market.subscriberId,
        bpp_uri: this.#market.url,
        // In model time, which runs much faster than the machine.
        ttl: "PT1H",
      },
      message: { aggregationRequest: { aggregationType: "MARKET_CLEARING", participants, ...more } },
    });
    const answer = await fetch(`${this.#market.url}/aggregate`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: authorization(key, body, clock.now()) },
      body,
    });
    if (!answer.ok) throw new Error(`aggregate was answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
    await this.#stage.until("on_aggregate", ANSWER_MS, () => this.#answers.has(messageId));
    return this.#answers.get(messageId) as AggregationResult;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_BODY_BYTES) return void request.destroy();
      chunks.push(chunk as Buffer);
    }
    const { context, message } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
      context: { action: string; message_id: string };
      message: { aggregationResult?: AggregationResult };
    };
    if (context.action === "on_aggregate" && message.aggregationResult !== undefined) {
      this.#answers.set(context.message_id, message.aggregationResult);
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.end('{"message":{"ack":{"status":"ACK"}}}');
  }
}
