import { readFile, stat } from "node:fs/promises";
import type { Log } from "../../../src/log.ts";

/** Certificates and key of one end, PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/**
 * Reads one PEM file that the config names.
 * @param key of the config, as the person who wrote it knows it
 * @throws Error that names the key, the file and what is wrong with it
 */
export async function readPem(key: string, file: string | undefined): Promise<string> {
  if (file === undefined)
    throw new Error(`${key} is missing; expected the path of a PEM file, for example ./pki/server.crt`);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new Error(`${key}: cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  if (!text.includes("-----BEGIN ")) throw new Error(`${key}: ${file} is not a PEM file`);
  return text;
}

/**
 * Reads the PEM file of a private key, and warns where others may read it too. It is used all the same: containers hand
 * over their secrets so.
 * @throws Error as `readPem`
 */
export async function readKeyPem(key: string, file: string | undefined, log: Log): Promise<string> {
  const text = await readPem(key, file);
  if (file !== undefined && process.platform !== "win32") {
    const mode = (await stat(file)).mode & 0o777;
    if ((mode & 0o077) !== 0)
      log.warn("others may read this key; run: chmod 600", { key, file, mode: mode.toString(8) });
  }
  return text;
}
