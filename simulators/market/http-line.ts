import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { type ParticipantAnswer, participantAnswer } from "./answer.ts";

const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_SOCKETS_PER_PARTICIPANT = 16;

/** Posts callbacks to participants over its own sockets, which end with it. */
export class HttpLine implements Disposable {
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS_PER_PARTICIPANT });
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: MAX_SOCKETS_PER_PARTICIPANT });

  /**
   * @returns what the participant answered
   * @throws Error if it could not be reached, answered neither ACK nor NACK, or `signal` aborted
   */
  async send(url: string, authorization: string, body: string, signal: AbortSignal): Promise<ParticipantAnswer> {
    const { status, text } = await this.#post(url, authorization, body, signal);
    const answer = participantAnswer(parse(text));
    if (answer !== undefined) return answer;
    throw new Error(`HTTP ${status} without ACK or NACK`);
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #post(url: string, authorization: string, body: string, signal: AbortSignal) {
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      const secure = url.startsWith("https:");
      const options = {
        method: "POST",
        agent: secure ? this.#https : this.#http,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          authorization,
        },
        signal,
      };
      const onAnswer = (answer: IncomingMessage) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) answer.destroy(new Error(`answer longer than ${MAX_ANSWER_BYTES} bytes`));
          else chunks.push(chunk);
        });
        answer.on("error", reject);
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") });
        });
      };
      const request = secure ? httpsRequest(url, options, onAnswer) : httpRequest(url, options, onAnswer);
      request.on("error", reject);
      request.end(body);
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
