import { readFile } from "node:fs/promises";

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
