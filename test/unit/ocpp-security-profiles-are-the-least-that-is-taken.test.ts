import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCertificate, createKeyPair, type KeyPair, privateKeyPem } from "../../src/pki/certificate.ts";
import { waitFor } from "../support/wait-for.ts";
import { basic, dialIn, openGateway } from "./ocpp-raw-charger.ts";

const DAY_MS = 86_400_000;

interface Authority {
  readonly pem: string;
  issue(commonName: string): Promise<{ readonly cert: string; readonly key: string }>;
}

/** An authority with certificates whose subject is a name, as OCPP wants them of chargers. */
async function authority(name: string): Promise<Authority> {
  const keys: KeyPair = await createKeyPair();
  const notBeforeMs = Date.now() - DAY_MS;
  const usual = { policies: [], notBeforeMs, notAfterMs: notBeforeMs + 30 * DAY_MS };
  return {
    pem: createCertificate({ ...usual, commonName: name, isAuthority: true, altNames: [] }, keys),
    issue: async (commonName) => {
      const own = await createKeyPair();
      const altNames = [{ kind: "ip4", address: "127.0.0.1" } as const];
      const request = { ...usual, commonName, isAuthority: false, altNames };
      return { cert: createCertificate(request, own, { commonName: name, keys }), key: privateKeyPem(own) };
    },
  };
}

let folder: string;
let ours: Authority;
let chargers: Authority;
let others: Authority;
const file = (name: string) => join(folder, name);
const tls = () => ({
  port: 0,
  certFile: file("gateway.crt"),
  keyFile: file("gateway.key"),
  clientCaFile: file("chargers.crt"),
});

async function writeGatewayCertificate(from: Authority): Promise<void> {
  const { cert, key } = await from.issue("gateway");
  await writeFile(file("gateway.crt"), cert);
  await writeFile(file("gateway.key"), key);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ocpp-tls-"));
  [ours, chargers, others] = await Promise.all([authority("Site"), authority("Chargers"), authority("Chargers")]);
  await writeGatewayCertificate(ours);
  await writeFile(file("chargers.crt"), chargers.pem);
});

afterAll(() => rm(folder, { recursive: true }));

const answers = async (charger: Awaited<ReturnType<typeof dialIn>>) => {
  await using connected = charger;
  return (await connected.call("Heartbeat", {}))[0] === 3;
};

describe("a charger with a password", () => {
  const devices = [{ password: "very:secret" }];

  test("comes over the plain port or over TLS, and never without it", async () => {
    await using gateway = await openGateway({ shared: { tls: tls() }, devices });
    const trust = { ca: ours.pem };
    await expect(dialIn(gateway.url)).rejects.toThrow("401");
    await expect(dialIn(gateway.tlsUrl, { tls: trust })).rejects.toThrow("401");
    await expect(dialIn(gateway.url, { headers: basic("CP-2", "very:secret") })).rejects.toThrow("401");
    const headers = basic("CP-1", "very:secret");
    expect(await answers(await dialIn(gateway.url, { headers }))).toBe(true);
    expect(await answers(await dialIn(gateway.tlsUrl, { tls: trust, headers }))).toBe(true);
  });

  test("that came over TLS once and then without is let in where it may, and that is told", async () => {
    await using gateway = await openGateway({ shared: { tls: tls() }, devices });
    const headers = basic("CP-1", "very:secret");
    expect(await answers(await dialIn(gateway.tlsUrl, { tls: { ca: ours.pem }, headers }))).toBe(true);
    await waitFor("the link to end", () => gateway.reports.some((report) => report.kind === "link" && !report.up));
    expect(await answers(await dialIn(gateway.url, { headers }))).toBe(true);
    expect(await gateway.ask("events")).toMatchObject({ events: [{ type: "LowerSecurityProfile" }] });
  });
});

describe("security profile 2", () => {
  const devices = [{ password: "very:secret", securityProfile: 2 as const }];

  test("is not lowered by a charger that has the password and comes without TLS", async () => {
    await using gateway = await openGateway({ shared: { tls: tls() }, devices: [...devices, { identity: "CP-OLD" }] });
    await expect(dialIn(gateway.url, { headers: basic("CP-1", "very:secret") })).rejects.toThrow("403");
    expect(gateway.counted("refused_total", "security-profile")).toBe(1);
    const headers = basic("CP-1", "very:secret");
    expect(await answers(await dialIn(gateway.tlsUrl, { tls: { ca: ours.pem }, headers }))).toBe(true);
  });

  test("of all chargers leaves the plain port closed; one that cannot do it yet opens it for itself", async () => {
    const shared = { tls: tls(), securityProfile: 2 as const };
    await using closed = await openGateway({ shared, devices: [{ password: "very:secret" }] });
    expect(closed.url).toBe("");
    const old = { identity: "CP-OLD", password: "old-password", securityProfile: 1 as const };
    await using migrating = await openGateway({ shared, devices: [{ password: "very:secret" }, old] });
    await expect(dialIn(migrating.url, { headers: basic("CP-1", "very:secret") })).rejects.toThrow("403");
    const headers = basic("CP-OLD", "old-password");
    expect(await answers(await dialIn(migrating.url, { identity: "CP-OLD", headers }))).toBe(true);
  });

  test("speaks no TLS older than 1.2", async () => {
    await using gateway = await openGateway({ shared: { tls: tls() }, devices });
    const headers = basic("CP-1", "very:secret");
    // Security level 0, or this side would refuse by itself.
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const dialling = dialIn(gateway.tlsUrl, { tls: { ca: ours.pem, ...old }, headers });
    await expect(dialling).rejects.toThrow("alert protocol version");
  });
});

describe("security profile 3", () => {
  const devices = [{ identity: "Depot3-Bay1", securityProfile: 3 as const }];
  const dial = (url: string, shown?: { cert: string; key: string }) =>
    dialIn(url, { identity: "Depot3-Bay1", tls: { ca: ours.pem, ...shown } });

  test("takes the charger's own certificate, in whatever case its name is written", async () => {
    await using gateway = await openGateway({ shared: { tls: tls() }, devices });
    for (const name of ["Depot3-Bay1", "DEPOT3-BAY1"]) {
      expect(await answers(await dial(gateway.tlsUrl, await chargers.issue(name)))).toBe(true);
    }
  });

  test("refuses none, another charger's, and one of an authority that only has the same name", async () => {
    await using gateway = await openGateway({ shared: { tls: tls() }, devices });
    await expect(dial(gateway.tlsUrl)).rejects.toThrow("401");
    await expect(dial(gateway.tlsUrl, await others.issue("Depot3-Bay1"))).rejects.toThrow("401");
    await expect(dial(gateway.tlsUrl, await chargers.issue("Depot3-Bay2"))).rejects.toThrow("403");
    await expect(dial(gateway.tlsUrl, await chargers.issue("Depot3-Bay10"))).rejects.toThrow(/403|429/);
    expect(gateway.counted("refused_total", "certificate")).toBeGreaterThanOrEqual(3);
  });

  test("is not lowered to a password, nor to the plain port", async () => {
    const withPassword = [{ ...devices[0], password: "very:secret" }, { identity: "CP-OLD" }];
    await using gateway = await openGateway({ shared: { tls: tls() }, devices: withPassword });
    const headers = basic("Depot3-Bay1", "very:secret");
    const shown = { identity: "Depot3-Bay1", headers };
    await expect(dialIn(gateway.tlsUrl, { ...shown, tls: { ca: ours.pem } })).rejects.toThrow("401");
    await expect(dialIn(gateway.url, shown)).rejects.toThrow("403");
  });

  test("does not take the word of the system's own authorities where none is configured", async () => {
    const { clientCaFile: _, ...withoutCa } = tls();
    const one = [{ password: "very:secret", securityProfile: 2 as const }];
    await using gateway = await openGateway({ shared: { tls: withoutCa }, devices: one });
    const shown = await chargers.issue("CP-1");
    await expect(dialIn(gateway.tlsUrl, { tls: { ca: ours.pem, ...shown } })).rejects.toThrow("401");
  });
});

test("new certificates count from the next connection on, and broken ones leave the old in use", async () => {
  const device = { password: "very:secret", securityProfile: 2 as const };
  await using gateway = await openGateway({ shared: { tls: tls() }, devices: [device] });
  const headers = basic("CP-1", "very:secret");
  const works = async (ca: string) =>
    dialIn(gateway.tlsUrl, { tls: { ca }, headers })
      .then(answers)
      .catch(() => false);
  expect(await works(ours.pem)).toBe(true);

  await writeFile(file("gateway.key"), "no key at all");
  await waitFor("a look at the files", () => works(ours.pem));
  const renewed = await authority("Site, next year");
  await writeGatewayCertificate(renewed);
  await waitFor("the new certificate", () => works(renewed.pem));
  expect(await works(ours.pem)).toBe(false);
  await writeGatewayCertificate(ours);
});

describe("what cannot be is a fault of the config", () => {
  test.each([
    [{ securityProfile: 1 as const }, {}, "needs a password"],
    [{ securityProfile: 0 as const, password: "very:secret" }, {}, "asks for no password"],
    [{ securityProfile: 2 as const, password: "very:secret" }, {}, "needs TLS"],
    [{ securityProfile: 3 as const }, { tls: { certFile: "a", keyFile: "b" } }, "clientCaFile"],
    [{ password: "very:secret", passwordHex: "00112233445566778899" }, {}, "only one of"],
    [{ passwordHash: "$scrypt$ln=20,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA" }, {}, "64 MiB"],
    [{ passwordFile: "/nonexistent/password" }, {}, "passwordFile"],
  ])("%j with %j", async (device, shared, fault) => {
    await expect(openGateway({ devices: [device], shared })).rejects.toThrow(fault);
  });

  test("a certificate that cannot be read stops the start, with its file's name", async () => {
    const broken = { ...tls(), certFile: file("nowhere.crt") };
    await expect(openGateway({ shared: { tls: broken } })).rejects.toThrow("nowhere.crt");
  });
});
