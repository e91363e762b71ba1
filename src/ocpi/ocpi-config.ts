import { z } from "zod";
import { isLoopback } from "../config/loopback.ts";
import { OCPI_MODULES, OCPI_ROLES, OCPI_VERSIONS } from "./ocpi-version.ts";
import { offerConfig } from "./offer-config.ts";

const countryCode = z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 code of two letters, for example "IN"');
const partyId = z.string().regex(/^[A-Z0-9]{3}$/, 'must be three letters or digits, for example "ECO"');

/** Short tokens can be guessed; longer than 64 is not allowed (credentials module). */
const token = z.string().regex(/^[\x21-\x7e]{20,64}$/, "must be 20 to 64 printable letters without spaces");
const tokenFile = z.string().min(1).describe("file with the token, mode 0600");

const url = z
  .url({ protocol: /^https?$/, error: "must be a URL, for example https://ocpi.example.org/versions" })
  .max(255)
  .refine((text) => isSafeUrl(text), "must be https; http only on loopback, since the token would travel in the clear");

const peer = z
  .strictObject({
    name: z.string().min(1).max(40).describe("what this peer is called in the log"),
    parties: z
      .array(z.strictObject({ countryCode, partyId, role: z.enum(OCPI_ROLES) }))
      .min(1)
      .max(50)
      .describe("in whose name this peer may speak"),
    token: token.optional().describe("what this peer sends to us; agreed beforehand, no handshake needed"),
    tokenFile: tokenFile.optional(),
    registrationToken: token.optional().describe("CREDENTIALS_TOKEN_A: opens the credentials handshake once"),
    registrationTokenFile: tokenFile.optional(),
    versionsUrl: url.optional().describe("the peer's versions endpoint, if we call it"),
    ourToken: token.optional().describe("what we send to this peer"),
    ourTokenFile: tokenFile.optional(),
    version: z.enum(OCPI_VERSIONS).default("2.2.1"),
    modules: z
      .array(z.enum(OCPI_MODULES))
      .default([...OCPI_MODULES])
      .describe("what this peer may read from us and send to us"),
  })
  .check((context) => {
    const { value } = context;
    for (const name of ["token", "registrationToken", "ourToken"] as const) {
      if (value[name] === undefined || value[`${name}File`] === undefined) continue;
      context.issues.push({
        code: "custom",
        input: value,
        path: [name],
        message: `give \`${name}\` or \`${name}File\``,
      });
    }
  });

/** The `ocpi` part of the site's config. */
export const ocpiConfig = z
  .strictObject({
    host: z.string().default("127.0.0.1"),
    port: z.int().min(0).max(65_535).default(9090),
    path: z
      .string()
      .regex(/^(\/[\w.-]+)*$/, 'must be a path such as "/ocpi"')
      .default("/ocpi"),
    publicUrl: url.optional().describe("where peers reach `path`; default: the address that is listened on"),
    tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
    behindProxy: z
      .boolean()
      .default(false)
      .describe("true: something before us ends TLS, so plain HTTP may be listened to on any address"),
    countryCode,
    partyId,
    roles: z.array(z.enum(OCPI_ROLES)).min(1).default(["CPO"]),
    businessName: z.string().min(1).max(100).default("setpointd"),
    versions: z
      .array(z.enum(OCPI_VERSIONS))
      .min(1)
      .default([...OCPI_VERSIONS]),
    acceptRawTokens: z
      .boolean()
      .default(true)
      .describe("also take tokens that are not base64, as many OCPI 2.1.1 systems send them"),
    peers: z.array(peer).max(100).default([]),
    location: offerConfig.optional(),
  })
  .check((context) => {
    const { value } = context;
    if (value.tls === undefined && !value.behindProxy && !isLoopback(value.host)) {
      context.issues.push({
        code: "custom",
        input: value,
        path: ["host"],
        message: "others can reach this address: give `tls`, or say `behindProxy: true`",
      });
    }
    const names = value.peers.map(({ name }) => name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) === index) continue;
      context.issues.push({
        code: "custom",
        input: value,
        path: ["peers", index, "name"],
        message: `"${name}" is taken`,
      });
    }
  })
  .describe("OCPI 2.2.1 and 2.3.0 with charge point operators and mobility providers");

export type OcpiConfig = z.output<typeof ocpiConfig>;
export type OcpiPeerConfig = OcpiConfig["peers"][number];

/** True for https, and for http that stays on this machine. */
export function isSafeUrl(text: string): boolean {
  try {
    const { protocol, hostname } = new URL(text);
    return protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));
  } catch {
    return false;
  }
}
