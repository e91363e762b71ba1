import http from "node:http";
import https from "node:https";

/** Largest answer that is read. */
const MAX_ANSWER_BYTES = 65_536;

export interface PostedAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Sends messages over HTTP and keeps the connections for the next ones. */
export class MessagePoster implements Disposable {
  readonly #plain: http.Agent;
  readonly #secure: https.Agent;

  constructor(maxConnections: number) {
    this.#plain = new http.Agent({ keepAlive: true, maxSockets: maxConnections, maxFreeSockets: maxConnections });
    this.#secure = new https.Agent({ keepAlive: true, maxSockets: maxConnections, maxFreeSockets: maxConnections });
  }

  /**
   * Posts JSON once and reads the answer; redirects are not followed.
   * @throws Error when there is no whole answer, or one that is too large
   */
  async post(
    url: string,
    body: Uint8Array,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<PostedAnswer> {
    try {
      return await this.#postOnce(url, body, authorization, signal);
    } catch (error) {
      // The peer closed a kept connection while it was idle; the message never reached it, so this is no failed attempt.
      if (error instanceof StaleConnection) return await this.#postOnce(url, body, authorization, signal);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #postOnce(
    url: string,
    body: Uint8Array,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<PostedAnswer> {
    const isSecure = url.startsWith("https:");
    return new Promise((resolve, reject) => {
      const request = (isSecure ? https : http).request(url, {
        method: "POST",
        agent: isSecure ? this.#secure : this.#plain,
        signal,
        headers: {
          "content-type": "application/json",
          "content-length": body.length,
          ...(authorization !== undefined && { authorization }),
        },
      });
      request.on("error", (error) => {
        const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET";
        reject(isStale ? new StaleConnection() : error);
      });
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size <= MAX_ANSWER_BYTES) {
            chunks.push(chunk);
            return;
          }
          reject(new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`));
          request.destroy();
        });
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {}
