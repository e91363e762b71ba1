import { describe, expect, test } from "vitest";
import { silentLog } from "../../src/log.ts";
import { answerText, openEnvelope, readAnswer } from "../../src/market/mqtt-envelope.ts";
import { digestOf, parseAuthorization, signBody, verifySignature } from "../../src/market/signature.ts";
import { PinnedKeys } from "../../src/market/signing-keys.ts";
import { Webhook } from "../../src/market/webhook.ts";
import { Desk, MARKET, MarketKey, NOW_MS, US } from "../support/market-desk.ts";
import { branchConfirm, degConfirm, seedConfirm } from "../support/market-shapes.ts";

const baseline = { reductionToSetpoint: () => ({ powerKW: -2 }) };
const ACK = '{"message":{"ack":{"status":"ACK"}}}';
const CAMEL_ACK = '{"message":{"status":"ACK","messageId":"message-1"}}';

async function answerTo(message: unknown, desk = new Desk(baseline)) {
  const body = Buffer.from(JSON.stringify(message));
  const authorization = desk.key.sign(body, { nowMs: desk.clock.now() });
  return { answer: await desk.inbox.receive({ body, authorization, requireSignature: true }), authorization };
}

describe("an ACK", () => {
  test("is in snake case for who writes so, and has the message's id for who writes in camel case", async () => {
    expect((await answerTo(seedConfirm())).answer).toEqual({ status: 200, body: ACK });
    expect((await answerTo(branchConfirm())).answer).toEqual({ status: 200, body: ACK });
    expect((await answerTo(degConfirm())).answer).toEqual({ status: 200, body: CAMEL_ACK });
  });

  test("is the same to the letter for a repeat, in both", async () => {
    const desk = new Desk(baseline);
    const first = (await answerTo(degConfirm(), desk)).answer.body;
    desk.clock.nowMs += 3_600_000;
    expect((await answerTo(degConfirm(), desk)).answer.body).toBe(first);
    expect(desk.setpoints).toHaveLength(2);
  });

  test("is signed over the message's own signature, where we have a key and the sender writes in camel case", async () => {
    const ours = new MarketKey();
    const answerSigner = { subscriberId: US, keyId: "site-1", privateKey: ours.privateKey };
    const desk = new Desk({ ...baseline, answerSigner });
    const { answer, authorization } = await answerTo(degConfirm(), desk);
    const asked = parseAuthorization(authorization);
    const keys = new PinnedKeys([[`${US}|site-1`, ours.publicKey]]);
    const check = (requestSignature: string) =>
      verifySignature(
        { body: Buffer.from(answer.body), authorization: answer.headers?.["signature"], requestSignature },
        keys,
        NOW_MS,
      );
    expect(check(typeof asked === "string" ? "" : asked.signature.toString("base64"))).toMatchObject({ ok: true });
    expect(check(Buffer.alloc(64, 1).toString("base64"))).toMatchObject({ code: "SIGNATURE_BAD" });
    expect((await answerTo(seedConfirm({ context: { message_id: "m2" } }), desk)).answer.headers).toBeUndefined();
  });

  test("keeps its body to the letter over MQTT, with the signature beside it", async () => {
    const answerSigner = { subscriberId: US, keyId: "site-1", privateKey: new MarketKey().privateKey };
    const { answer } = await answerTo(degConfirm(), new Desk({ ...baseline, answerSigner }));
    const carried = Buffer.from(answerText(answer, { body: Buffer.from("{}"), requireSignature: true }));
    expect(readAnswer(carried)).toEqual({ ...answer, messageId: undefined });
    expect(answer.headers?.["signature"]).toContain("request-signature");
  });

  test("has its signature in a header over HTTP", async () => {
    const stop = new AbortController();
    const desk = new Desk({
      ...baseline,
      answerSigner: { subscriberId: US, keyId: "k", privateKey: new MarketKey().privateKey },
    });
    await using hook = new Webhook({
      host: "127.0.0.1",
      port: 0,
      path: "/beckn",
      requireSignature: true,
      receive: desk.inbox.receive.bind(desk.inbox),
      clock: desk.clock,
      log: silentLog,
    });
    const { url } = await hook.start(stop.signal);
    const body = JSON.stringify(degConfirm());
    const headers = {
      "content-type": "application/json",
      authorization: desk.key.sign(body),
      // What a gateway of the first version adds says nothing here.
      "x-gateway-authorization": "Signature of somebody else",
    };
    const response = await fetch(`${url}/on_confirm`, { method: "POST", body, headers });
    expect(response.headers.get("signature")).toMatch(/^Signature keyId="bap\.site\.example\|k\|ed25519"/);
    expect(await response.text()).toBe(CAMEL_ACK);
    stop.abort();
  });

  test("over MQTT has the ids beside it, however they were written", async () => {
    const payload = Buffer.from(JSON.stringify(degConfirm()));
    const { answer } = await answerTo(degConfirm());
    expect(JSON.parse(answerText(answer, openEnvelope(payload, false)))).toEqual({
      message_id: "message-1",
      transaction_id: "transaction-1",
      action: "on_confirm",
      httpStatus: 200,
      message: { status: "ACK", messageId: "message-1" },
    });
  });
});

describe("a NACK", () => {
  test("is in the dialect of the message too, with its names in the path", async () => {
    const foreign = degConfirm({ context: { bapId: "bap.somebody.example" } });
    expect(JSON.parse((await answerTo(foreign)).answer.body)).toEqual({
      message: {
        status: "NACK",
        messageId: "message-1",
        error: { code: "NOT_ADDRESSEE", paths: "context.bapId", message: '"bap.somebody.example" is not known here' },
      },
    });
    const seed = JSON.parse((await answerTo(seedConfirm({ context: { bap_id: "x" } }))).answer.body);
    expect(seed.message).toMatchObject({ ack: { status: "NACK" }, error: { paths: "context.bap_id" } });
  });

  test("for a context that can't be read is written as far as it can be", async () => {
    const { answer } = await answerTo(degConfirm({ context: { messageId: 7 } }));
    expect(JSON.parse(answer.body).message).toMatchObject({ status: "NACK", error: { paths: "context.messageId" } });
    expect(JSON.parse((await answerTo([])).answer.body).message.ack.status).toBe("NACK");
  });
});

describe("a key id", () => {
  const RECORD = "namespace.example/subscribers/market-1";
  const HTTPS = "https://registry.example/dedi/lookup/market-1";
  const key = new MarketKey();
  const body = Buffer.from(JSON.stringify(seedConfirm()));
  const times = { nowMs: NOW_MS, lifetimeMs: 60_000 };
  const signedWith = (keyId: string) =>
    signBody({ subscriberId: "not told", keyId, privateKey: key.privateKey }, body, times).authorization;

  test.each([RECORD, HTTPS])(
    "may be a registry's record, %s, which belongs to whom it was pinned for",
    async (record) => {
      expect(signedWith(record)).toContain(`keyId="${record}|ed25519"`);
      const desk = new Desk({ keys: new PinnedKeys([[`${MARKET}|${record}`, key.publicKey]]) });
      const message = { body, authorization: signedWith(record), requireSignature: true };
      expect(await desk.inbox.receive(message)).toMatchObject({ status: 200 });
    },
  );

  test("of a record that was pinned for somebody else does not make a market of him", async () => {
    const desk = new Desk({ keys: new PinnedKeys([[`bpp.other.example|${RECORD}`, key.publicKey]]) });
    const answer = await desk.inbox.receive({ body, authorization: signedWith(RECORD), requireSignature: true });
    expect([answer.status, answer.body]).toEqual([401, expect.stringContaining("SIGNER_MISMATCH")]);
  });

  test("of a record that nobody pinned is unknown, and a bare name is none", () => {
    const keys = new PinnedKeys([]);
    expect(verifySignature({ body, authorization: signedWith(RECORD) }, keys, NOW_MS)).toMatchObject({
      code: "KEY_UNKNOWN",
      message: `no pinned key for "${RECORD}"`,
    });
    const bare = signedWith(RECORD).replace(RECORD, "market-1");
    expect(verifySignature({ body, authorization: bare }, keys, NOW_MS)).toMatchObject({ code: "SIGNATURE_MALFORMED" });
  });

  test("that two subscribers have pinned is refused at the start", () => {
    const pins = ["a", "b"].map((name) => [`${name}|${RECORD}`, key.publicKey] as const);
    expect(() => new PinnedKeys(pins)).toThrow(/is pinned for "a" already/);
  });

  test("signs the same bytes in either form", () => {
    expect(digestOf(body)).toHaveLength(88);
    const { signature } = signBody({ subscriberId: MARKET, keyId: "k", privateKey: key.privateKey }, body, times);
    expect(signedWith(RECORD)).toContain(signature);
  });
});
