import { chmodSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readPsk } from "../../adapters/coap/psk-file.ts";
import { secretFile } from "../support/libcoap.ts";

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
