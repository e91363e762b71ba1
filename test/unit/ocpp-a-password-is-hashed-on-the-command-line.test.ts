import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { basic, dialIn, openGateway } from "./ocpp-raw-charger.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

function ocppPassword(
  input: string,
  ...options: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, "ocpp", "password", ...options]);
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    said.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.stderr += chunk;
  });
  child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...said })));
}

test("a line from stdin becomes a line of the config, with which the charger is let in", async () => {
  const [text, key, made] = await Promise.all([
    ocppPassword("very:secret-password\n"),
    ocppPassword("0001020304050607ffffffffffffffff3a80c328\n", "--hex"),
    ocppPassword("", "--generate", "--json"),
  ]);
  const generated = JSON.parse(made.stdout) as { passwordHash: string; password: string };
  const cases = [
    [parse(text.stdout), "very:secret-password"],
    [parse(key.stdout), Buffer.from("0001020304050607ffffffffffffffff3a80c328", "hex")],
    [{ passwordHash: generated.passwordHash }, generated.password],
  ] as const;
  for (const [device, password] of cases) {
    await using gateway = await openGateway({ devices: [device as { passwordHash: string }] });
    await using charger = await dialIn(gateway.url, { headers: basic("CP-1", password) });
    expect((await charger.call("Heartbeat", {}))[0]).toBe(3);
  }
  expect(text.stdout + text.stderr).not.toContain("very:secret");
});

test("what is no password is wrong use, and says why", async () => {
  const [short, odd, none] = await Promise.all([
    ocppPassword("short\n"),
    ocppPassword("zz\n", "--hex"),
    ocppPassword(""),
  ]);
  for (const ended of [short, odd, none]) expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(short.stderr).toContain("8 bytes");
  expect(odd.stderr).toContain("not hex");
  expect(none.stderr).toContain("no password came");
});
