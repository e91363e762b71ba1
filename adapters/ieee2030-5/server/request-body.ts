import type { IncomingMessage } from "node:http";

/** The peer sent more than it may. */
export class BodyTooLong extends Error {
  override readonly name = "BodyTooLong";
}

/** Reads a whole body. @throws BodyTooLong as soon as it is longer than `mostBytes` */
export async function readBody(message: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const announced = Number(message.headers["content-length"] ?? 0);
  if (announced > mostBytes) throw new BodyTooLong(`${announced} bytes, at most ${mostBytes} are taken`);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    length += bytes.length;
    if (length > mostBytes) throw new BodyTooLong(`more than ${mostBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
