import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ocpiConfig } from "../../src/ocpi/ocpi-config.ts";
import { readPeers } from "../../src/ocpi/ocpi-peers.ts";
import { benchConfig } from "../support/ocpi-bench.ts";

const us = { countryCode: "IN", partyId: "ECO" };
const parties = [{ countryCode: "NL", partyId: "EMP", role: "EMSP" }];
const token = "a-token-of-20-letters";

test("two codes are enough, and both versions and all modules follow", () => {
  expect(ocpiConfig.parse(us)).toMatchObject({
    versions: ["2.2.1", "2.3.0"],
    path: "/ocpi",
    host: "127.0.0.1",
    peers: [],
  });
  expect(ocpiConfig.parse({ ...us, peers: [{ name: "emsp", parties, token }] }).peers[0]).toMatchObject({
    version: "2.2.1",
    modules: ["locations", "tariffs", "sessions", "cdrs"],
  });
});

test.each([
  [{ ...us, host: "0.0.0.0" }, "others can reach this address"],
  [{ ...us, countryCode: "India" }, "ISO 3166-1"],
  [{ ...us, peers: [{ name: "a", parties, token: "short" }] }, "20 to 64"],
  [{ ...us, peers: [{ name: "a", parties, token, tokenFile: "x" }] }, "give `token` or `tokenFile`"],
  [
    {
      ...us,
      peers: [
        { name: "a", parties },
        { name: "a", parties },
      ],
    },
    '"a" is taken',
  ],
  [{ ...us, peers: [{ name: "a", parties, versionsUrl: "http://ocpi.example.org/versions" }] }, "must be https"],
  [{ ...us, peers: [{ name: "a", parties, tokens: token }] }, "tokens"],
])("%j is refused with the reason", (value, reason) => {
  const parsed = ocpiConfig.safeParse(value);
  expect(parsed.error?.issues.map(({ message }) => message).join("; ")).toContain(reason);
});

test.each([[{ behindProxy: true }], [{ tls: { certFile: "c", keyFile: "k" } }]])(
  "with %j any address may be used",
  (more) => {
    expect(ocpiConfig.safeParse({ ...us, host: "0.0.0.0", ...more }).success).toBe(true);
  },
);

test("a token may stand in a file, and one that is unusable is named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ocpi-"));
  try {
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, `${token}\n`);
    const config = benchConfig({ peers: [{ name: "emsp", parties, tokenFile }] });
    expect((await readPeers(config))[0]).toMatchObject({ token });
    await writeFile(tokenFile, "short");
    await expect(readPeers(config)).rejects.toThrow(/ocpi peer emsp: .*token must hold one token/);
    await rm(tokenFile);
    await expect(readPeers(config)).rejects.toThrow(/ocpi peer emsp: .* can't be read/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
