import { z } from "zod";
import type { PasswordConfig } from "./credential.ts";
import { PASSWORD_HASH_PATTERN } from "./password-hash.ts";
import { leastProfile, type ProfileChoice, type SecurityProfile } from "./security-profile.ts";

const profile = z.literal([0, 1, 2, 3]);

/** What the config says of the ports and of who may come. */
export const sharedSecurity = {
  securityProfile: profile
    .optional()
    .describe(
      "Least OCPP security profile of chargers that have none of their own: 0 none, 1 password, 2 TLS and password, 3 certificate. From 2 on the plain port stays closed unless a charger needs it. Absent: 1 where a charger has a password, else 0",
    ),
  tls: z
    .strictObject({
      host: z.string().min(1).optional().describe("Address to listen on; absent: the same as without TLS"),
      port: z.int().min(0).max(65_535).default(9221).describe("TCP port; 0 takes a free one"),
      certFile: z.string().min(1).describe("Certificate of this gateway with its chain, PEM"),
      keyFile: z.string().min(1).describe("Its key, PEM"),
      clientCaFile: z
        .string()
        .min(1)
        .optional()
        .describe("Authorities that sign the chargers' certificates, PEM; needed for security profile 3"),
    })
    .optional()
    .describe(
      "A second port with TLS 1.2 or newer: wss://gateway:9221/ocpp/CP-1. Changed files are read again by themselves",
    ),
  maxMessagesPerS: z
    .number()
    .min(1)
    .max(10_000)
    .default(20)
    .describe("Messages a second that one charger may send for long; ten times as many at once. More is held up"),
  handshakeTimeoutS: z
    .number()
    .min(1)
    .max(120)
    .default(10)
    .describe("Time from a connection until its charger must be let in, seconds"),
  bootTimeoutS: z
    .number()
    .min(1)
    .max(86_400)
    .default(120)
    .describe("A connection on which no OCPP message came for so long is closed, seconds"),
};

/** What the config says of one charger's proof. */
export const deviceSecurity = {
  securityProfile: profile
    .optional()
    .describe("Least OCPP security profile with which this charger may come; absent: that of the port"),
  password: z.string().min(8).max(100).optional().describe("Password for Basic authentication, as text"),
  passwordHex: z
    .string()
    .regex(
      /^([0-9A-Fa-f]{2}){8,64}$/,
      "bytes as hex digits, 8 bytes or more, for example the charger's AuthorizationKey",
    )
    .optional()
    .describe("The same as bytes, in hex: a 1.6 AuthorizationKey"),
  passwordFile: z.string().min(1).optional().describe("File that holds the password as text"),
  passwordHash: z
    .string()
    .regex(PASSWORD_HASH_PATTERN, "must come from `setpointd ocpp password`")
    .optional()
    .describe("Hash of the password, from `setpointd ocpp password`"),
};

function passwordsOf({ password, passwordHex, passwordFile, passwordHash }: PasswordConfig): readonly string[] {
  return [password, passwordHex, passwordFile, passwordHash].filter((one) => one !== undefined);
}

export function isOnePassword(device: PasswordConfig): boolean {
  return passwordsOf(device).length <= 1;
}

interface SecurityOfPort {
  readonly securityProfile?: SecurityProfile | undefined;
  readonly tls?: { readonly clientCaFile?: string | undefined } | undefined;
}

interface SecurityOfDevice extends PasswordConfig {
  readonly securityProfile?: SecurityProfile | undefined;
}

/** What of the config decides what a charger must show. */
export function profileChoice({ securityProfile, tls }: SecurityOfPort, device: SecurityOfDevice): ProfileChoice {
  return {
    own: device.securityProfile,
    usual: securityProfile,
    hasPassword: passwordsOf(device).length > 0,
    hasTls: tls !== undefined,
    hasClientCa: tls?.clientCaFile !== undefined,
  };
}

/** Why a charger's security cannot be as the config has it; nothing where it can. */
export function securityFault(port: SecurityOfPort, device: SecurityOfDevice): string | undefined {
  try {
    leastProfile(profileChoice(port, device));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export const ONE_PASSWORD = {
  error: "only one of password, passwordHex, passwordFile and passwordHash",
  path: ["password"],
};
