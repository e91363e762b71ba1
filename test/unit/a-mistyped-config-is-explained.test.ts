import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { adapters } from "../../adapters/index.ts";
import { durationMs } from "../../src/config/duration.ts";
import { failsafeNotes } from "../../src/config/failsafe-notes.ts";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import { ConfigError, parseConfig } from "../../src/config/load.ts";

const file = (name: string) => readFileSync(fileURLToPath(new URL(`../../config/${name}`, import.meta.url)), "utf8");

function faultsOf(text: string): readonly string[] {
  try {
    parseConfig(text, "site.yaml", adapters);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split("\n");
  }
}

const good = `
market:
  subscriberId: site.example
  bppId: market.example
  bppUri: https://market.example/beckn
  webhook: { port: 9080 }
devices:
  - era: garage
    kind: charger
    ocpp: { identity: GARAGE }
`;

describe("a config", () => {
  test("that is sound has its defaults filled in", () => {
    const config = parseConfig(good, "site.yaml", adapters);
    expect(config.market).toMatchObject({ defaultHold: 900_000, sign: "export-positive", currency: "INR" });
    expect(config.api).toMatchObject({ host: "127.0.0.1", port: 9464 });
    expect(config.devices[0]?.["ocpp"]).toMatchObject({ identity: "GARAGE", phases: 3, minA: 6 });
  });

  test("names line, column, key and what was expected", () => {
    const [fault] = faultsOf(good.replace("port: 9080", "port: 90800000"));
    expect(fault).toMatch(/^site\.yaml:6:20 {2}market\.webhook\.port: /);
    expect(fault).toContain("65535");
  });

  test("lists all faults at once", () => {
    const text = good.replace("GARAGE }", "GARAGE, phases: 4, minA: yes }").replace("kind: charger", "kind: toaster");
    expect(faultsOf(text)).toHaveLength(3);
  });

  test.each([
    ["a key that does not exist", good.replace("kind:", "knid: x\n    kind:"), /devices\[0\]\.knid: is not a setting/],
    [
      "two devices with one name",
      `${good}  - { era: garage, kind: solar, modbus: { host: h } }\n`,
      /"garage" is taken already/,
    ],
    ["a device without a protocol", `${good}  - { era: roof, kind: solar }\n`, /exactly one protocol of ocpp, modbus/],
    ["a device with two", good.replace("GARAGE }", "GARAGE }\n    modbus: { host: h }"), /got ocpp and modbus/],
    [
      "a group of nobody",
      `${good}groups: [{ era: g, members: [nobody] }]\n`,
      /groups\[0\]\.members\[0\]: there is no device "nobody"/,
    ],
    [
      "a charging point of nobody, priced in another currency",
      `${good}ocpi: { countryCode: DE, partyId: DEE, location: { id: L, address: A, city: C, country: DEU, latitude: "53.54100", longitude: "9.98400", timeZone: UTC, tariff: { id: T, currency: CHF, pricePerKWh: 1 }, evses: [{ era: nobody, uid: U, evseId: E, maxA: 16, token: { countryCode: NL, partyId: EMP, uid: C, contractId: C } }] } }\n`,
      /evses\[0\]\.era: there is no device "nobody"[\s\S]*location\.tariff\.currency: must be the market's/,
    ],
    [
      "a limit with the wrong sign",
      good.replace("kind:", "limit: { minPowerKW: 7 }\n    kind:"),
      /consumption is negative/,
    ],
    [
      "a security profile that its port does not have",
      good.replace("GARAGE }", "GARAGE, securityProfile: 2, password: very-secret }"),
      /^site\.yaml:10:11 {2}devices\[0\]\.ocpp: securityProfile 2 needs TLS/m,
    ],
    ["a market with no way in", good.replace("  webhook: { port: 9080 }\n", ""), /needs `webhook` or `mqtt`/],
    [
      "unsigned messages from the network",
      good.replace("{ port: 9080 }", "{ host: 0.0.0.0 }\n  requireSignature: false"),
      /can be false only while the webhook and the broker are on loopback/,
    ],
    [
      "unsigned messages from a broker elsewhere",
      good.replace(
        "webhook: { port: 9080 }",
        "requireSignature: false\n  mqtt: { url: mqtts://broker.example, topicIn: a, topicOut: b }",
      ),
      /can be false only while the webhook and the broker are on loopback/,
    ],
    [
      "a key that is no key",
      good.replace("  webhook", "  trustedKeys: [{ subscriberId: m, keyId: k, publicKey: abc }]\n  webhook"),
      /base64 of 32 bytes/,
    ],
    ["a duration that is none", good.replace("  webhook", "  defaultHold: soon\n  webhook"), /for example "15m"/],
    ["a price band upside down", good.replace("kind:", "prices: { from: 2, to: 1 }\n    kind:"), /must not be above/],
    ["a key given twice", good.replace("    kind: charger", "    kind: charger\n    kind: solar"), /unique/],
    ["no YAML at all", "devices: [", /site\.yaml:1:/],
  ])("with %s is refused", (_what, text, expected) => {
    expect(faultsOf(text).join("\n")).toMatch(expected);
  });

  test("that is allowed and risky gets a note", () => {
    const notes = failsafeNotes(
      parseConfig(good.replace("{ port: 9080 }", "{ host: 0.0.0.0 }"), "site.yaml", adapters),
    );
    expect(notes.map((note) => note.path)).toContain("market.trustedKeys");
  });

  test.each(["demo.yaml", "site.example.yaml"])("as shipped (%s) is sound", (name) => {
    expect(faultsOf(file(name))).toEqual([]);
  });

  test("has the schema that is shipped for editors", () => {
    expect(JSON.parse(file("setpointd.schema.json"))).toEqual(configJsonSchema(adapters));
  });

  test("survives being written out and read again", () => {
    expect(faultsOf(stringify(parse(file("site.example.yaml"))))).toEqual([]);
  });
});

test("durations are read in both spellings", () => {
  expect(["15m", "90s", "1h", "250ms", "PT15M", "PT1H30M", "P1D"].map(durationMs)).toEqual([
    900_000, 90_000, 3_600_000, 250, 900_000, 5_400_000, 86_400_000,
  ]);
  expect(["", "15", "P", "PT", "15 parsecs", "-5m"].map(durationMs)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
