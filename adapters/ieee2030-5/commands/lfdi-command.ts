import { type AdapterCommand, OperationError } from "../../kind.ts";
import { lfdiFromCertificate, sfdiFromLfdi } from "../identity.ts";
import { SEP2_GROUP } from "./command-group.ts";

const P256 = "prime256v1";

/** `setpointd 2030.5 lfdi CERT`: who a certificate makes its owner. */
export const lfdiCommand: AdapterCommand = {
  group: SEP2_GROUP,
  name: "lfdi",
  summary: "LFDI and SFDI of a certificate",
  examples: ["2030.5 lfdi pki/device-barn-inverter.crt", "2030.5 lfdi inverter.cer --json"],
  arguments: [{ name: "<certificate>", description: "PEM or DER; of a PEM chain the first one counts" }],
  needs: "alone",
  run: async ({ args }) => {
    const [file = ""] = args;
    const certificate = await certificateFrom(file);
    const lfdi = lfdiFromCertificate(certificate.raw);
    const curve = certificate.publicKey.asymmetricKeyDetails?.namedCurve;
    const notes = [
      ...(curve === P256 ? [] : ["its key is not on P-256: 2030.5 devices and this gateway turn it away"]),
      ...(certificate.ca ? ["it is an authority's and no device's"] : []),
    ];
    const identity = { lfdi, sfdi: sfdiFromLfdi(lfdi) };
    return {
      json: { schemaVersion: 1, ...identity, validTo: new Date(certificate.validTo).toISOString(), notes },
      text: [`LFDI ${identity.lfdi}`, `SFDI ${identity.sfdi}`, ...notes.map((note) => `note: ${note}`)].join("\n"),
    };
  },
};

async function certificateFrom(file: string) {
  // The daemon has these commands too, and never reads a certificate so.
  const [{ readFile }, { X509Certificate }] = await Promise.all([import("node:fs/promises"), import("node:crypto")]);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new OperationError("not-found", cause instanceof Error ? cause.message : String(cause));
  }
  try {
    return new X509Certificate(bytes);
  } catch {
    throw new OperationError("invalid", `${file} holds no certificate, neither as PEM nor as DER`);
  }
}
