import { type AdapterCommand, OperationError } from "../../kind.ts";
import { newPassword } from "../door/new-password.ts";
import { hashPassword } from "../door/password-hash.ts";

/** Shortest that the config takes; 1.6 asks for 16 bytes, 2.0.1 for 16 letters. */
const LEAST_BYTES = 8;
const ADVISED_BYTES = 16;

/** `setpointd ocpp password`: a line for the config in place of a password that can be read. */
export const passwordCommand: AdapterCommand = {
  name: "password",
  summary: "hash a charger's password for the config; asks for it, or reads a line from stdin",
  examples: [
    "ocpp password",
    "ocpp password --generate",
    "ocpp password --hex < authorization-key.txt    # AuthorizationKey of OCPP 1.6",
  ],
  options: [
    { flags: "--hex", description: "what is given is bytes in hex" },
    { flags: "--generate", description: "make a new one, and show it this once" },
  ],
  needs: "alone",
  run: async ({ options }, { signal }) => {
    const made = options["generate"] === true ? newPassword() : undefined;
    // The daemon has these commands too, and never asks anyone.
    const { askSecret } = await import("./ask-secret.ts");
    const given = made ?? (await askSecret("password (not shown): ", signal));
    const password = options["hex"] === true && made === undefined ? bytesFromHex(given) : Buffer.from(given, "utf8");
    if (password.length < LEAST_BYTES) throw new OperationError("invalid", `it must have ${LEAST_BYTES} bytes or more`);
    const passwordHash = await hashPassword(password);
    const advice =
      password.length < ADVISED_BYTES ? `# shorter than the ${ADVISED_BYTES} bytes that OCPP asks for\n` : "";
    const shown = made === undefined ? "" : `# password for the charger: ${made}\n`;
    return {
      json: { passwordHash, ...(made !== undefined && { password: made }) },
      text: `${shown}${advice}passwordHash: "${passwordHash}"`,
    };
  },
};

function bytesFromHex(text: string): Buffer {
  const digits = text.trim();
  if (!/^([0-9A-Fa-f]{2})+$/.test(digits))
    throw new OperationError("invalid", "not hex: an even number of 0-9 and A-F");
  return Buffer.from(digits, "hex");
}
