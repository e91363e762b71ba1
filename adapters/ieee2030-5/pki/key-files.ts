import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../../kind.ts";

const KEY_MODE = 0o600;
const PUBLIC_MODE = 0o644;
const FOLDER_MODE = 0o700;

/**
 * Writes a key and what belongs to it, the key for its owner alone. Neither replaces a file that is there: the identity of
 * a device is its certificate, and a lost key does not come back.
 *
 * @param stem file names without their ends, inside `folder`
 * @param other what goes beside the key: its certificate or a request for one
 * @throws OperationError when one of the files is there already
 */
export async function writeKeyPair(
  folder: string,
  stem: string,
  keyPem: string,
  other: { readonly ending: "crt" | "csr"; readonly pem: string },
): Promise<{ readonly keyFile: string; readonly otherFile: string }> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const keyFile = join(folder, `${stem}.key`);
  const otherFile = join(folder, `${stem}.${other.ending}`);
  await writeNew(keyFile, keyPem, KEY_MODE);
  try {
    await writeNew(otherFile, other.pem, PUBLIC_MODE);
  } catch (error) {
    await rm(keyFile);
    throw error;
  }
  return { keyFile, otherFile };
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { mode, flag: "wx", flush: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new OperationError("invalid", `${file} is there already and is not replaced`);
  }
}
