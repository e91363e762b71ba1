import { describe, expect, test } from "vitest";
import { callbackContext, isCallbackAction, messageContext } from "../../src/market/beckn-context.ts";
import { dialectOf } from "../../src/market/dialects/choose-dialect.ts";
import type { DialectPolicy } from "../../src/market/dialects/order-codec.ts";
import { confirmMessage, deliveryMessage, discoverMessage } from "../../src/market/dialects/seed-messages.ts";
import { readSeedOffers } from "../../src/market/dialects/seed-offers.ts";
import type { SeedDialect } from "../../src/market/dialects/seed-shape.ts";
import { VERDICTS } from "../../src/model/verdict.ts";
import { settlementReport } from "../../src/settlement/report.ts";
import { settlementJson } from "../../src/settlement/report-json.ts";
import type { SettlementRules } from "../../src/settlement/settlement-rules.ts";
import {
  EXAMPLES,
  extensionsIn,
  isJson,
  type Json,
  jsonFile,
  SCHEMA_BASE,
  SCHEMA_NAMES,
  schemaFaults,
} from "../support/docs-library.ts";
import { termFaults, termsOf } from "../support/docs-terms.ts";

const SEED: SeedDialect = { sign: "export-positive", currency: "EUR" };
const POLICY: DialectPolicy = {
  sign: { seed: "export-positive", branch: "export-positive", deg: "reduction" },
  currency: "EUR",
  isMeter: () => false,
};
const NOW_MS = Date.parse("2026-06-15T10:00:00Z");

function faultsIn(message: unknown): readonly string[] {
  return extensionsIn(message).flatMap(({ schema, path, value }) =>
    schemaFaults(schema, value).map((fault) => `${path}: ${fault}`),
  );
}

describe("schemas", () => {
  test.each(SCHEMA_NAMES)("%s compiles, under the one base, and says what each field means", (name) => {
    const schema = jsonFile(`docs/schema/${name}/v1/schema.json`);
    expect(schema["$id"]).toBe(`${SCHEMA_BASE}${name}/v1/schema.json`);
    expect(() => schemaFaults(name, {})).not.toThrow();
    expect(propertiesWithoutMeaning(schema)).toEqual([]);
  });

  test("a power says its unit and a price its currency", () => {
    for (const [name, description] of SCHEMA_NAMES.flatMap((one) =>
      describedNumbers(jsonFile(`docs/schema/${one}/v1/schema.json`)),
    )) {
      if (/KW$/.test(name)) expect(description, name).toMatch(/\bkW\b/);
      if (/KWh$/.test(name) && !/price/i.test(name)) expect(description, name).toMatch(/\bkWh\b/);
    }
  });

  test("they refuse what they can refuse", () => {
    const point = { price: 0.1, powerKW: -5 };
    expect(schemaFaults("BidCurve", { bidCurve: [] })).not.toEqual([]);
    expect(schemaFaults("BidCurve", { bidCurve: [{ ...point, price: "0.1" }] })).not.toEqual([]);
    expect(schemaFaults("BidCurve", { bidCurve: [{ price: 0.1 }] })).not.toEqual([]);
    expect(schemaFaults("BidCurve", { bidCurve: [point], currency: "Rs" })).not.toEqual([]);
    expect(schemaFaults("BidCurve", { bidCurve: [point], curveShape: "CUBIC" })).not.toEqual([]);
    expect(schemaFaults("EnergyOrder", { setpointKW: -5, setpoints: [{ era: "a", setpointKW: 1 }] })).not.toEqual([]);
    expect(schemaFaults("EnergyOrder", { setpointKW: "-5" })).not.toEqual([]);
    expect(schemaFaults("EnergyOrder", { clearingPrice: "0.09" })).not.toEqual([]);
    expect(schemaFaults("EnergyOrder", { clearingPrice: "PAY_AS_CLEAR" })).toEqual([]);
    const mixed = { setpointKW: 1, validFrom: "2026-06-15T12:00:00Z", duration: "PT15M" };
    expect(schemaFaults("EnergyOrder", mixed)).not.toEqual([]);
    expect(schemaFaults("Objectives", { deadline: "18:00" })).not.toEqual([]);
    expect(schemaFaults("OffsetCommand", { enabled: true })).not.toEqual([]);
    expect(schemaFaults("GridNode", { era: "a" })).not.toEqual([]);
    const swapped = { eventTime: "2026-06-15T12:00:00Z", metrics: [{ name: "POWER", value: 18.4, unitCode: "KWH" }] };
    expect(schemaFaults("ChargingTelemetry", { chargingTelemetry: [swapped] })).not.toEqual([]);
  });

  test("what a schema can't say it tells: a falling curve passes, and the description says who checks it", () => {
    const falling = { bidCurve: [0.1, 0.2].map((price, index) => ({ price, powerKW: -index })) };
    expect(schemaFaults("BidCurve", falling)).toEqual([]);
    expect(jsonFile("docs/schema/BidCurve/v1/schema.json")["description"]).toMatch(/schema can't say/);
  });

  test("the verdicts are the ones that the meter gives", () => {
    const order = jsonFile("docs/schema/EnergyOrder/v1/schema.json");
    expect(order).toMatchObject({ $defs: { verdict: { properties: { verdict: { enum: VERDICTS } } } } });
  });
});

describe("examples", () => {
  test.each(EXAMPLES)("$name fits its schemas", ({ message }) => {
    expect(faultsIn(message)).toEqual([]);
  });

  test("each of our schemas has an example, and each action of a use case too", () => {
    const used = new Set(EXAMPLES.flatMap(({ message }) => extensionsIn(message).map(({ schema }) => schema)));
    // A curve has no object of its own: it stands flat in others.
    expect(SCHEMA_NAMES.filter((name) => !used.has(name))).toEqual(["BidCurve"]);
    const actions = new Set(EXAMPLES.map(({ message }) => messageContext(message).action));
    for (const action of ["discover", "select", "init", "confirm", "update", "status", "track", "cancel", "rating"]) {
      expect(actions).toContain(action);
      expect(actions).toContain(`on_${action}`);
    }
    for (const action of ["support", "on_support", "aggregate", "on_aggregate"]) expect(actions).toContain(action);
  });

  test.each(EXAMPLES)("$name has the action that its name says", ({ name, message }) => {
    expect(name).toContain(`-${messageContext(message).action}`);
  });

  test("a solicited answer has the id of its question, and comes after it", () => {
    const questions = new Map<string, { action: string; timestampMs: number }>();
    const ids = new Set<string>();
    for (const { name, message } of EXAMPLES) {
      const { action, messageId, transactionId, timestampMs } = messageContext(message);
      expect(transactionId, name).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      if (isCallbackAction(action)) {
        const question = questions.get(messageId);
        if (question === undefined) continue;
        expect(`on_${question.action}`, name).toBe(action);
        expect(timestampMs, name).toBeGreaterThan(question.timestampMs);
      } else {
        expect(ids, name).not.toContain(messageId);
        ids.add(messageId);
        questions.set(messageId, { action, timestampMs });
      }
    }
  });

  const orders = EXAMPLES.filter(
    ({ name, message }) =>
      /^(?!.*\.branch\.).*-(on_confirm|on_update|on_cancel)$/.test(name) &&
      isJson(message["message"]) &&
      "order" in message["message"],
  );

  test.each(orders)("$name is read by the gateway as it stands", ({ name, message }) => {
    const { drafts, isOver } = dialectOf(message).readOrder(message, callbackContext(message), POLICY, NOW_MS);
    expect(isOver).toBe(name.endsWith("on_cancel") || orderStatusOf(message) === "COMPLETED");
    if (!name.endsWith("on_confirm")) return;
    expect(drafts.length).toBeGreaterThan(0);
    for (const draft of drafts) {
      expect(draft.clearingPrice?.currency).toBe("EUR");
      expect(draft.validUntilMs).toBeGreaterThan(draft.validFromMs ?? Number.NaN);
    }
  });

  const catalogues = EXAMPLES.filter(({ name }) => name.endsWith("on_discover"));

  test.each(catalogues)("$name is read by the gateway as it stands", ({ message }) => {
    const [offer, other] = readSeedOffers(message, SEED);
    expect(other).toBeUndefined();
    expect(offer?.clearingPrice.currency).toBe("EUR");
    expect(offer?.powerKW).not.toBe(0);
  });
});

describe("what the gateway itself sends", () => {
  const curve = {
    shape: "LINEAR" as const,
    currency: "EUR",
    points: [
      { pricePerKWh: 0.12, powerKW: -11 },
      { pricePerKWh: 0.16, powerKW: 0 },
    ],
  };
  const constraints = { minPowerKW: -11, maxPowerKW: 0, rampRateKWPerMin: 3 };
  const objective = {
    targetChargeKWh: 22,
    deadlineMs: NOW_MS,
    maxPricePerKWh: 0.16,
    preferredSource: "SOLAR",
    minChargeKWh: 5,
    maxChargeKWh: 40,
  };

  test("fits the same schemas", () => {
    const accepted = { era: "EV-1", clearingPrice: { pricePerKWh: 0.13, currency: "EUR" }, offerId: "o", powerKW: -8 };
    const report = {
      era: "EV-1",
      orderId: "order-1",
      curve,
      constraints,
      readings: [
        {
          era: "EV-1",
          receivedAtMs: NOW_MS,
          powerKW: -8,
          importKWh: 12,
          exportKWh: 0,
          voltageV: 230,
          currentA: [11, 11, 12],
          socPercent: 50,
          frequencyHz: 50,
        },
      ],
      judgement: {
        setpointId: "m/1/0",
        era: "EV-1",
        verdict: "effective" as const,
        reason: "measured",
        orderedKW: -8,
        appliedKW: -7.9,
        measuredKW: -7.9,
        samples: 3,
        atMs: NOW_MS,
        final: true,
      },
    };
    const sent = [
      discoverMessage({ era: "EV-1", curve, constraints, objective }, SEED),
      confirmMessage({ ...accepted, objective }, SEED),
      deliveryMessage(report, SEED),
    ];
    expect(sent.map((message) => extensionsIn(message).map(({ schema }) => schema))).toEqual([
      ["EnergyIntent", "Objectives"],
      ["EnergyOrder", "Objectives"],
      ["EnergyOrder", "ChargingTelemetry"],
    ]);
    expect(sent.flatMap(faultsIn)).toEqual([]);
  });

  test("a bill fits them too", () => {
    const roof = { era: "roof", role: "SELLER" };
    const interval = { era: "meter", startMs: NOW_MS, endMs: NOW_MS + 900_000, quality: "MEASURED" as const };
    const rules: SettlementRules = {
      currency: "EUR",
      rounding: "HALF_EVEN",
      direction: "IMPORT",
      quantity: "METERED",
      payer: { era: "buyer", role: "BUYER" },
      flows: [
        { name: "energyCost", description: "Energy", to: roof, kind: "energy" },
        {
          name: "tax",
          description: "Tax",
          to: { era: "state", role: "GOVERNMENT" },
          kind: "tax",
          microPercent: 10_000_000n,
          of: "gross",
          mode: "EXCLUSIVE",
        },
      ],
    };
    const traded = [
      { ...interval, meteredWh: 5500, clearedWh: 5000, microPerKWh: 180_000n, orderId: "order-1" },
      { ...interval, era: "other", quality: "GAP" as const, reason: "no reading" },
    ];
    const report = settlementReport(traded, rules, { reportId: "report-1", generatedAtMs: NOW_MS });
    const sent = JSON.parse(JSON.stringify(settlementJson(report, () => "sha256:0")));
    expect(faultsIn(sent)).toEqual([]);
    expect(termFaults(sent.settlement, termsOf(`${SCHEMA_BASE}Settlement/v1/context.jsonld`))).toEqual([]);
  });
});

function orderStatusOf(message: Json): unknown {
  const { order } = message["message"] as { order?: Json };
  return order?.["beckn:orderStatus"];
}

/** Fields of a schema that neither they nor what they refer to describe. */
function propertiesWithoutMeaning(schema: unknown, path = ""): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap((part, index) => propertiesWithoutMeaning(part, `${path}/${index}`));
  if (!isJson(schema)) return [];
  return Object.entries(schema).flatMap(([key, part]) => {
    const below = propertiesWithoutMeaning(part, `${path}/${key}`);
    if (key !== "properties" || !isJson(part) || path.endsWith("/if") || path.endsWith("/then")) return below;
    const bare = Object.entries(part).filter(
      ([, field]) => isJson(field) && field["description"] === undefined && field["$ref"] === undefined,
    );
    return [...bare.map(([name]) => `${path}/${name}`), ...below];
  });
}

/** `[name, description]` of every number in a schema. */
function describedNumbers(schema: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(schema)) return schema.flatMap(describedNumbers);
  if (!isJson(schema)) return [];
  return Object.entries(schema).flatMap(([key, part]) => {
    const own =
      isJson(part) && part["type"] === "number" && typeof part["description"] === "string"
        ? [[key, part["description"]] as const]
        : [];
    return [...own, ...describedNumbers(part)];
  });
}
