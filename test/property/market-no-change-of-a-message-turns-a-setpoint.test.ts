import fc from "fast-check";
import { expect, test } from "vitest";
import { cutToApproved } from "../../src/market/dialects/branch-order.ts";
import { flowOf } from "../../src/market/dialects/deg-flow.ts";
import { reductionKWFromDelta } from "../../src/market/dialects/deg-order.ts";
import type { InboxOptions } from "../../src/market/inbox.ts";
import type { ResourceDirectory } from "../../src/market/placement.ts";
import { Desk } from "../support/market-desk.ts";
import { branchConfirm, degConfirm, plainConfirm, seedConfirm } from "../support/market-shapes.ts";

type Json = unknown;
type Path = readonly (string | number)[];

const BASE: Readonly<Record<string, Json>> = {
  seed: seedConfirm({ attributes: { era: "EV-1" } }),
  plain: plainConfirm({ era: "EV-1" }),
  list: plainConfirm({ setpointKW: undefined, setpoints: [{ era: "EV-1", setpointKW: -4 }] }),
  branch: branchConfirm({
    agent: { clearedPower: { "bap.site.example": -4, "meter-ev": -4, "bap.other.example": 9 } },
  }),
  deg: degConfirm(),
};

/** Every place in a message. */
function placesOf(value: Json, path: Path = []): Path[] {
  const inside =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, item]) =>
          placesOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
        )
      : [];
  return path.length === 0 ? inside : [path, ...inside];
}

type Change = { readonly kind: "drop" } | { readonly kind: "rename" } | { readonly kind: "set"; readonly value: Json };

function changed(message: Json, path: Path, change: Change): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change.kind === "set" ? change.value : message;
  const copy = (Array.isArray(message) ? [...message] : { ...(message as object) }) as Record<string | number, Json>;
  if (rest.length > 0 || change.kind === "set") copy[key] = changed(copy[key], rest, change);
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else {
    if (change.kind === "rename") copy[`${key}X`] = copy[key];
    delete copy[key];
  }
  return copy;
}

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constant({ kind: "drop" } as const),
  fc.constant({ kind: "rename" } as const),
  fc
    .oneof(
      fc.constantFrom<Json>(null, "", [], {}, true, 0, -0, 4, -4, 1e9, -1e9, "-4", "4", [4], { value: 4 }, "CANCELLED"),
      fc.double({ noNaN: true, min: -100, max: 100 }),
      fc.jsonValue({ maxDepth: 2 }),
    )
    .map((value) => ({ kind: "set", value }) as const),
);

const cases = fc
  .constantFrom(...Object.keys(BASE))
  .chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(...placesOf(BASE[name])), change));

/** The setpoints of a changed message. */
async function setpointsOf(name: string, path: Path, how: Change, options: Partial<InboxOptions> = {}) {
  const desk = new Desk({
    mapping: ["era", "meter", "transaction", "order"],
    reductionToSetpoint: (_, reductionKW) => ({ powerKW: Math.min(0, reductionKW - 7) }),
    ...options,
  });
  const message = changed(BASE[name], path, how);
  await desk.inbox.receive({ body: Buffer.from(JSON.stringify(message)), requireSignature: false });
  return desk.setpoints;
}

/** A market's rounding error is no wrong sign. */
const NOTHING_KW = 1e-6;

test("a message with any one field changed is refused, or consumes all the same by the same resource", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ([name, path, how]) => {
      for (const { era, powerKW } of await setpointsOf(name, path, how)) {
        expect(era).toBe("EV-1");
        expect(powerKW).toBeLessThanOrEqual(NOTHING_KW);
      }
    }),
    { numRuns: 2500 },
  );
});

/** Where the power itself stands, which nobody but its sender can vouch for. */
const isPower = (path: Path) => path.some((key) => ["setpointKW", "quantity", "clearedPower"].includes(String(key)));

test("and that does not rest on what the device has said that it can do", async () => {
  const directory: ResourceDirectory = {
    has: () => true,
    capability: () => undefined,
    byOrder: () => "EV-1",
    byTransaction: () => undefined,
    byMeter: (meterId) => (meterId === "meter-ev" ? "EV-1" : undefined),
  };
  const options: Partial<InboxOptions> = { directory, mapping: ["meter", "order"] };
  await fc.assert(
    fc.asyncProperty(
      cases.filter(([, path]) => !isPower(path)),
      async ([name, path, how]) => {
        for (const { era, powerKW } of await setpointsOf(name, path, how, options)) {
          expect(era).toBe("EV-1");
          expect(powerKW).toBeLessThanOrEqual(0);
        }
      },
    ),
    { numRuns: 2500 },
  );
});

test("unchanged, each of them is taken", async () => {
  for (const name of Object.keys(BASE)) expect(await setpointsOf(name, [], { kind: "rename" })).not.toEqual([]);
});

const powerKW = fc.double({ min: -1e6, max: 1e6, noNaN: true });

test("what the operator approved never turns a power, and never raises it", () => {
  fc.assert(
    fc.property(powerKW, fc.double({ min: 0, max: 1e6, noNaN: true }), (power, approvedKW) => {
      const cut = cutToApproved(power, approvedKW);
      expect(Math.abs(cut)).toBeLessThanOrEqual(Math.min(Math.abs(power), approvedKW));
      expect(cut * power).toBeGreaterThanOrEqual(0);
      if (Math.abs(power) <= approvedKW) expect(cut).toBe(power + 0);
    }),
  );
});

test("less from the grid is a positive reduction, whichever way it is written", () => {
  fc.assert(
    fc.property(powerKW, (deltaKW) => {
      expect(reductionKWFromDelta(deltaKW, "less")).toBe(deltaKW + 0);
      expect(reductionKWFromDelta(deltaKW, "more")).toBe(-deltaKW + 0);
    }),
  );
});

test("a power on its way out is a magnitude, and its name says the direction", () => {
  fc.assert(
    fc.property(powerKW, (power) => {
      const { type, value } = flowOf(power);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(type === "INJECTION" ? value : -value + 0).toBe(power + 0);
    }),
  );
});
