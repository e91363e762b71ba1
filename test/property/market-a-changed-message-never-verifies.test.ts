import fc from "fast-check";
import { expect, test } from "vitest";
import { signBody, verifySignature } from "../../src/market/signature.ts";
import { PinnedKeys, privateKeyFromBase64, publicKeyText } from "../../src/market/signing-keys.ts";

const privateKey = privateKeyFromBase64(Buffer.alloc(32, 9).toString("base64"));
const signer = { subscriberId: "market", keyId: "k1", privateKey };
const keys = new PinnedKeys([["market|k1", publicKeyText(privateKey)]]);
const nowMs = 1_750_000_000_000;

test("what was signed verifies, whatever the bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (body) => {
      const { authorization } = signBody(signer, body, { nowMs, lifetimeMs: 60_000 });
      expect(verifySignature({ body, authorization }, keys, nowMs).ok).toBe(true);
    }),
  );
});

test("a body with any byte changed never verifies", () => {
  const changed = fc.uint8Array({ minLength: 1, maxLength: 500 }).chain((body) =>
    fc.record({
      body: fc.constant(body),
      at: fc.integer({ min: 0, max: body.length - 1 }),
      by: fc.integer({ min: 1, max: 255 }),
    }),
  );
  fc.assert(
    fc.property(changed, ({ body, at, by }) => {
      const { authorization } = signBody(signer, body, { nowMs, lifetimeMs: 60_000 });
      const other = Uint8Array.from(body, (byte, index) => (index === at ? byte ^ by : byte));
      expect(verifySignature({ body: other, authorization }, keys, nowMs)).toMatchObject({ code: "SIGNATURE_BAD" });
    }),
  );
});

test("a header with any letter changed never verifies", () => {
  const body = Buffer.from('{"a":1}');
  const { authorization } = signBody(signer, body, { nowMs, lifetimeMs: 60_000 });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: authorization.length - 1 }),
      fc.string({ minLength: 1, maxLength: 1 }),
      (at, letter) => {
        fc.pre(authorization[at] !== letter);
        // A space before a name is the one change that says the same.
        fc.pre(!(letter === " " && authorization[at - 1] === " "));
        const changed = authorization.slice(0, at) + letter + authorization.slice(at + 1);
        expect(verifySignature({ body, authorization: changed }, keys, nowMs).ok).toBe(false);
      },
    ),
    { numRuns: 500 },
  );
});
