import { createHash } from "node:crypto";

const HEADER = /^Token +([\x21-\x7e]{1,400})$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The value of the Authorization header: the token in base64 (2.2 and later; before, it went as it was). */
export function authorizationOf(token: string): string {
  return `Token ${Buffer.from(token, "utf8").toString("base64")}`;
}

/**
 * The tokens that an Authorization header may mean, the one that the standard demands first. Two, where it could also be
 * meant without base64 and that is accepted.
 */
export function tokensFromAuthorization(header: string | undefined, acceptRaw: boolean): string[] {
  const value = HEADER.exec(header ?? "")?.[1];
  if (value === undefined) return [];
  const tokens: string[] = [];
  if (BASE64.test(value)) {
    const decoded = Buffer.from(value, "base64").toString("utf8");
    if (/^[\x21-\x7e]+$/.test(decoded)) tokens.push(decoded);
  }
  if (acceptRaw) tokens.push(value);
  return tokens;
}

/** Tokens are compared by their digest, so that the time it takes tells nothing of the token. */
export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
