import fc from "fast-check";
import { expect, test } from "vitest";
import { statusMessage } from "../../adapters/coap/coiot/status-message.ts";
import { BlockOrder } from "../../adapters/coap/link/block-order.ts";
import { CoapError } from "../../adapters/coap/link/coap-error.ts";
import { rawMessage } from "../../adapters/coap/link/raw-message.ts";
import { type CoapMessage, encodeCoap } from "../../fuzz/coap-message.ts";

/** Bytes that begin as a message does, so that they are not all passed over at once. */
const datagram = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 60 }))
  .map(([tokenLength, code, rest]) => Buffer.from([0x50 | tokenLength, code, 0, 1, ...rest]));

test("any bytes are a message, or none, and never more than that", () => {
  fc.assert(
    fc.property(fc.oneof(datagram, fc.uint8Array({ maxLength: 40 }).map(Buffer.from)), (bytes) => {
      rawMessage(bytes);
      statusMessage(bytes);
      const order = new BlockOrder();
      order.sent(bytes);
      try {
        order.takes(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(CoapError);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a message that somebody else wrote is read as he meant it, whatever the numbers and lengths of its options", () => {
  const option = fc.tuple(
    fc.integer({ min: 0, max: 60_000 }),
    fc.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 8 }),
      fc.array(option, { maxLength: 8 }),
      fc.uint8Array({ maxLength: 50 }),
      (token, unordered, payload) => {
        const options = unordered.toSorted(([a], [b]) => a - b);
        const written: CoapMessage = {
          type: 1,
          code: 69,
          id: 7,
          token: Buffer.from(token),
          options,
          payload: Buffer.from(payload),
        };
        const read = rawMessage(encodeCoap(written));
        expect(read?.token).toBe(written.token.toString("hex"));
        expect(
          [...(read?.options ?? [])].flatMap(([number, values]) => values.map((value) => [number, value])),
        ).toEqual(options);
        expect(read?.payload).toEqual(written.payload);
      },
    ),
  );
});
