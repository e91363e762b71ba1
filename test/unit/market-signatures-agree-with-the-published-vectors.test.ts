import { describe, expect, test } from "vitest";
import {
  DIGEST_LABELS,
  digestOf,
  parseAuthorization,
  type SignedMessage,
  signBody,
  signingString,
  verifySignature,
} from "../../src/market/signature.ts";
import { PinnedKeys, privateKeyFromBase64, publicKeyText } from "../../src/market/signing-keys.ts";

// The example that the protocol's own signing guide (BECKN-006) publishes: body, keys, times, digest and signature.
const PRIVATE_KEY = "lP3sHA+9gileOkXYJXh4Jg8tK0gEEMbf9yCPnFpbldhrAY+NErqL9WD+Vav7TE5tyVXGXBle9ONZi2W7o144eQ==";
const PUBLIC_KEY = "awGPjRK6i/Vg/lWr+0xObclVxlwZXvTjWYtlu6NeOHk=";
const CREATED_S = 1641287875;
const EXPIRES_S = 1641291475;
const BODY = Buffer.from(
  '{"context":{"domain":"nic2004:60212","country":"IND","city":"Kochi","action":"search","core_version":"0.9.1","bap_id":"bap.stayhalo.in","bap_uri":"https://8f9f-49-207-209-131.ngrok.io/protocol/","transaction_id":"e6d9f908-1d26-4ff3-a6d1-3af3d3721054","message_id":"a2fe6d52-9fe4-4d1a-9d0b-dccb8b48522d","timestamp":"2022-01-04T09:17:55.971Z","ttl":"P1M"},"message":{"intent":{"fulfillment":{"start":{"location":{"gps":"10.108768, 76.347517"}},"end":{"location":{"gps":"10.102997, 76.353480"}}}}}}',
);
const DIGEST = "b6lf6lRgOweajukcvcLsagQ2T60+85kRh/Rd2bdS+TG/5ALebOEgDJfyCrre/1+BMu5nA94o4DT3pTFXuUg7sw==";
const SIGNATURE = "cjbhP0PFyrlSCNszJM1F/YmHDVAWsZqJUPzojnE/7TJU3fJ/rmIlgaUHEr5E0/2PIyf0tpSnWtT6cyNNlpmoAQ==";
// The same key over the other forms in use: the newer label, an answer to a signed request, and a signed ACK.
const NEW_LABEL_SIGNATURE = "4YmlXUUcuug89HCAmzATot1LKVXlei/2nCLLN+8voCzkRDmnVaX6qPFQ153uljVoRy81O4vr+L1Udrmma5QBDQ==";
const CALLBACK_SIGNATURE = "TudquxWnCqSlGC8iMm+L9s94/t5ICV66lVaOMKyvWAD3akuHZtC9dgnLqf1yqhvCVfIOvNrBMMj0T+k6Z/1FBQ==";
const ACK_BODY = Buffer.from('{"message":{"status":"ACK","messageId":"a2fe6d52-9fe4-4d1a-9d0b-dccb8b48522d"}}');
const ACK_DIGEST = "/AxpxCWKzvIuXSI8M8c5Fn2sLQ5sVLawVPB+L/Ic5GF+bF81pgK+724qkeOpZxxSWSIoyxmbDc0u4oK4yEfz8Q==";
const ACK_SIGNATURE = "CMqShPgme6QAzUfKBSmIlHE4k42F15pdXc2/LMuCdMo09eiVrWMJlyjJfCt5EyQryplD3i2OJ9z4nQwBoaQfBQ==";

const KEYS = new PinnedKeys([["bap.stayhalo.in|k1", PUBLIC_KEY]]);
const NOW_MS = CREATED_S * 1000 + 1000;

function header(changes: Record<string, string> = {}): string {
  const parameters = {
    keyId: "bap.stayhalo.in|k1|ed25519",
    algorithm: "ed25519",
    created: `${CREATED_S}`,
    expires: `${EXPIRES_S}`,
    headers: "(created) (expires) digest",
    signature: SIGNATURE,
    ...changes,
  };
  return `Signature ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${value}"`)
    .join(",")}`;
}

function verdict(message: Partial<SignedMessage>, nowMs = NOW_MS): string {
  const result = verifySignature({ body: BODY, authorization: header(), ...message }, KEYS, nowMs);
  return result.ok ? `signed by ${result.signer.subscriberId}` : result.code;
}

describe("published vectors", () => {
  test("the digest is BLAKE2b-512 over the raw bytes", () => {
    expect(digestOf(BODY)).toBe(DIGEST);
    expect(digestOf(ACK_BODY)).toBe(ACK_DIGEST);
    // The usual sample sentence for BLAKE2b (RFC 7693).
    expect(digestOf(Buffer.from("The quick brown fox jumps over the lazy dog"))).toBe(
      "qK3Uvd39k+SHfSdG5igXsRY2Sh+nvBSNlQkLxzM7NnP4JAHPeqLkyx7NkCluPxTLVBP47Xe+cwRbE5FM3NapGA==",
    );
  });

  test("signing the published body gives the published signature, from 64 and from 32 bytes of key", () => {
    const seed = Buffer.from(PRIVATE_KEY, "base64").subarray(0, 32).toString("base64");
    for (const base64 of [PRIVATE_KEY, seed]) {
      const privateKey = privateKeyFromBase64(base64);
      expect(publicKeyText(privateKey)).toBe(PUBLIC_KEY);
      const signer = { subscriberId: "bap.stayhalo.in", keyId: "k1", privateKey };
      const times = { nowMs: CREATED_S * 1000, lifetimeMs: 3_600_000 };
      expect(signBody(signer, BODY, times)).toEqual({ authorization: header(), signature: SIGNATURE });
      expect(signBody({ ...signer, label: "BLAKE2b-512" }, BODY, times).signature).toBe(NEW_LABEL_SIGNATURE);
      expect(signBody(signer, BODY, times, SIGNATURE).signature).toBe(CALLBACK_SIGNATURE);
      expect(signBody(signer, ACK_BODY, times, SIGNATURE).signature).toBe(ACK_SIGNATURE);
    }
  });

  test("three lines are signed, and four in an answer to a signed request", () => {
    const parts = { createdS: CREATED_S, expiresS: EXPIRES_S, label: DIGEST_LABELS[0], digest: DIGEST };
    const three = `(created): ${CREATED_S}\n(expires): ${EXPIRES_S}\ndigest: BLAKE-512=${DIGEST}`;
    expect(signingString(parts)).toBe(three);
    expect(signingString({ ...parts, requestSignature: SIGNATURE })).toBe(`${three}\nrequest-signature: ${SIGNATURE}`);
  });

  test("each form verifies, under either name of the digest", () => {
    expect(verdict({})).toBe("signed by bap.stayhalo.in");
    expect(verdict({ authorization: header({ signature: NEW_LABEL_SIGNATURE }) })).toBe("signed by bap.stayhalo.in");
    const callback = header({
      headers: "(created) (expires) digest request-signature",
      signature: CALLBACK_SIGNATURE,
    });
    expect(verdict({ authorization: callback, requestSignature: SIGNATURE })).toBe("signed by bap.stayhalo.in");
    const ack = header({ headers: "(created) (expires) digest request-signature", signature: ACK_SIGNATURE });
    expect(verdict({ body: ACK_BODY, authorization: ack, requestSignature: SIGNATURE })).toBe(
      "signed by bap.stayhalo.in",
    );
  });
});

describe("each fault has its own code", () => {
  test.each([
    ["no header", { authorization: undefined }, "SIGNATURE_MISSING"],
    ["another scheme", { authorization: header().replace("Signature", "Bearer") }, "SIGNATURE_MALFORMED"],
    ["another key", { authorization: header({ keyId: "bap.stayhalo.in|k2|ed25519" }) }, "KEY_UNKNOWN"],
    ["another subscriber", { authorization: header({ keyId: "elsewhere|k1|ed25519" }) }, "KEY_UNKNOWN"],
    ["another body", { body: Buffer.from(`${BODY} `) }, "SIGNATURE_BAD"],
    ["a moved end", { authorization: header({ expires: `${EXPIRES_S + 1}` }) }, "SIGNATURE_BAD"],
    ["a Digest header of another body", { digestHeader: `BLAKE-512=${ACK_DIGEST}` }, "DIGEST_MISMATCH"],
    [
      "the signature of a request that we did not send",
      { authorization: header({ headers: "(created) (expires) digest request-signature" }) },
      "REQUEST_SIGNATURE_UNKNOWN",
    ],
  ])("%s", (_, message: Partial<SignedMessage>, code) => {
    expect(verdict(message)).toBe(code);
  });

  test("the times count to the second", () => {
    expect(verdict({}, EXPIRES_S * 1000)).toBe("SIGNATURE_EXPIRED");
    expect(verdict({}, EXPIRES_S * 1000 - 1)).toBe("signed by bap.stayhalo.in");
    expect(verdict({}, CREATED_S * 1000 - 5000)).toBe("signed by bap.stayhalo.in");
    expect(verdict({}, CREATED_S * 1000 - 5001)).toBe("SIGNATURE_NOT_YET_VALID");
  });

  test("a Digest header of this body is fine", () => {
    expect(verdict({ digestHeader: `BLAKE-512=${DIGEST}` })).toBe("signed by bap.stayhalo.in");
  });
});

describe("a header that is not exactly what it must be is refused", () => {
  test.each([
    ["a signer who leaves out the digest", { headers: "(created) (expires)" }],
    ["lines in another order", { headers: "(expires) (created) digest" }],
    ["another algorithm", { algorithm: "hs2019" }],
    ["another algorithm in the key id", { keyId: "a|b|rsa" }],
    ["a key id without a key", { keyId: "a||ed25519" }],
    ["a key id with a fourth part", { keyId: "a|b|ed25519|c" }],
    ["a time with a sign", { created: "+5" }],
    ["a time with a leading zero", { created: "01" }],
    ["a short signature", { signature: "AAAA" }],
    ["a signature in another spelling of base64", { signature: SIGNATURE.replaceAll("+", "-").replaceAll("/", "_") }],
  ])("%s", (_, changes) => {
    expect(parseAuthorization(header(changes))).toBeTypeOf("string");
  });

  test.each([
    ["a parameter twice", `${header()},created="1"`],
    ["a parameter missing", header().replace(/,expires="\d+"/, "")],
    ["rubbish between", header().replace(",created", ";created")],
    ["nothing", "Signature "],
  ])("%s", (_, text) => {
    expect(parseAuthorization(text)).toBeTypeOf("string");
  });

  test("times without quotes are the same", () => {
    expect(parseAuthorization(header().replace(`"${CREATED_S}"`, `${CREATED_S}`))).toMatchObject({
      createdS: CREATED_S,
    });
  });
});

describe("keys from the configuration", () => {
  test("a pinned key that is none is named", () => {
    expect(() => new PinnedKeys([["market|k1", "AAAA"]])).toThrow(/market\|k1.*32-byte/);
    expect(() => new PinnedKeys([["market", PUBLIC_KEY]])).toThrow(/subscriberId\|keyId/);
  });

  test("a private key of a wrong length or with a foreign public half is refused", () => {
    expect(() => privateKeyFromBase64("AAAA")).toThrow(/32 bytes/);
    const foreign = Buffer.concat([Buffer.alloc(32, 7), Buffer.from(PUBLIC_KEY, "base64")]);
    expect(() => privateKeyFromBase64(foreign.toString("base64"))).toThrow(/second half/);
  });
});
