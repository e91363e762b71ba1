import fc from "fast-check";
import { expect, test } from "vitest";
import { OwedAnswers } from "../../adapters/modbus/link/owed-answers.ts";

const overdue = fc.record({
  code: fc.constantFrom(1, 2, 3, 4, 5, 6, 15, 16),
  address: fc.nat(0xffff),
  count: fc.integer({ min: 1, max: 125 }),
});

/** Unit and function are the same for all, so that only the length of the data tells answers apart. */
const dataBytes = (code: number, count: number) => (code <= 2 ? Math.ceil(count / 8) : 2 * count);

test("whatever is owed, the answer to the fence has another function or another length, and no write is a fence", () => {
  fc.assert(
    fc.property(fc.array(overdue, { minLength: 1, maxLength: 3 }), (requests) => {
      const owed = new OwedAnswers();
      for (const request of requests) owed.add(request, 0);
      const fence = owed.fence(1000);
      expect(fence).toBeDefined();
      if (fence === undefined) return;
      expect([1, 2, 3, 4]).toContain(fence.code);
      expect(fence.address + fence.count).toBeLessThanOrEqual(0x10000);
      for (const { code, count } of requests) {
        if (code === fence.code) expect(dataBytes(code, count)).not.toBe(dataBytes(fence.code, fence.count));
      }
    }),
  );
});

test("what is over, or was asked half a minute ago, needs no fence", () => {
  const owed = new OwedAnswers();
  expect(owed.fence(0)).toBeUndefined();
  owed.add({ code: 3, address: 0, count: 2 }, 0);
  expect(owed.fence(29_999)).toMatchObject({ code: 3, count: 1 });
  expect(owed.fence(30_000)).toBeUndefined();
  owed.add({ code: 3, address: 0, count: 2 }, 40_000);
  owed.settle();
  expect(owed.fence(40_001)).toBeUndefined();
});
