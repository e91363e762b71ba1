import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where the certificate, its key and the authority of the other side lie, as a config names them. */
export interface CredentialFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** Writes PEM into a folder, for its owner's eyes only. */
export async function writeCredentials(
  folder: string,
  { cert, key, ca }: { readonly cert: string; readonly key: string; readonly ca: string },
): Promise<CredentialFiles> {
  const files = { certFile: join(folder, "cert"), keyFile: join(folder, "key"), caFile: join(folder, "ca") };
  await writeFile(files.certFile, cert, { mode: 0o600 });
  await writeFile(files.keyFile, key, { mode: 0o600 });
  await writeFile(files.caFile, ca, { mode: 0o600 });
  return files;
}
