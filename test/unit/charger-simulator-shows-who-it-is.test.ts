import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { RPCServer } from "ocpp-rpc";
import { expect, test } from "vitest";
import { ChargerSimulator } from "../../simulators/charger/charger-simulator.ts";
import { createPki } from "../../simulators/pki.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { quickCar } from "../support/charger-story.ts";
import { run } from "../support/command-line.ts";
import { waitFor } from "../support/wait-for.ts";

/** Not UTF-8, with a colon and a newline in it. */
const RAW_PASSWORD = Uint8Array.from([0xff, 0x00, 0x3a, 0x0a, 0x80, 0xfe, 0x41]);

interface Login {
  readonly identity: string;
  readonly password: Buffer | undefined;
  readonly certificate: string | undefined;
}

/** A CSMS behind TLS that notes who came. */
async function openCsms(options: {
  pki: Awaited<ReturnType<typeof createPki>>;
  mutual?: boolean;
  admits?: Uint8Array;
}) {
  const { pki, mutual = false, admits } = options;
  const logins: Login[] = [];
  const ocpp = new RPCServer({ protocols: ["ocpp2.0.1"], strictMode: true });
  ocpp.auth((accept, reject, { identity, password, request }: Handshake) => {
    const subject = (request.socket as TLSSocket).getPeerCertificate().subject as { CN?: string } | undefined;
    logins.push({ identity, password, certificate: subject?.CN });
    if (admits !== undefined && !password?.equals(admits)) reject(401, "Unauthorized");
    else accept();
  });
  const https = createServer({ ...(await pki.issue("server", "localhost")), ca: pki.ca, requestCert: mutual });
  https.on("upgrade", ocpp.handleUpgrade);
  https.listen(0, "127.0.0.1");
  await once(https, "listening");
  return {
    url: `wss://127.0.0.1:${(https.address() as AddressInfo).port}/ocpp`,
    logins,
    [Symbol.asyncDispose]: async () => {
      const closed = once(ocpp, "close");
      await ocpp.close({ force: true });
      await closed.catch(() => {});
      https.closeAllConnections();
      https.close();
    },
  };
}

interface Handshake {
  readonly identity: string;
  readonly password: Buffer | undefined;
  readonly request: { readonly socket: unknown };
}

function charger(url: string, login: Partial<ConstructorParameters<typeof ChargerSimulator>[0]>): ChargerSimulator {
  return new ChargerSimulator({
    identity: "CP-9",
    url,
    version: "2.0.1",
    phases: 3,
    maxA: 16,
    car: quickCar(),
    clock: systemClock,
    log: silentLog,
    ...login,
  });
}

test.concurrent("it logs in with a password of any bytes, over TLS that it checks", async () => {
  const pki = await createPki();
  await using csms = await openCsms({ pki, admits: RAW_PASSWORD });
  const events: string[] = [];
  const login = {
    ca: pki.ca,
    password: RAW_PASSWORD,
    onEvent: ({ event }: { event: string }) => void events.push(event),
  };
  await using right = charger(csms.url, login);
  await right.start();
  expect(events).toContain("connected");
  expect(csms.logins.at(-1)).toMatchObject({ identity: "CP-9", password: Buffer.from(RAW_PASSWORD) });
});

test.concurrent("it says so when the CSMS turns it away, and when it does not know the CSMS", async () => {
  const pki = await createPki();
  await using csms = await openCsms({ pki, admits: RAW_PASSWORD });
  const failures: unknown[] = [];
  const onEvent = (event: { event: string }) => void (event.event === "dialFailed" && failures.push(event));
  await using wrong = charger(csms.url, { ca: pki.ca, password: "guess", onEvent });
  await wrong.start();
  await waitFor("the refusal", () => failures.length > 0);
  expect(failures[0]).toMatchObject({ httpStatus: 401 });
  const before = csms.logins.length;
  failures.length = 0;
  await wrong[Symbol.asyncDispose]();
  await using stranger = charger(csms.url, { ca: (await createPki()).ca, password: RAW_PASSWORD, onEvent });
  await stranger.start();
  await waitFor("the doubt", () => failures.length > 0);
  expect(failures[0]).not.toHaveProperty("httpStatus");
  expect(csms.logins.length).toBe(before);
});

test.concurrent("it shows a certificate of its own where that is wanted", async () => {
  const pki = await createPki();
  await using csms = await openCsms({ pki, mutual: true });
  await using known = charger(csms.url, { ca: pki.ca, ...(await pki.issue("server", "CP-9")) });
  await known.start();
  expect(csms.logins.at(-1)).toMatchObject({ identity: "CP-9", certificate: "CP-9" });
  await using unknown = charger(csms.url, { ca: pki.ca });
  const before = csms.logins.length;
  await unknown.start();
  expect(csms.logins.length).toBe(before);
});

test.concurrent("on the command line the secrets come from files, and the exit code says what became of them", async () => {
  const pki = await createPki();
  await using csms = await openCsms({ pki, admits: Buffer.from("secret") });
  const dir = await mkdtemp(join(tmpdir(), "charger-"));
  try {
    const file = async (name: string, text: string) => {
      const path = join(dir, name);
      await writeFile(path, text);
      return path;
    };
    const ca = await file("ca.pem", pki.ca);
    const command = ["sim", "charger", "--url", csms.url, "--identity", "CP-9", "--ocpp", "2.0.1", "--ca", ca];
    const refused = await run(...command, "--password-file", await file("wrong", "guess\n"), "--for", "1");
    expect(refused.code).toBe(4);
    const admitted = await run(...command, "--password-file", await file("right", "secret\n"), "--for", "1");
    // This CSMS answers nothing, so the boot is not accepted; but the door was opened.
    expect(admitted.code).toBe(6);
    const missing = await run(...command, "--password-file", join(dir, "nothing"));
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/nothing.*cannot be read/);
  } finally {
    await rm(dir, { recursive: true });
  }
});
