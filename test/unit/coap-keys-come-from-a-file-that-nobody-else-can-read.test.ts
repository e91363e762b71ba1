import { chmodSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { coap } from "../../adapters/coap/index.ts";
import { readPsk } from "../../adapters/coap/psk-file.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { secretFile } from "../support/libcoap.ts";
import { volatileMemory } from "../support/volatile-memory.ts";

describe("a pre-shared key", () => {
  test("is the text of its file, or bytes in hexadecimal", () => {
    expect(Buffer.from(readPsk(secretFile("secretPSK\n"))).toString()).toBe("secretPSK");
    expect(Buffer.from(readPsk(secretFile("hex:00ff80\n"))).toString("hex")).toBe("00ff80");
  });

  test.each(["", "\n", "hex:", "hex:abc", "hex:zz", "x".repeat(257)])("%j is none, and is not shown", (text) => {
    const file = secretFile(text);
    expect(() => readPsk(file)).toThrow(file);
    if (text.length > 8) expect(() => readPsk(file)).not.toThrow(text);
  });

  test("in a file that others can read is refused", () => {
    const file = secretFile("secretPSK");
    chmodSync(file, 0o644);
    expect(() => readPsk(file)).toThrow("chmod 600");
    expect(() => readPsk(file)).not.toThrow("secretPSK");
  });

  test("that is not there is named", () => {
    expect(() => readPsk("/nowhere/device.psk")).toThrow("/nowhere/device.psk");
  });
});

test("a device whose key or profile can't be used says so, and stops no other", async () => {
  const gateway = coap.createHost({}, { clock, log: silentLog, random: Math.random, memory: volatileMemory() });
  const signal = new AbortController().signal;
  const device = (part: object) =>
    gateway.adapter(
      { era: "dev", kind: "load" },
      coap.deviceSchema.parse({ profile: "lwm2m-meter", host: "127.0.0.1", port: 9, ...part }),
    );
  const keyless = device({ psk: { identity: "gateway", keyFile: "/nowhere/device.psk" } });
  await expect(keyless.start(signal)).rejects.toMatchObject({ fault: "protocol", era: "dev" });
  await expect(keyless.start(signal)).rejects.toThrow("/nowhere/device.psk");
  const profileFile = secretFile("id: x");
  const odd = device({ profile: undefined, profileFile });
  await expect(odd.start(signal)).rejects.toThrow(`${profileFile}:1:`);
  await expect(device({}).start(signal)).rejects.toMatchObject({ fault: "unreachable" });
  await gateway[Symbol.asyncDispose]();
});
