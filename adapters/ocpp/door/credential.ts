import { readFileSync } from "node:fs";
import { type PasswordHash, parsePasswordHash } from "./password-hash.ts";

/** What a charger's password is compared with. */
export type Credential =
  | { readonly kind: "secret"; readonly bytes: Buffer }
  | { readonly kind: "hash"; readonly hash: PasswordHash; readonly text: string };

/** The ways to give a password in the config. */
export interface PasswordConfig {
  readonly password?: string | undefined;
  readonly passwordHex?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly passwordHash?: string | undefined;
}

/** @throws Error that names the way and never the password */
export function credentialFrom(config: PasswordConfig): Credential | undefined {
  const { password, passwordHex, passwordFile, passwordHash } = config;
  if (password !== undefined) return { kind: "secret", bytes: Buffer.from(password, "utf8") };
  // OCPP 1.6 security white paper: an AuthorizationKey is bytes, and is written as hex.
  if (passwordHex !== undefined) return { kind: "secret", bytes: Buffer.from(passwordHex, "hex") };
  if (passwordFile !== undefined) return { kind: "secret", bytes: fileBytes(passwordFile) };
  if (passwordHash !== undefined) return { kind: "hash", hash: parsePasswordHash(passwordHash), text: passwordHash };
  return undefined;
}

/** Whether two connectors of one charger were given the same password. */
export function sameCredential(a: Credential | undefined, b: Credential | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind === "secret") return b.kind === "secret" && a.bytes.equals(b.bytes);
  return b.kind === "hash" && a.text === b.text;
}

function fileBytes(file: string): Buffer {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new Error(`passwordFile ${file} cannot be read`, { cause: error });
  }
  if (text.length < 8) throw new Error(`passwordFile ${file} holds no password of 8 letters or more`);
  return Buffer.from(text, "utf8");
}

/**
 * The password of a Basic `Authorization` header, as bytes: it need not be text. Nothing where the header is missing or
 * broken, or where the user is not this identity (which may have colons of its own).
 */
export function basicPassword(header: string | undefined, identity: string): Buffer | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]{1,400})$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  const user = Buffer.from(`${identity}:`, "utf8");
  return bytes.subarray(0, user.length).equals(user) ? bytes.subarray(user.length) : undefined;
}
