import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Backoff } from "../../adapters/ocpp/door/backoff.ts";
import type { Credential } from "../../adapters/ocpp/door/credential.ts";
import { LoginGuard, network } from "../../adapters/ocpp/door/login-guard.ts";
import { PasswordCheck } from "../../adapters/ocpp/door/password-check.ts";
import { hashPassword, parsePasswordHash } from "../../adapters/ocpp/door/password-hash.ts";
import { systemClock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { HandClock } from "../support/hand-clock.ts";
import { basic, dialIn, openGateway } from "./ocpp-raw-charger.ts";

/** Bytes that are no text in any encoding: an AuthorizationKey as the 1.6 white paper has it. */
const KEY = Buffer.from("0001020304050607ffffffffffffffff3a80c328", "hex");

async function hashOf(password: string | Buffer): Promise<Extract<Credential, { kind: "hash" }>> {
  const text = await hashPassword(Buffer.from(password));
  return { kind: "hash", hash: parsePasswordHash(text), text };
}

describe("a password in the config", () => {
  test("may be text, bytes, a file or a hash, and the charger sees no difference", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ocpp-password-"));
    const passwordFile = join(folder, "bay-1");
    await writeFile(passwordFile, "very:secret\n");
    const cases = [
      [{ password: "pässword:1" }, Buffer.from("pässword:1")],
      [{ passwordHex: KEY.toString("hex") }, KEY],
      [{ passwordFile }, Buffer.from("very:secret")],
      [{ passwordHash: await hashPassword(KEY) }, KEY],
    ] as const;
    for (const [device, password] of cases) {
      await using gateway = await openGateway({ devices: [device] });
      const almost = Buffer.concat([password.subarray(0, -1), Buffer.from([password.at(-1) === 1 ? 2 : 1])]);
      await expect(dialIn(gateway.url, { headers: basic("CP-1", almost) })).rejects.toThrow("401");
      await using charger = await dialIn(gateway.url, { headers: basic("CP-1", password) });
      expect((await charger.call("Heartbeat", {}))[0]).toBe(3);
    }
    await rm(folder, { recursive: true });
  });

  test("is in no line of the log, in no answer and in no event", async () => {
    const said: string[] = [];
    const listening: Log = {
      debug: (message, fields) => void said.push(message + JSON.stringify(fields)),
      info: (message, fields) => void said.push(message + JSON.stringify(fields)),
      warn: (message, fields) => void said.push(message + JSON.stringify(fields)),
      error: (message, fields) => void said.push(message + JSON.stringify(fields)),
      child: () => listening,
    };
    const devices = [{ password: "s3cret-of-bay-1" }];
    await using gateway = await openGateway({ devices, log: listening });
    for (let n = 0; n < 5; n++) {
      await expect(dialIn(gateway.url, { headers: basic("CP-1", `wr0ng-guess-${n}`) })).rejects.toThrow(/401|429/);
    }
    said.push(JSON.stringify([gateway.strangers(), await gateway.ask("stations"), await gateway.ask("events")]));
    expect(said.length).toBeGreaterThan(2);
    for (const line of said) {
      expect(line).not.toMatch(/s3cret|wr0ng|Basic|czNjcmV0/);
    }
  });
});

describe("a hash", () => {
  test("is different each time, and says in its text how it was made", async () => {
    const [one, two] = await Promise.all([hashPassword(KEY), hashPassword(KEY)]);
    expect(one).toMatch(/^\$scrypt\$ln=14,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(two);
  });

  test("is worked out once for a charger; from then on its password and all wrong ones are told apart without", async () => {
    const check = new PasswordCheck(systemClock);
    const credential = await hashOf("very-secret");
    expect(await check.check("CP-1", credential, Buffer.from("very-secret"))).toBe("right");
    // One that cannot be worked out any more: whoever still tries would fail.
    const broken: Credential = { ...credential, hash: { ...credential.hash, logCost: 60 } };
    for (const [password, verdict] of [
      ["very-secret", "right"],
      ["very-secrex", "wrong"],
    ] as const) {
      expect(await check.check("CP-1", broken, Buffer.from(password))).toBe(verdict);
    }
    await expect(check.check("CP-2", broken, Buffer.from("very-secret"))).rejects.toThrow();
  });

  test("holds nothing up: the same wrong password again costs nothing, and more than so many at once are sent away", async () => {
    const check = new PasswordCheck(systemClock);
    const credential = await hashOf("very-secret");
    expect(await check.check("CP-1", credential, Buffer.from("wrong"))).toBe("wrong");
    const broken: Credential = { ...credential, hash: { ...credential.hash, logCost: 60 } };
    expect(await check.check("CP-1", broken, Buffer.from("wrong"))).toBe("wrong");

    const flood = Array.from({ length: 200 }, (_, n) => check.check(`CP-${n + 2}`, credential, Buffer.from("guess")));
    const verdicts = await Promise.all([
      ...flood.slice(64),
      // A second guess for the same charger does not even wait.
      check.check("CP-2", credential, Buffer.from("another")),
    ]);
    expect(new Set(verdicts)).toEqual(new Set(["busy"]));
    expect(await flood[0]).toBe("wrong");
  });

  test("does not block: time goes on while one is worked out", async () => {
    const check = new PasswordCheck(systemClock);
    const credential = await hashOf("very-secret");
    let turns = 0;
    let done = false;
    const checking = check.check("CP-1", credential, Buffer.from("very-secret")).finally(() => {
      done = true;
    });
    while (!done) {
      turns += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await checking).toBe("right");
    expect(turns).toBeGreaterThan(10);
  });
});

describe("whoever guesses", () => {
  test("waits twice as long each time, up to five minutes, and starts anew after a quarter of an hour", () => {
    const clock = new HandClock();
    const backoff = new Backoff(clock, { free: 3, capMs: 300_000 });
    const waits = Array.from({ length: 14 }, () => backoff.noteFailure("192.0.2.1"));
    expect(waits).toEqual([0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000));
    expect(backoff.waitMs("192.0.2.1")).toBe(300_000);
    expect(backoff.waitMs("192.0.2.2")).toBe(0);
    clock.advance(900_001);
    expect(backoff.waitMs("192.0.2.1")).toBe(0);
    expect(backoff.noteFailure("192.0.2.1")).toBe(0);
  });

  test("fills no table: who failed longest ago is forgotten", () => {
    const backoff = new Backoff(new HandClock(), { free: 0, capMs: 300_000 });
    for (let n = 0; n < 5000; n++) backoff.noteFailure(`address ${n}`);
    expect(backoff.waitMs("address 0")).toBe(0);
    expect(backoff.waitMs("address 4000")).toBeGreaterThan(0);
  });

  test("one charger that is set up wrongly does not lock out those behind the same address; one that tries all does", () => {
    const guard = new LoginGuard(new HandClock());
    for (let n = 0; n < 6; n++) guard.noteFailure("192.0.2.1", "CP-1");
    expect(guard.waitMs("192.0.2.1", "CP-1")).toBeGreaterThan(0);
    expect(guard.waitMs("192.0.2.1", "CP-2")).toBe(0);
    for (let n = 0; n < 20; n++) guard.noteFailure("192.0.2.1", `CP-${n}`);
    expect(guard.waitMs("192.0.2.1", "CP-99")).toBeGreaterThan(0);
    expect(guard.waitMs("192.0.2.2", "CP-99")).toBe(0);
  });

  test("a network of IPv6 is one address", () => {
    for (const address of ["2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3"]) expect(network(address)).toBe("2001:db8:1:2");
    expect(network("2001:db8::1")).toBe("2001:db8:0:0");
    expect(network("::1")).toBe("0:0:0:0");
    expect(network("192.0.2.1")).toBe("192.0.2.1");
  });

  test("over a real socket: a few are 401, then 429 with the time to wait, also for the right one, and it is told", async () => {
    await using gateway = await openGateway({ devices: [{ password: "very-secret" }] });
    const refusals: string[] = [];
    for (let n = 0; n < 8; n++) {
      const error = await dialIn(gateway.url, { headers: basic("CP-1", `guess-${n}`) }).catch(
        (reason: Error) => reason,
      );
      refusals.push((error as Error).message);
    }
    expect(refusals.slice(0, 4)).toEqual(new Array(4).fill("refused with 401"));
    expect(refusals.slice(4)).toContain("refused with 429");
    await expect(dialIn(gateway.url, { headers: basic("CP-1", "very-secret") })).rejects.toThrow("429");
    expect(gateway.counted("refused_total", "too-many-failures")).toBeGreaterThan(0);
    expect(await gateway.ask("events")).toMatchObject({ events: [{ source: "gateway", type: "FailedLogins" }] });
  });
});
