import { describe, expect, test } from "vitest";
import { OcpiClient } from "../../src/ocpi/ocpi-client.ts";
import type { HttpAnswer, HttpQuestion } from "../../src/ocpi/ocpi-http.ts";
import type { OcpiObject } from "../../src/ocpi/ocpi-schemas.ts";
import { HandClock, settle } from "../support/hand-clock.ts";
import { aCdr, aTariff } from "../support/ocpi-objects.ts";

const HOST = "https://ocpi.example.org";
const signal = new AbortController().signal;

type Answers = (question: HttpQuestion) => Partial<HttpAnswer> & { data?: unknown };

/** A client whose partner says what the test tells it to; versions and details are always in order. */
function clientOf(answers: Answers, clock = new HandClock()) {
  const asked: HttpQuestion[] = [];
  const client = new OcpiClient({
    versionsUrl: `${HOST}/versions`,
    token: "secret-token-0123456789",
    version: "2.2.1",
    us: { countryCode: "IN", partyId: "ECO" },
    clock,
    random: () => 0,
    newId: () => "id",
    send: async (question) => {
      asked.push(question);
      const { data, ...rest } = standing(question.url) ?? answers(question);
      const text = JSON.stringify({ status_code: 1000, timestamp: "2026-06-15T12:00:00Z", data });
      return { status: 200, headers: {}, text, ...rest };
    },
  });
  return { client, asked, clock };
}

function standing(url: string): { data: unknown } | undefined {
  if (url === `${HOST}/versions`) return { data: [{ version: "2.2.1", url: `${HOST}/2.2.1` }] };
  if (url !== `${HOST}/2.2.1`) return undefined;
  const endpoint = (role: string) => (identifier: string) => ({
    identifier,
    role,
    url: `${HOST}/${role}/${identifier}`,
  });
  return {
    data: { endpoints: [endpoint("SENDER")("tariffs"), endpoint("RECEIVER")("cdrs"), endpoint("RECEIVER")("tariffs")] },
  };
}

async function pulled(client: OcpiClient, onInvalid?: (reason: string) => void): Promise<OcpiObject[]> {
  const objects: OcpiObject[] = [];
  for await (const object of client.pull("tariffs", onInvalid ? { onInvalid } : {}, signal)) objects.push(object);
  return objects;
}

describe("lists", () => {
  test("what is wrong is left out and told, the rest is taken", async () => {
    const { client } = clientOf(() => ({ data: [aTariff("2.2.1"), { id: "broken" }, aTariff("2.2.1", { id: "b" })] }));
    const reasons: string[] = [];
    expect((await pulled(client, (reason) => reasons.push(reason))).map(({ id }) => id)).toEqual(["flat", "b"]);
    expect(reasons).toHaveLength(1);
  });

  test("a list that leads in a circle, or elsewhere, is cut off", async () => {
    const circle = clientOf(() => ({ data: [], headers: { link: `<${HOST}/SENDER/tariffs?offset=1>; rel="next"` } }));
    await expect(pulled(circle.client)).rejects.toThrow(/do not come to an end/);
    const elsewhere = clientOf(() => ({ data: [], headers: { link: '<https://evil.example/x>; rel="next"' } }));
    await expect(pulled(elsewhere.client)).rejects.toThrow(/next page is elsewhere/);
    expect(elsewhere.asked.some(({ url }) => url.includes("evil"))).toBe(false);
    const relative = clientOf(() => ({ data: [], headers: { link: '</more>; rel="next"' } }));
    await expect(pulled(relative.client)).rejects.toThrow(/next page is elsewhere/);
  });

  test("an endpoint over plain HTTP gets no token", async () => {
    const { client, asked } = clientOf(() => ({}));
    const plain = new OcpiClient({
      versionsUrl: "http://ocpi.example.org/versions",
      token: "secret-token-0123456789",
      version: "2.2.1",
      us: { countryCode: "IN", partyId: "ECO" },
      clock: new HandClock(),
      random: () => 0,
      newId: () => "id",
      send: async (question) => {
        asked.push(question);
        throw new Error("must not be asked");
      },
    });
    await expect(plain.versions(signal)).rejects.toThrow(/in the clear/);
    expect(asked).toEqual([]);
    await client.versions(signal);
    expect(asked[0]?.headers["authorization"]).toBe("Token c2VjcmV0LXRva2VuLTAxMjM0NTY3ODk=");
  });

  test.each([
    ["no list", { data: { id: "x" } }],
    ["no envelope", { text: "<html>" }],
    ["an envelope without a status code", { text: '{"data":[]}' }],
  ])("%s is a protocol fault", async (_name, answer) => {
    const { client } = clientOf(() => answer);
    await expect(pulled(client)).rejects.toMatchObject({ name: "OcpiClientError", fault: "protocol" });
  });

  test("another version is told as 3002", async () => {
    const { client } = clientOf(() => ({}));
    const other = new OcpiClient({ ...optionsOf(client), version: "2.3.0" });
    await expect(other.endpoints(signal)).rejects.toMatchObject({ fault: "refused", statusCode: 3002 });
  });
});

function optionsOf(_client: OcpiClient) {
  const { clock, asked } = clientOf(() => ({}));
  return {
    versionsUrl: `${HOST}/versions`,
    token: "secret-token-0123456789",
    us: { countryCode: "IN", partyId: "ECO" },
    clock,
    random: () => 0,
    newId: () => "id",
    send: async (question: HttpQuestion): Promise<HttpAnswer> => {
      asked.push(question);
      return { status: 200, headers: {}, text: JSON.stringify({ status_code: 1000, ...standing(question.url) }) };
    },
  };
}

describe("a CDR", () => {
  test("is sent again, under its own id, until it arrives", async () => {
    let calls = 0;
    const { client, asked, clock } = clientOf(() => {
      calls += 1;
      if (calls === 1) throw new Error("ECONNRESET");
      if (calls === 2) return { status: 503, text: "", headers: { "retry-after": "7" } };
      if (calls === 3) return { text: JSON.stringify({ status_code: 3000 }) };
      return { status: 201, headers: { location: `${HOST}/kept/1` } };
    });
    const sent = client.postCdr(aCdr("2.2.1"), signal);
    await clock.run(60_000, 1000);
    expect(await sent).toBe(`${HOST}/kept/1`);
    const posts = asked.filter(({ method }) => method === "POST");
    expect(posts).toHaveLength(4);
    expect(new Set(posts.map(({ body }) => body)).size).toBe(1);
  });

  test("waits as long as it is told to", async () => {
    let calls = 0;
    const { client, clock } = clientOf(() => {
      calls += 1;
      return calls === 1 ? { status: 429, text: "", headers: { "retry-after": "7" } } : { status: 201 };
    });
    const sent = client.postCdr(aCdr("2.2.1"), signal);
    await clock.run(6900, 100);
    expect(calls).toBe(1);
    await clock.run(200, 100);
    await sent;
    expect(calls).toBe(2);
  });

  test("that is refused is not sent again", async () => {
    const { client, asked } = clientOf(() => ({
      text: JSON.stringify({ status_code: 2001, status_message: "id: bad" }),
    }));
    await expect(client.postCdr(aCdr("2.2.1"), signal)).rejects.toThrow(/2001: id: bad/);
    expect(asked.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  test("is given up after five attempts, and at once when we stop", async () => {
    const { client, asked, clock } = clientOf(() => ({ status: 500, text: "" }));
    const sent = client.postCdr(aCdr("2.2.1"), signal);
    sent.catch(() => {});
    await clock.run(120_000, 1000);
    await expect(sent).rejects.toMatchObject({ fault: "unreachable" });
    expect(asked.filter(({ method }) => method === "POST")).toHaveLength(5);
    const stop = new AbortController();
    const stopped = client.postCdr(aCdr("2.2.1"), stop.signal);
    stopped.catch(() => {});
    await settle();
    stop.abort(new Error("stopping"));
    await expect(stopped).rejects.toThrow("stopping");
  });
});
