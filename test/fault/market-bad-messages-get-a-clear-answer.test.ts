import http from "node:http";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isLoopback } from "../../src/config/loopback.ts";
import { silentLog } from "../../src/log.ts";
import { Webhook } from "../../src/market/webhook.ts";
import { Desk, MarketKey, NOW_MS, onConfirm, plainContext } from "../support/market-desk.ts";

let desk: Desk;
let hook: Webhook;
let url: string;
let port: number;
let stop: AbortController;

async function open(requireSignature = true): Promise<void> {
  desk = new Desk();
  stop = new AbortController();
  hook = new Webhook({
    host: "127.0.0.1",
    port: 0,
    path: "/beckn",
    requireSignature,
    receive: (message) => desk.inbox.receive(message),
    clock: desk.clock,
    log: silentLog,
  });
  ({ url, port } = await hook.start(stop.signal));
}

beforeEach(() => open());

afterEach(async () => {
  // Whatever was sent, a good message is taken as before.
  const good = onConfirm({ context: { message_id: `good-${Math.random()}` }, order: {} });
  expect(await post(good)).toMatchObject({ status: 200, ack: "ACK" });
  await hook[Symbol.asyncDispose]();
});

interface Reply {
  readonly status: number;
  readonly ack?: string;
  readonly code?: string;
  readonly paths?: string;
  readonly message?: string;
  readonly headers: http.IncomingHttpHeaders;
}

interface Sending {
  action?: string;
  method?: string;
  headers?: Record<string, string>;
  authorization?: string | null;
}

/** Sends a body as it is, signed with the market's key unless told otherwise. */
function post(message: unknown, over: Sending = {}): Promise<Reply> {
  const body = Buffer.isBuffer(message) || typeof message === "string" ? message : JSON.stringify(message);
  const authorization =
    over.authorization === undefined ? desk.key.sign(body, { nowMs: desk.clock.now() }) : over.authorization;
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${url}/${over.action ?? "on_confirm"}`,
      {
        method: over.method ?? "POST",
        agent: false,
        headers: {
          "content-type": "application/json",
          ...(authorization !== null && { authorization }),
          ...over.headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => {
          const parsed = JSON.parse(Buffer.concat(chunks).toString());
          const { ack, error } = parsed.message;
          resolve({ status: response.statusCode ?? 0, ack: ack.status, headers: response.headers, ...error });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** Writes bytes to the port and returns all that comes back until the connection ends. */
function talkRaw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

/** The same message with one part written by hand. */
function written(part: string, instead: string): string {
  return JSON.stringify(onConfirm()).replace(part, () => instead);
}

describe("what is not JSON as it must be", () => {
  test.each([
    ["text", "setpoint: -4", /not JSON/],
    ["nothing at all", "", /not JSON/],
    ["half a message", JSON.stringify(onConfirm()).slice(0, 200), /not JSON/],
    ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /UTF-8/],
  ])("%s", async (_, body, fault) => {
    expect(await post(body)).toMatchObject({
      status: 400,
      code: "BODY_INVALID",
      message: expect.stringMatching(fault),
    });
    expect(desk.counted).toEqual(["on_confirm BODY_INVALID"]);
  });

  test("JSON nested 5,000 deep", async () => {
    const deep = written("-4", `${"[".repeat(5000)}${"]".repeat(5000)}`);
    const reply = await post(deep);
    expect(reply).toMatchObject({ status: 400, code: "BODY_INVALID", message: "nested deeper than 32" });
    expect(reply.paths).toMatch(/^message\.order\.beckn:orderAttributes\.setpointKW\[0\]/);
  });

  test("1e400", async () => {
    expect(await post(written("-4", "1e400"))).toMatchObject({
      status: 400,
      code: "BODY_INVALID",
      paths: "message.order.beckn:orderAttributes.setpointKW",
      message: "this number is too large",
    });
  });

  test.each([
    ["__proto__", '"__proto__":{"setpointKW":-9}', "message.order.beckn:orderAttributes.__proto__"],
    [
      "constructor.prototype",
      '"constructor":{"prototype":1}',
      "message.order.beckn:orderAttributes.constructor.prototype",
    ],
  ])("%s", async (_, key, paths) => {
    const reply = await post(written('"setpointKW":-4', `"setpointKW":-4,${key}`));
    expect(reply).toMatchObject({ status: 400, code: "BODY_INVALID", paths, message: "this key is not allowed" });
  });

  test("a key twice in a control object", async () => {
    expect(await post(written('"setpointKW":-4', '"setpointKW":-4,"setpointKW":-11'))).toMatchObject({
      status: 400,
      code: "BODY_INVALID",
      paths: "message.order.beckn:orderAttributes.setpointKW",
      message: "this key stands twice in one object",
    });
    expect(desk.setpoints).toEqual([]);
  });

  test.each([
    ["a number", "7"],
    ["null", "null"],
    ["a list", "[]"],
  ])("%s in place of a message", async (_, body) => {
    expect(await post(body)).toMatchObject({ status: 400, code: "BODY_INVALID" });
  });

  test("a body beyond 64 KiB, said before or not", async () => {
    const large = written("-4", `-4,"pad":"${"x".repeat(70_000)}"`);
    expect(await post(large)).toMatchObject({ status: 413, code: "BODY_TOO_LARGE" });
    expect(await post(large, { headers: { "transfer-encoding": "chunked" } })).toMatchObject({ status: 413 });
    expect(desk.setpoints).toEqual([]);
  });
});

describe("a signature", () => {
  test("missing, and the answer says how to sign", async () => {
    const reply = await post(onConfirm(), { authorization: null });
    expect(reply).toMatchObject({ status: 401, code: "SIGNATURE_MISSING" });
    expect(reply.headers["www-authenticate"]).toContain("(created) (expires) digest");
  });

  test("of another body", async () => {
    const authorization = desk.key.sign(JSON.stringify(onConfirm({ attributes: { setpointKW: -1 } })));
    expect(await post(onConfirm(), { authorization })).toMatchObject({ status: 401, code: "SIGNATURE_BAD" });
    expect(desk.setpoints).toEqual([]);
  });

  test("made with another key under the market's name", async () => {
    const authorization = new MarketKey().sign(JSON.stringify(onConfirm()));
    expect(await post(onConfirm(), { authorization })).toMatchObject({ status: 401, code: "SIGNATURE_BAD" });
  });

  test("that is over, or not valid yet", async () => {
    const body = JSON.stringify(onConfirm());
    const old = desk.key.sign(body, { nowMs: NOW_MS - 600_000 });
    expect(await post(body, { authorization: old })).toMatchObject({ status: 401, code: "SIGNATURE_EXPIRED" });
    const early = desk.key.sign(body, { nowMs: NOW_MS + 60_000 });
    expect(await post(body, { authorization: early })).toMatchObject({ status: 401, code: "SIGNATURE_NOT_YET_VALID" });
  });

  test("that is rubbish, or by somebody unknown", async () => {
    expect(await post(onConfirm(), { authorization: "Signature x" })).toMatchObject({ code: "SIGNATURE_MALFORMED" });
    const authorization = desk.key.sign(JSON.stringify(onConfirm()), { subscriberId: "stranger.example" });
    expect(await post(onConfirm(), { authorization })).toMatchObject({ status: 401, code: "KEY_UNKNOWN" });
  });

  test("right, but the message claims another sender", async () => {
    const message = onConfirm({ context: { bpp_id: "other.example" } });
    expect(await post(message)).toMatchObject({ status: 401, code: "SIGNER_MISMATCH", paths: "context.bpp_id" });
  });

  test("is not needed on loopback, but a wrong one is still wrong", async () => {
    await hook[Symbol.asyncDispose]();
    await open(false);
    expect(await post(onConfirm(), { authorization: null })).toMatchObject({ status: 200, ack: "ACK" });
    const other = onConfirm({ context: { message_id: "message-2" } });
    expect(await post(other, { authorization: desk.key.sign("{}") })).toMatchObject({ code: "SIGNATURE_BAD" });
  });

  test("can't be switched off where others can reach the door", () => {
    const options = { port: 0, path: "/", receive: desk.inbox.receive, clock: desk.clock, log: silentLog };
    expect(() => new Webhook({ ...options, host: "0.0.0.0", requireSignature: false })).toThrow(/must be required/);
    expect(["127.0.0.1", "::1", "localhost", "127.8.8.8"].map(isLoopback)).toEqual([true, true, true, true]);
    expect(["0.0.0.0", "192.168.1.5", "::", "127.example"].map(isLoopback)).toEqual([false, false, false, false]);
  });
});

describe("a message that was there before", () => {
  test("gets the same answer and no second command", async () => {
    const message = onConfirm();
    const first = await post(message);
    const second = await post(message);
    expect([first.status, second.status, second.ack]).toEqual([200, 200, "ACK"]);
    expect(desk.setpoints).toHaveLength(1);
    expect(desk.counted).toEqual(["on_confirm acked", "on_confirm repeated"]);
  });

  test("gets the same answer even when it would be too old by now", async () => {
    const message = onConfirm();
    await post(message);
    desk.clock.nowMs += 120_000;
    expect(await post(message)).toMatchObject({ status: 200, ack: "ACK" });
    expect(desk.setpoints).toHaveLength(1);
    desk.clock.nowMs = NOW_MS;
  });

  test("gets one command when it comes twice at the same time", async () => {
    const message = onConfirm();
    const replies = await Promise.all([post(message), post(message), post(message)]);
    expect(replies.map((reply) => reply.ack)).toEqual(["ACK", "ACK", "ACK"]);
    expect(desk.setpoints).toHaveLength(1);
  });

  test("with another body is refused", async () => {
    await post(onConfirm());
    const other = onConfirm({ attributes: { setpointKW: -11 } });
    expect(await post(other)).toMatchObject({ status: 409, code: "MESSAGE_CONFLICT", paths: "context.message_id" });
    const bad = onConfirm({ attributes: { setpointKW: 11 } });
    expect(await post(bad)).toMatchObject({ status: 409, code: "MESSAGE_CONFLICT" });
    expect(desk.setpoints.map((setpoint) => setpoint.powerKW)).toEqual([-4]);
  });
});

describe("a message that means nothing here", () => {
  test("an unknown action, in the address or in the message", async () => {
    expect(await post(onConfirm(), { action: "on_explode" })).toMatchObject({ status: 404, code: "ACTION_UNKNOWN" });
    const message = onConfirm({ context: { action: "on_explode" } });
    expect(await post(message)).toMatchObject({ status: 404, code: "ACTION_UNKNOWN", paths: "context.action" });
    expect(desk.counted).toEqual(["other ACTION_UNKNOWN", "on_confirm ACTION_UNKNOWN"]);
  });

  test("an action at the address of another", async () => {
    const reply = await post(onConfirm(), { action: "on_cancel" });
    expect(reply).toMatchObject({ status: 400, code: "ACTION_MISMATCH", paths: "context.action" });
  });

  test("an unknown resource", async () => {
    const message = onConfirm({ order: { "beckn:id": "order-9" }, attributes: { era: "EV-9" } });
    const reply = await post(message);
    expect(reply).toMatchObject({ status: 404, code: "RESOURCE_UNKNOWN" });
    expect(reply.message).toContain("transaction transaction-1, order order-9, era EV-9");
  });

  test("a setpoint that has ended", async () => {
    const message = onConfirm({ attributes: { validUntil: new Date(NOW_MS - 1000).toISOString() } });
    const reply = await post(message);
    expect(reply).toMatchObject({
      status: 400,
      code: "SETPOINT_ENDED",
      paths: "message.order.beckn:orderAttributes.setpointKW",
      message: "this setpoint ended 1 s ago",
    });
  });

  test("a positive setpoint for a charger that can't discharge", async () => {
    const reply = await post(onConfirm({ attributes: { setpointKW: 4 } }));
    expect(reply).toMatchObject({ status: 400, code: "SETPOINT_IMPOSSIBLE" });
    expect(reply.message).toBe("4 kW is generation (positive), and EV-1 can only consume");
    expect(desk.setpoints).toEqual([]);
  });

  test("a negative setpoint for an inverter that can't consume", async () => {
    const message = onConfirm({ order: { "beckn:id": "order-2" }, attributes: { setpointKW: -4, era: "PV-1" } });
    expect(await post(message)).toMatchObject({ status: 400, code: "SETPOINT_IMPOSSIBLE" });
  });

  test.each([
    ["no setpoint", {}, "message.order.beckn:orderAttributes.setpointKW"],
    ["a setpoint in words", { setpointKW: "-4" }, "message.order.beckn:orderAttributes.setpointKW"],
    ["a setpoint of null", { setpointKW: null }, "message.order.beckn:orderAttributes.setpointKW"],
  ])("%s", async (_, attributes, paths) => {
    const message = onConfirm({ order: { "beckn:orderAttributes": attributes } });
    expect(await post(message)).toMatchObject({ status: 400, code: "MESSAGE_INVALID", paths });
  });

  test("a context without its fields, each named", async () => {
    for (const field of ["action", "timestamp", "message_id", "transaction_id", "bap_id", "bpp_id"]) {
      const { [field]: _, ...context } = plainContext("on_confirm");
      const message = { ...onConfirm(), context };
      expect(await post(message)).toMatchObject({ status: 400, code: "CONTEXT_INVALID", paths: `context.${field}` });
    }
  });

  test("a message for somebody else", async () => {
    const message = onConfirm({ context: { bap_id: "other.example" } });
    expect(await post(message)).toMatchObject({ status: 400, code: "NOT_ADDRESSEE", paths: "context.bap_id" });
  });

  test("a message that is too old, or from the future", async () => {
    const old = onConfirm({ context: { timestamp: new Date(NOW_MS - 31_000).toISOString() } });
    expect(await post(old)).toMatchObject({ status: 400, code: "MESSAGE_STALE", paths: "context.timestamp" });
    const early = onConfirm({ context: { timestamp: new Date(NOW_MS + 31_000).toISOString() } });
    expect(await post(early)).toMatchObject({ status: 400, code: "MESSAGE_FROM_FUTURE" });
  });
});

describe("what is not even a message", () => {
  test("another method, another address, another type", async () => {
    const get = await post("", { method: "PUT" });
    expect(get).toMatchObject({ status: 405, code: "METHOD_NOT_ALLOWED" });
    expect(get.headers["allow"]).toBe("POST");
    expect(await post(onConfirm(), { action: "../admin" })).toMatchObject({ status: 404 });
    const form = { headers: { "content-type": "text/plain" } };
    expect(await post(onConfirm(), form)).toMatchObject({ status: 415, code: "CONTENT_TYPE" });
    const zipped = { headers: { "content-encoding": "gzip" } };
    expect(await post(onConfirm(), zipped)).toMatchObject({ status: 415, code: "CONTENT_ENCODING" });
    const typed = { headers: { "content-type": "application/json; charset=utf-8" } };
    expect(await post(onConfirm(), typed)).toMatchObject({ status: 200 });
  });

  test("bytes that are no HTTP", async () => {
    expect(await talkRaw("\x16\x03\x01 hello\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 [\s\S]*REQUEST_UNREADABLE/);
  });

  test("a head that is too large", async () => {
    const head = `POST /beckn/on_confirm HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`;
    expect(await talkRaw(head)).toMatch(/^HTTP\/1\.1 431 [\s\S]*HEADERS_TOO_LARGE/);
  });

  test("a sender who goes away in the middle", async () => {
    const socket = net.connect(port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.write("POST /beckn/on_confirm HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{");
    await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    expect(desk.setpoints).toEqual([]);
  });
});

test("a disk that is full gives no ACK, and the message is taken when there is room again", async () => {
  desk.store.failure = new Error("disk full");
  expect(await post(onConfirm())).toMatchObject({ status: 503, ack: "NACK", code: "NOT_STORED" });
  expect(desk.setpoints).toEqual([]);
  desk.store.failure = undefined;
  expect(await post(onConfirm())).toMatchObject({ status: 200, ack: "ACK" });
  expect(desk.setpoints).toHaveLength(1);
});

test("an end leaves no socket open, though a client keeps its connection", async () => {
  const agent = new http.Agent({ keepAlive: true });
  await new Promise<void>((resolve) => {
    http.get(`${url}/on_confirm`, { agent }, (response) => response.resume().on("end", resolve));
  });
  stop.abort();
  await hook[Symbol.asyncDispose]();
  await expect(post(onConfirm())).rejects.toThrow(/ECONNREFUSED/);
  agent.destroy();
  await open();
});
