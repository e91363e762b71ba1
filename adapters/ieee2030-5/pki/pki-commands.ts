import { hostname } from "node:os";
import { join } from "node:path";
import { createKeyPair, privateKeyPem } from "../../../src/pki/certificate.ts";
import type { AltName } from "../../../src/pki/certificate-parts.ts";
import { serverName } from "../../../src/pki/server-names.ts";
import { createSigningRequest } from "../../../src/pki/signing-request.ts";
import { type AdapterCommand, OperationError } from "../../kind.ts";
import { SEP2_GROUP } from "../commands/command-group.ts";
import { textOption, wholeOption } from "../commands/command-options.ts";
import { writeKeyPair } from "./key-files.ts";
import { type IssuedIdentity, SiteAuthority } from "./site-authority.ts";

const group = {
  name: `${SEP2_GROUP.name} pki`,
  summary: "keys and certificates: an authority for one site, its devices, requests to a utility",
} as const;

const MOST_DAYS = 36_500;
/** Under the enterprise number that RFC 5612 keeps for examples: nobody's hardware, so nobody is claimed to have made it. */
const HARDWARE_TYPE = "1.3.6.1.4.1.32473.1";

const dirOption = { flags: "--dir <folder>", description: "folder of the files", defaultValue: "pki" };
const daysOption = { flags: "--days <count>", description: "how long it holds; default: no end, as CSIP has it" };
const deviceDaysOption = {
  ...daysOption,
  description: `${daysOption.description}; 0 has ended at once, to see what an expired one does`,
};
const hardwareOption = {
  flags: "--hardware-type <oid>",
  description: "the maker's OID of the hardware, beside the serial number",
  defaultValue: HARDWARE_TYPE,
};

/** `setpointd 2030.5 pki init`: an authority and the certificate of this gateway's server. */
const init: AdapterCommand = {
  group,
  name: "init",
  summary: "make the site's certificate authority where there is none, and a certificate for this gateway's server",
  examples: ["2030.5 pki init", "2030.5 pki init --dir /etc/setpointd/pki --host gateway.lan,192.0.2.10"],
  options: [
    dirOption,
    { flags: "--host <names>", description: "names and IPv4 addresses of the gateway, with commas between" },
    { flags: "--name <name>", description: "name of the authority", defaultValue: "setpointd site CA" },
    daysOption,
  ],
  needs: "alone",
  run: async ({ options }, { clock }) => {
    const dir = textOption(options, "dir") ?? "pki";
    const names = namesFrom(textOption(options, "host"));
    const days = wholeOption(options, "days", 1, MOST_DAYS);
    const name = textOption(options, "name") ?? "";
    if (name.length === 0 || name.length > 64) throw new OperationError("invalid", "--name must have 1 to 64 letters");
    const nowMs = clock.now();
    const authority = await SiteAuthority.createOrOpen(dir, name, nowMs);
    const server = await authority.server(names, hostname(), { nowMs, ...(days !== undefined && { days }) });
    const caFile = authority.caFile;
    return {
      json: { schemaVersion: 1, caFile, caKeyFile: join(dir, "ca.key"), server },
      text: [
        `# LFDI of this gateway's server: ${server.lfdi}`,
        `# Whoever has ${join(dir, "ca.key")} can make devices of this site: keep it off the gateway where you can.`,
        "ieee2030_5:",
        `  certFile: ${server.certFile}`,
        `  keyFile: ${server.keyFile}`,
        `  caFile: ${caFile}`,
      ].join("\n"),
    };
  },
};

/** `setpointd 2030.5 pki device NAME`: key and certificate to load into an inverter. */
const device: AdapterCommand = {
  group,
  name: "device",
  summary: "make key and certificate of a device, signed by the site's authority",
  examples: ["2030.5 pki device barn-inverter", "2030.5 pki device SN-20391 --dir /etc/setpointd/pki --json"],
  arguments: [{ name: "<name>", description: "serial number or another name of the device" }],
  options: [dirOption, hardwareOption, deviceDaysOption],
  needs: "alone",
  run: async ({ args, options }, { clock }) => {
    const name = deviceName(args[0]);
    const days = wholeOption(options, "days", 0, MOST_DAYS);
    const hardwareType = oidFrom(textOption(options, "hardwareType"));
    const authority = await SiteAuthority.open(textOption(options, "dir") ?? "pki");
    const issued = await authority.device(name, hardwareType, {
      nowMs: clock.now(),
      ...(days !== undefined && { days }),
    });
    return { json: { schemaVersion: 1, name, ...issued }, text: deviceText(issued, authority.caFile) };
  },
};

/** `setpointd 2030.5 pki csr NAME`: a key of our own and a request for a utility's authority. */
const csr: AdapterCommand = {
  group,
  name: "csr",
  summary: "make a key and a request that a utility's authority signs; the key stays here",
  examples: ["2030.5 pki csr gateway-17", '2030.5 pki csr gateway-17 --common-name "Site 17" --dir /etc/setpointd/pki'],
  arguments: [{ name: "<name>", description: "serial number or another name of the gateway" }],
  options: [
    dirOption,
    hardwareOption,
    { flags: "--common-name <name>", description: "subject; default: empty, as CSIP has it" },
  ],
  needs: "alone",
  run: async ({ args, options }) => {
    const name = deviceName(args[0]);
    const altNames: AltName[] = [
      { kind: "hardware", type: oidFrom(textOption(options, "hardwareType")), serial: name },
    ];
    const keys = await createKeyPair();
    const claims = { isAuthority: false, altNames, policies: [] };
    const pem = createSigningRequest(textOption(options, "commonName"), claims, keys);
    const dir = textOption(options, "dir") ?? "pki";
    const files = await writeKeyPair(dir, encodeURIComponent(name), privateKeyPem(keys), { ending: "csr", pem });
    return {
      json: { schemaVersion: 1, name, keyFile: files.keyFile, requestFile: files.otherFile },
      text: [
        `${files.otherFile}: send this to the utility`,
        `${files.keyFile}: keep this here`,
        "the LFDI follows from the certificate that comes back: setpointd 2030.5 lfdi CERTIFICATE",
      ].join("\n"),
    };
  },
};

export const pkiCommands: readonly AdapterCommand[] = [init, device, csr];

function deviceText(issued: IssuedIdentity, caFile: string): string {
  return [
    `LFDI ${issued.lfdi}`,
    `SFDI ${issued.sfdi}`,
    `load into the device: ${issued.certFile}, ${issued.keyFile}, and ${caFile} as the authority of the server`,
    `in the config of the device: lfdi: ${issued.lfdi}`,
  ].join("\n");
}

function deviceName(text: string | undefined): string {
  if (text !== undefined && /^[^\p{Cc}]{1,64}$/u.test(text)) return text;
  throw new OperationError("invalid", "the name must have 1 to 64 letters");
}

function oidFrom(text = HARDWARE_TYPE): string {
  if (/^[0-2](\.(0|[1-9]\d{0,9})){2,20}$/.test(text)) return text;
  throw new OperationError("invalid", `--hardware-type is "${text}", expected an OID, for example ${HARDWARE_TYPE}`);
}

/** Names by which the gateway is reached: its own, and those that were given. */
function namesFrom(given = ""): readonly AltName[] {
  const asked = given.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
  const wrong = asked.find((name) => serverName(name) === undefined);
  if (wrong !== undefined) {
    throw new OperationError("invalid", `--host: "${wrong}" is neither a host name nor an IPv4 address`);
  }
  const names = new Set(["127.0.0.1", "localhost", hostname(), ...asked]);
  return [...names].map(serverName).filter((altName) => altName !== undefined);
}
