import { describe, expect, test } from "vitest";
import type { OcpiClientError } from "../../src/ocpi/ocpi-client.ts";
import type { OcpiObject } from "../../src/ocpi/ocpi-schemas.ts";
import { OCPI_VERSIONS } from "../../src/ocpi/ocpi-version.ts";
import { CPO_TOKEN, EMSP_TOKEN, openBench } from "../support/ocpi-bench.ts";
import { aCdr, aLocation, aSession, aTariff, driverToken } from "../support/ocpi-objects.ts";

const signal = new AbortController().signal;
const emsp = { countryCode: "NL", partyId: "EMP" };

async function all(objects: AsyncIterable<OcpiObject>): Promise<OcpiObject[]> {
  const list: OcpiObject[] = [];
  for await (const each of objects) list.push(each);
  return list;
}

test("a newcomer finds versions, then endpoints, each with its role", async () => {
  await using bench = await openBench();
  const versions = await bench.ask("GET", "/ocpi/versions", { token: CPO_TOKEN });
  expect(versions.json).toMatchObject({ status_code: 1000, timestamp: expect.stringMatching(/Z$/) });
  expect(versions.json.data).toEqual([
    { version: "2.2.1", url: bench.versionsUrl.replace("versions", "2.2.1") },
    { version: "2.3.0", url: bench.versionsUrl.replace("versions", "2.3.0") },
  ]);
  const details = await bench.ask("GET", "/ocpi/2.3.0", { token: CPO_TOKEN });
  const { endpoints } = details.json.data as { endpoints: { identifier: string; role: string; url: string }[] };
  expect(endpoints.map(({ identifier, role }) => `${identifier} ${role}`)).toEqual([
    "credentials SENDER",
    ...["locations", "tariffs", "sessions", "cdrs"].flatMap((module) => [`${module} SENDER`, `${module} RECEIVER`]),
  ]);
  for (const { url } of endpoints) expect(url.startsWith(bench.versionsUrl.replace("versions", "2.3.0/"))).toBe(true);
});

describe.each(OCPI_VERSIONS)("OCPI %s", (version) => {
  test("an operator tells its locations, tariffs and sessions, and reads them back", async () => {
    await using bench = await openBench();
    const client = bench.client(CPO_TOKEN, version);
    for (const [module, value] of [
      ["locations", aLocation()],
      ["tariffs", aTariff(version)],
      ["sessions", aSession(version)],
    ] as const) {
      await client.put(module, value, signal);
      expect(await client.stored(module, value, signal)).toEqual(value);
      expect(bench.changes.at(-1)).toMatchObject({
        peer: "cpo",
        key: { side: "theirs", version, module },
        object: value,
      });
    }
    await client.deleteTariff({ countryCode: "be", partyId: "bec" }, "FLAT", signal);
    expect(await client.stored("tariffs", aTariff(version), signal)).toBeUndefined();
  });

  test("a CDR is posted once, is found where the answer says, and can't change", async () => {
    await using bench = await openBench();
    const client = bench.client(CPO_TOKEN, version);
    const location = await client.postCdr(aCdr(version), signal);
    expect(location).toBe(bench.versionsUrl.replace("versions", `${version}/receiver/cdrs/BE/BEC/C1`));
    const path = new URL(location ?? "").pathname;
    expect((await bench.ask("GET", path, { token: CPO_TOKEN })).json.data).toEqual(aCdr(version));
    expect(await client.postCdr(aCdr(version), signal)).toBe(location);
    expect(bench.changes).toHaveLength(1);
    await expect(client.postCdr(aCdr(version, { total_time: 2 }), signal)).rejects.toMatchObject({
      fault: "refused",
      statusCode: 2001,
    } satisfies Partial<OcpiClientError>);
  });

  test("what we offer is read page by page, the oldest first, each object once", async () => {
    await using bench = await openBench();
    const ids = Array.from({ length: 12 }, (_, index) => `T${index}`);
    for (const id of ids) {
      await bench.server.publish(version, "tariffs", aTariff(version, { country_code: "IN", party_id: "ECO", id }));
    }
    // An update keeps its place.
    await bench.server.publish(version, "tariffs", aTariff(version, { country_code: "IN", party_id: "ECO", id: "T0" }));
    const client = bench.client(EMSP_TOKEN, version, emsp);
    const tariffs = await all(client.pull("tariffs", { pageSize: 5 }, signal));
    expect(tariffs.map((tariff) => tariff["id"])).toEqual(ids);
    const first = await bench.ask("GET", `/ocpi/${version}/sender/tariffs?limit=5`, { token: EMSP_TOKEN });
    expect(first.headers).toMatchObject({
      "x-total-count": "12",
      "x-limit": "100",
      link: `<${bench.versionsUrl.replace("versions", `${version}/sender/tariffs`)}?offset=5&limit=5>; rel="next"`,
    });
    const last = await bench.ask("GET", `/ocpi/${version}/sender/tariffs?offset=10&limit=5`, { token: EMSP_TOKEN });
    expect(last.json.data).toHaveLength(2);
    expect(last.headers).not.toHaveProperty("link");
    const exact = await bench.ask("GET", `/ocpi/${version}/sender/tariffs?offset=6&limit=6`, { token: EMSP_TOKEN });
    expect(exact.json.data).toHaveLength(6);
    expect(exact.headers).not.toHaveProperty("link");
  });

  test("date_from counts, date_to does not", async () => {
    await using bench = await openBench();
    for (const hour of [10, 11, 12]) {
      const id = `L${hour}`;
      const last_updated = `2026-06-15T${hour}:00:00Z`;
      await bench.server.publish(
        version,
        "locations",
        aLocation({ country_code: "IN", party_id: "ECO", id, last_updated }),
      );
    }
    const client = bench.client(EMSP_TOKEN, version, emsp);
    const span = { fromMs: Date.UTC(2026, 5, 15, 10), toMs: Date.UTC(2026, 5, 15, 12) };
    expect((await all(client.pull("locations", span, signal))).map((location) => location["id"])).toEqual([
      "L10",
      "L11",
    ]);
  });

  test("sessions and CDRs are shown to their driver's provider only", async () => {
    await using bench = await openBench();
    const ours = { country_code: "IN", party_id: "ECO" };
    const stranger = { ...driverToken, party_id: "XYZ" };
    await bench.server.publish(version, "sessions", aSession(version, { ...ours, id: "mine" }));
    await bench.server.publish(version, "sessions", aSession(version, { ...ours, id: "other", cdr_token: stranger }));
    await bench.server.publish(version, "cdrs", aCdr(version, { ...ours, id: "mine" }));
    await bench.server.publish(version, "cdrs", aCdr(version, { ...ours, id: "other", cdr_token: stranger }));
    for (const module of ["sessions", "cdrs"]) {
      const answer = await bench.ask("GET", `/ocpi/${version}/sender/${module}`, { token: EMSP_TOKEN });
      expect((answer.json.data as { id: string }[]).map(({ id }) => id)).toEqual(["mine"]);
      expect(answer.headers["x-total-count"]).toBe("1");
    }
  });
});

test("a location is patched in the whole, at an EVSE and at a connector, and its parents are as new as that", async () => {
  await using bench = await openBench();
  const client = bench.client(CPO_TOKEN, "2.2.1");
  const owner = { countryCode: "BE", partyId: "BEC" };
  await client.put("locations", aLocation(), signal);
  await client.patch(
    "locations",
    owner,
    ["LOC1"],
    { name: "Old market", last_updated: "2026-06-15T13:00:00Z" },
    signal,
  );
  await client.patch(
    "locations",
    owner,
    ["LOC1", "3256"],
    { status: "CHARGING", last_updated: "2026-06-15T14:00:00Z" },
    signal,
  );
  const connector = { tariff_ids: ["flat"], last_updated: "2026-06-15T15:00:00Z" };
  await client.patch("locations", owner, ["LOC1", "3256", "1"], connector, signal);
  expect(await client.stored("locations", aLocation(), signal)).toMatchObject({
    name: "Old market",
    last_updated: "2026-06-15T15:00:00Z",
    evses: [
      {
        status: "CHARGING",
        last_updated: "2026-06-15T15:00:00Z",
        connectors: [{ max_amperage: 16, tariff_ids: ["flat"], last_updated: "2026-06-15T15:00:00Z" }],
      },
    ],
  });
  const path = "/ocpi/2.2.1/receiver/locations/BE/BEC/LOC1/3256/1";
  expect((await bench.ask("GET", path, { token: CPO_TOKEN })).json.data).toMatchObject({
    id: "1",
    tariff_ids: ["flat"],
  });
});

test("an EVSE that is put joins its location", async () => {
  await using bench = await openBench();
  await bench.client(CPO_TOKEN, "2.2.1").put("locations", aLocation(), signal);
  const [evse] = aLocation().evses ?? [];
  const path = "/ocpi/2.2.1/receiver/locations/BE/BEC/LOC1/3257";
  const body = { ...evse, uid: "3257", last_updated: "2026-06-15T16:00:00Z" };
  expect(await bench.ask("PUT", path, { token: CPO_TOKEN, body })).toMatchObject({
    status: 201,
    json: { status_code: 1000 },
  });
  expect(bench.changes.at(-1)?.object).toMatchObject({
    evses: [{ uid: "3256" }, { uid: "3257" }],
    last_updated: "2026-06-15T16:00:00Z",
  });
});

test("charging periods of a PATCH are added, and once only when it is repeated", async () => {
  await using bench = await openBench();
  const client = bench.client(CPO_TOKEN, "2.2.1");
  await client.put("sessions", aSession("2.2.1"), signal);
  const period = { start_date_time: "2026-06-15T10:15:00Z", dimensions: [{ type: "ENERGY", volume: 2 }] };
  const patch = { kwh: 3.5, charging_periods: [period], last_updated: "2026-06-15T12:15:00Z" };
  const owner = { countryCode: "BE", partyId: "BEC" };
  await client.patch("sessions", owner, ["S1"], patch, signal);
  await client.patch("sessions", owner, ["S1"], patch, signal);
  expect(bench.changes.at(-1)?.object).toMatchObject({
    kwh: 3.5,
    charging_periods: [...(aSession("2.2.1").charging_periods ?? []), period],
  });
});

test("ids and routing headers come back, turned around", async () => {
  await using bench = await openBench();
  const headers = {
    "X-Request-ID": "request-1",
    "X-Correlation-ID": "correlation-1",
    "OCPI-from-country-code": "BE",
    "OCPI-from-party-id": "BEC",
    "OCPI-to-country-code": "IN",
    "OCPI-to-party-id": "ECO",
  };
  const answer = await bench.ask("GET", "/ocpi/2.2.1/sender/tariffs", { token: CPO_TOKEN, headers });
  expect(answer.headers).toMatchObject({
    "x-request-id": "request-1",
    "x-correlation-id": "correlation-1",
    "ocpi-from-country-code": "IN",
    "ocpi-from-party-id": "ECO",
    "ocpi-to-country-code": "BE",
    "ocpi-to-party-id": "BEC",
  });
  const versions = await bench.ask("GET", "/ocpi/versions", { token: CPO_TOKEN, headers });
  expect(versions.headers).not.toHaveProperty("ocpi-to-party-id");
});
