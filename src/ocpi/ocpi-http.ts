import http, { type IncomingMessage } from "node:http";
import https from "node:https";

/** An answer of another party, read to its end. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface HttpQuestion {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Sends one request. Redirects are not followed: the token is for one party only. */
export type HttpSend = (question: HttpQuestion) => Promise<HttpAnswer>;

/** One connection for each request: OCPI asks seldom. @throws Error when there is no whole answer, or a too large one */
export const sendOverHttp: HttpSend = (question) =>
  new Promise((resolve, reject) => {
    const { url, method, body, maxBytes, signal } = question;
    const request = (url.startsWith("https:") ? https : http).request(
      url,
      {
        method,
        agent: false,
        signal,
        headers: {
          accept: "application/json",
          connection: "close",
          ...question.headers,
          ...(body !== undefined && {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
          }),
        },
      },
      (response) => {
        readText(response, maxBytes).then(
          (text) => resolve({ status: response.statusCode ?? 0, headers: plain(response), text }),
          (error) => {
            request.destroy();
            reject(error);
          },
        );
      },
    );
    request.on("error", reject);
    request.end(body);
  });

async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function plain(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}
