import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { MemoryOcpiStore } from "../../src/ocpi/memory-ocpi-store.ts";
import { authorizationOf } from "../../src/ocpi/ocpi-token.ts";
import { HandClock } from "../support/hand-clock.ts";
import { benchConfig, CPO_TOKEN, EMSP_TOKEN, openBench } from "../support/ocpi-bench.ts";
import { aCdr, aLocation, aSession, aTariff } from "../support/ocpi-objects.ts";

const RECEIVER = "/ocpi/2.2.1/receiver";
const SENDER = "/ocpi/2.2.1/sender";

describe("tokens", () => {
  test.each([
    ["no token", {}],
    ["a wrong token", { token: "wrong-token-0123456789" }],
    ["another scheme", { authorization: `Bearer ${CPO_TOKEN}` }],
    ["a token with something behind it", { authorization: `${authorizationOf(CPO_TOKEN)} x` }],
  ])("%s is answered with 401 in an envelope", async (_name, options) => {
    await using bench = await openBench();
    const answer = await bench.ask("GET", "/ocpi/versions", options);
    expect(answer).toMatchObject({ status: 401, json: { status_code: 2000 } });
    expect(answer.headers).toHaveProperty("x-request-id");
    expect(JSON.stringify(answer.json)).not.toContain("0123456789");
  });

  test("the token goes as base64, and as it is where that is accepted", async () => {
    await using lenient = await openBench();
    await using strict = await openBench({ config: benchConfig({ acceptRawTokens: false }) });
    const raw = { authorization: `Token ${CPO_TOKEN}` };
    const encoded = { authorization: `token ${Buffer.from(CPO_TOKEN).toString("base64")}` };
    expect((await lenient.ask("GET", "/ocpi/versions", raw)).status).toBe(200);
    expect((await lenient.ask("GET", "/ocpi/versions", encoded)).status).toBe(200);
    expect((await strict.ask("GET", "/ocpi/versions", raw)).status).toBe(401);
    expect((await strict.ask("GET", "/ocpi/versions", encoded)).status).toBe(200);
  });

  test("who tries tokens has to wait longer and longer, who has one does not", async () => {
    const clock = new HandClock();
    await using bench = await openBench({ clock });
    const wrong = () => bench.ask("GET", "/ocpi/versions", { token: "wrong-token-0123456789" });
    for (let attempt = 0; attempt < 10; attempt++) expect((await wrong()).status).toBe(401);
    const held = await wrong();
    expect(held).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    clock.advance(1000);
    expect((await wrong()).status).toBe(401);
    expect(await wrong()).toMatchObject({ status: 429, headers: { "retry-after": "2" } });
    expect((await bench.ask("GET", "/ocpi/versions", { token: CPO_TOKEN })).status).toBe(200);
    clock.advance(3_600_000);
    expect((await wrong()).status).toBe(401);
  });

  test("a peer reaches the modules it may use and no others", async () => {
    const [emsp] = benchConfig().peers;
    await using bench = await openBench({ config: benchConfig({ peers: [{ ...emsp, modules: ["tariffs"] }] }) });
    expect((await bench.ask("GET", `${SENDER}/tariffs`, { token: EMSP_TOKEN })).status).toBe(200);
    expect((await bench.ask("GET", `${SENDER}/cdrs`, { token: EMSP_TOKEN })).status).toBe(404);
  });
});

describe("objects", () => {
  test.each([
    ["id", `${RECEIVER}/tariffs/BE/BEC/other`, "id: is not the one in the path", 200],
    ["party of the body", `${RECEIVER}/tariffs/BE/BEC/flat`, "party_id: is not the one in the path", 200],
    ["party of the path", `${RECEIVER}/tariffs/NL/EMP/flat`, "NL*EMP: is not a party of this token", 404],
  ])("the path and the body must agree: %s", async (name, path, message, status) => {
    await using bench = await openBench();
    const body = name === "party of the body" ? aTariff("2.2.1", { party_id: "XYZ" }) : aTariff("2.2.1");
    const answer = await bench.ask("PUT", path, { token: CPO_TOKEN, body });
    expect(answer.status).toBe(status);
    expect(answer.json.status_message).toContain(message);
    expect(answer.json.status_code).toBeGreaterThanOrEqual(2000);
    expect(bench.changes).toEqual([]);
  });

  test.each([
    ["tariffs/BE/BEC/flat", { ...aTariff("2.2.1"), currency: undefined }, "currency"],
    ["tariffs/BE/BEC/flat", { ...aTariff("2.2.1"), elements: [] }, "elements"],
    ["tariffs/BE/BEC/flat", { ...aTariff("2.2.1"), last_updated: "2026-06-15T12:00:00+00:00" }, "last_updated"],
    ["locations/BE/BEC/LOC1", { ...aLocation(), time_zone: "Europe/Atlantis" }, "time_zone"],
    [
      "locations/BE/BEC/LOC1",
      { ...aLocation(), coordinates: { latitude: 51, longitude: "3.7" } },
      "coordinates.latitude",
    ],
    ["sessions/BE/BEC/S1", { ...aSession("2.2.1"), status: "FINISHED" }, "status"],
    ["sessions/BE/BEC/S1", { ...aSession("2.2.1"), total_cost: { before_taxes: 1 } }, "total_cost.excl_vat"],
    ["sessions/BE/BEC/S1", [], "the object"],
  ])("an incomplete object is refused with the field's name: %s", async (path, body, field) => {
    await using bench = await openBench();
    const answer = await bench.ask("PUT", `${RECEIVER}/${path}`, { token: CPO_TOKEN, body });
    expect(answer).toMatchObject({ status: 200, json: { status_code: 2001 } });
    expect(answer.json.status_message?.startsWith(`${field}:`)).toBe(true);
  });

  test("2.3.0 asks whether taxes are included, 2.2.1 does not", async () => {
    await using bench = await openBench();
    const body = aTariff("2.2.1");
    const answer = await bench.ask("PUT", "/ocpi/2.3.0/receiver/tariffs/BE/BEC/flat", { token: CPO_TOKEN, body });
    expect(answer.json).toMatchObject({ status_code: 2001, status_message: expect.stringContaining("tax_included") });
  });

  test.each([
    ["GET", "locations/BE/BEC/nowhere", 2003],
    ["GET", "sessions/BE/BEC/nowhere", 2001],
    ["DELETE", "tariffs/BE/BEC/nowhere", 2001],
    ["PATCH", "sessions/BE/BEC/nowhere", 2001],
    ["GET", "cdrs/BE/BEC/nowhere", 2001],
  ])("%s of %s is 404", async (method, path, code) => {
    await using bench = await openBench();
    const body = { last_updated: "2026-06-15T12:00:00Z" };
    const answer = await bench.ask(method, `${RECEIVER}/${path}`, {
      token: CPO_TOKEN,
      ...(method === "PATCH" && { body }),
    });
    expect(answer).toMatchObject({ status: 404, json: { status_code: code } });
  });

  test("a PATCH needs last_updated, may not break the object and may not rename it", async () => {
    await using bench = await openBench();
    const path = `${RECEIVER}/sessions/BE/BEC/S1`;
    await bench.ask("PUT", path, { token: CPO_TOKEN, body: aSession("2.2.1") });
    const last_updated = "2026-06-15T13:00:00Z";
    for (const [body, fault] of [
      [{ kwh: 2 }, "last_updated: is required in a PATCH"],
      [{ kwh: "2", last_updated }, "kwh:"],
      [{ id: "S2", last_updated }, "id: is not the one in the path"],
      [{ status: null, last_updated }, "status:"],
    ] as const) {
      const answer = await bench.ask("PATCH", path, { token: CPO_TOKEN, body });
      expect(answer.json).toMatchObject({ status_code: 2001, status_message: expect.stringContaining(fault) });
    }
    expect((await bench.ask("GET", path, { token: CPO_TOKEN })).json.data).toEqual(aSession("2.2.1"));
  });

  test("an EVSE that is not there can't be patched, nor one be renamed", async () => {
    await using bench = await openBench();
    const path = `${RECEIVER}/locations/BE/BEC/LOC1`;
    await bench.ask("PUT", path, { token: CPO_TOKEN, body: aLocation() });
    const body = { status: "CHARGING", last_updated: "2026-06-15T13:00:00Z" };
    expect((await bench.ask("PATCH", `${path}/9999`, { token: CPO_TOKEN, body })).status).toBe(404);
    const renamed = await bench.ask("PATCH", `${path}/3256`, { token: CPO_TOKEN, body: { ...body, uid: "1" } });
    expect(renamed.json).toMatchObject({ status_code: 2001, status_message: "uid: is not the one in the path" });
  });

  test("a CDR of a party that the token is not of, and an id that only a credit may have, are refused", async () => {
    await using bench = await openBench();
    const other = await bench.ask("POST", `${RECEIVER}/cdrs`, { token: EMSP_TOKEN, body: aCdr("2.2.1") });
    expect(other.json).toMatchObject({ status_code: 2001, status_message: "BE*BEC: is not a party of this token" });
    const id = "x".repeat(38);
    const long = await bench.ask("POST", `${RECEIVER}/cdrs`, { token: CPO_TOKEN, body: aCdr("2.2.1", { id }) });
    expect(long.json).toMatchObject({ status_code: 2001 });
    const credit = aCdr("2.2.1", { id, credit: true });
    const unreferenced = await bench.ask("POST", `${RECEIVER}/cdrs`, { token: CPO_TOKEN, body: credit });
    expect(unreferenced.json.status_message).toContain("credit_reference_id");
    const body = { ...credit, credit_reference_id: "C1" };
    expect((await bench.ask("POST", `${RECEIVER}/cdrs`, { token: CPO_TOKEN, body })).status).toBe(201);
  });

  test("a full store says so with 3000 and keeps what it has", async () => {
    const store = new MemoryOcpiStore({ maxObjects: 1, maxBytes: 1_000_000 });
    await using bench = await openBench({ store });
    const put = (id: string) =>
      bench.ask("PUT", `${RECEIVER}/tariffs/BE/BEC/${id}`, { token: CPO_TOKEN, body: aTariff("2.2.1", { id }) });
    expect((await put("a")).json.status_code).toBe(1000);
    expect(await put("b")).toMatchObject({ status: 200, json: { status_code: 3000 } });
    expect((await put("a")).json.status_code).toBe(1000);
  });
});

describe("requests", () => {
  test.each([
    ["/ocpi/2.1.1", 404],
    ["/ocpi/2.2.1/sender/commands", 404],
    ["/ocpi/2.2.1/receiver/tariffs", 404],
    ["/other", 404],
    ["/ocpi/2.2.1/sender/locations/%E0%A4%A", 400],
  ])("%s is %i", async (path, status) => {
    await using bench = await openBench();
    expect((await bench.ask("GET", path, { token: CPO_TOKEN })).status).toBe(status);
  });

  test.each([
    ["PUT", `${SENDER}/tariffs`, "GET"],
    ["POST", `${RECEIVER}/tariffs/BE/BEC/flat`, "GET, PUT, DELETE"],
    ["PUT", `${RECEIVER}/cdrs/BE/BEC/C1`, "GET, POST"],
    ["DELETE", `${RECEIVER}/sessions/BE/BEC/S1`, "GET, PUT, PATCH"],
    ["POST", "/ocpi/versions", "GET"],
    ["POST", "/ocpi/2.2.1/credentials", "GET, PUT, DELETE"],
  ])("%s %s is 405", async (method, path, allow) => {
    await using bench = await openBench();
    const answer = await bench.ask(method, path, { token: CPO_TOKEN, body: {} });
    expect(answer).toMatchObject({ status: 405, headers: { allow } });
  });

  test.each([
    ["offset=-1", "offset"],
    ["limit=0", "limit"],
    ["limit=ten", "limit"],
    ["limit=5&limit=6", "limit"],
    ["date_from=2026-06-15", "date_from"],
    ["date_from=2026-06-15T12:00:00Z&date_to=2026-06-15T11:00:00Z", "date_to"],
  ])("a page of %s is refused with the parameter's name", async (query, name) => {
    await using bench = await openBench();
    const answer = await bench.ask("GET", `${SENDER}/tariffs?${query}`, { token: EMSP_TOKEN });
    expect(answer).toMatchObject({ status: 200, json: { status_code: 2001 } });
    expect(answer.json.status_message?.startsWith(`${name}:`)).toBe(true);
  });

  test("an offset beyond the end is an empty page", async () => {
    await using bench = await openBench();
    const answer = await bench.ask("GET", `${SENDER}/tariffs?offset=1000&limit=100000`, { token: EMSP_TOKEN });
    expect(answer).toMatchObject({
      json: { status_code: 1000, data: [] },
      headers: { "x-total-count": "0", "x-limit": "100" },
    });
  });

  test.each([
    ["not JSON", { text: "{" }, 400],
    ["a key twice", { text: '{"id":"a","id":"b"}' }, 400],
    ["another type", { text: "{}", headers: { "content-type": "text/plain" } }, 415],
    ["compressed", { text: "{}", headers: { "content-encoding": "gzip" } }, 415],
    ["more than a MiB", { text: `"${"x".repeat(1_048_576)}"` }, 413],
  ])("a body that is %s never reaches the module", async (_name, options, status) => {
    await using bench = await openBench();
    const answer = await bench.ask("PUT", `${RECEIVER}/tariffs/BE/BEC/flat`, { token: CPO_TOKEN, ...options });
    expect(answer).toMatchObject({ status, json: { status_code: 2000 } });
  });

  test("a message for somebody else, or in the name of somebody else, is refused", async () => {
    await using bench = await openBench();
    for (const headers of [
      { "OCPI-to-country-code": "DE", "OCPI-to-party-id": "XYZ" },
      { "OCPI-from-country-code": "DE", "OCPI-from-party-id": "XYZ" },
      { "OCPI-from-country-code": "BE" },
    ]) {
      const answer = await bench.ask("GET", `${SENDER}/tariffs`, { token: CPO_TOKEN, headers });
      expect(answer.json.status_code).toBe(2001);
    }
  });

  test("after the end nothing is open, not even for a peer that says nothing", async () => {
    const clock = new HandClock();
    const bench = await openBench({ clock });
    const { port } = new URL(bench.versionsUrl);
    const socket = connect(Number(port), "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const disposed = bench[Symbol.asyncDispose]();
    await clock.run(2000, 500);
    await disposed;
    await closed;
    await expect(bench.ask("GET", "/ocpi/versions", { token: CPO_TOKEN })).rejects.toThrow(/ECONNREFUSED/);
  });
});
