import { describe, expect, test } from "vitest";
import { MemoryOcpiStore } from "../../src/ocpi/memory-ocpi-store.ts";
import { OCPI_VERSIONS } from "../../src/ocpi/ocpi-version.ts";
import { benchConfig, openBench } from "../support/ocpi-bench.ts";

const TOKEN_A = "registration-token-0123456789";
const signal = new AbortController().signal;

/** The operator IN*ECO that is registered with, and the provider NL*EMP that begins. */
async function twoParties(version: "2.2.1" | "2.3.0") {
  const operatorStore = new MemoryOcpiStore();
  const operator = await openBench({
    store: operatorStore,
    config: benchConfig({
      peers: [
        {
          name: "emsp",
          registrationToken: TOKEN_A,
          version,
          parties: [{ countryCode: "NL", partyId: "EMP", role: "EMSP" }],
        },
      ],
    }),
  });
  const providerStore = new MemoryOcpiStore();
  const provider = await openBench({
    store: providerStore,
    config: benchConfig({
      countryCode: "NL",
      partyId: "EMP",
      roles: ["EMSP"],
      peers: [
        {
          name: "operator",
          ourToken: TOKEN_A,
          versionsUrl: operator.versionsUrl,
          version,
          parties: [{ countryCode: "IN", partyId: "ECO", role: "CPO" }],
        },
      ],
    }),
  });
  return {
    operator,
    operatorStore,
    provider,
    providerStore,
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]();
      await operator[Symbol.asyncDispose]();
    },
  };
}

describe.each(OCPI_VERSIONS)("OCPI %s", (version) => {
  test("after the handshake each side asks the other, and the first token is void", async () => {
    await using parties = await twoParties(version);
    const { operator, operatorStore, provider, providerStore } = parties;
    await provider.server.register("operator", signal);
    const theirs = operatorStore.registration("emsp");
    const ours = providerStore.registration("operator");
    expect(theirs).toMatchObject({ version, tokenIn: ours?.tokenOut, tokenOut: ours?.tokenIn });
    expect(new Set([TOKEN_A, theirs?.tokenIn, theirs?.tokenOut]).size).toBe(3);
    expect((await provider.server.client("operator").endpoints(signal)).length).toBe(9);
    expect((await operator.server.client("emsp").endpoints(signal)).length).toBe(9);
    expect((await operator.ask("GET", "/ocpi/versions", { token: TOKEN_A })).status).toBe(401);
  });

  test("a renewal changes both tokens, and the old one opens nothing", async () => {
    await using parties = await twoParties(version);
    const { operator, operatorStore, provider } = parties;
    await provider.server.register("operator", signal);
    const before = operatorStore.registration("emsp");
    await provider.server.register("operator", signal);
    const after = operatorStore.registration("emsp");
    expect(after?.tokenIn).not.toBe(before?.tokenIn);
    expect(after?.tokenOut).not.toBe(before?.tokenOut);
    const old = await operator.ask("GET", "/ocpi/versions", { token: before?.tokenIn ?? "" });
    expect(old.status).toBe(401);
    expect((await provider.server.client("operator").endpoints(signal)).length).toBe(9);
  });

  test("who unregisters is out, and its first token does not let it in again", async () => {
    await using parties = await twoParties(version);
    const { operator, operatorStore, provider } = parties;
    await provider.server.register("operator", signal);
    const token = operatorStore.registration("emsp")?.tokenIn ?? "";
    const path = `/ocpi/${version}/credentials`;
    expect((await operator.ask("DELETE", path, { token })).json.status_code).toBe(1000);
    for (const each of [token, TOKEN_A]) expect((await operator.ask("GET", path, { token: each })).status).toBe(401);
  });
});

test("the registration token opens versions and credentials and nothing else", async () => {
  await using parties = await twoParties("2.2.1");
  const { operator } = parties;
  expect((await operator.ask("GET", "/ocpi/versions", { token: TOKEN_A })).status).toBe(200);
  expect((await operator.ask("GET", "/ocpi/2.2.1", { token: TOKEN_A })).status).toBe(200);
  expect((await operator.ask("GET", "/ocpi/2.2.1/sender/tariffs", { token: TOKEN_A })).status).toBe(401);
  const credentials = await operator.ask("GET", "/ocpi/2.2.1/credentials", { token: TOKEN_A });
  expect(credentials.json.data).toEqual({
    token: TOKEN_A,
    url: operator.versionsUrl,
    roles: ["CPO", "EMSP"].map((role) => ({
      role,
      country_code: "IN",
      party_id: "ECO",
      business_details: { name: "setpointd" },
    })),
  });
});

test.each([
  ["a party that was not agreed", { party_id: "XYZ" }, 2001, "roles.0: NL*XYZ was not agreed"],
  ["an API that does not answer", {}, 3001, "your API could not be used"],
])("%s is not registered", async (_name, role, code, message) => {
  await using parties = await twoParties("2.2.1");
  const { operator, operatorStore } = parties;
  const body = {
    token: "token-b",
    url: "http://127.0.0.1:1/versions",
    roles: [{ role: "EMSP", country_code: "NL", party_id: "EMP", business_details: { name: "EMP" }, ...role }],
  };
  const answer = await operator.ask("POST", "/ocpi/2.2.1/credentials", { token: TOKEN_A, body });
  expect(answer).toMatchObject({ status: 200, json: { status_code: code } });
  expect(answer.json.status_message).toContain(message);
  expect(operatorStore.registration("emsp")).toBeUndefined();
  // The token is not used up by a failure.
  expect((await operator.ask("GET", "/ocpi/versions", { token: TOKEN_A })).status).toBe(200);
});

test("an address that would carry the token in the clear is refused", async () => {
  await using parties = await twoParties("2.2.1");
  const role = { role: "EMSP", country_code: "NL", party_id: "EMP", business_details: { name: "EMP" } };
  const body = { token: "token-b", url: "http://ocpi.example.org/versions", roles: [role] };
  const answer = await parties.operator.ask("POST", "/ocpi/2.2.1/credentials", { token: TOKEN_A, body });
  expect(answer.json).toMatchObject({ status_code: 2001, status_message: expect.stringContaining("url:") });
});

test("when the handshake is refused the one that began is as before", async () => {
  await using parties = await twoParties("2.2.1");
  const { operator, provider, providerStore } = parties;
  await provider.server.register("operator", signal);
  const before = providerStore.registration("operator");
  const path = "/ocpi/2.2.1/credentials";
  await operator.ask("DELETE", path, { token: before?.tokenOut ?? "" });
  await expect(provider.server.register("operator", signal)).rejects.toMatchObject({ fault: "refused" });
  expect(providerStore.registration("operator")).toEqual(before);
});
