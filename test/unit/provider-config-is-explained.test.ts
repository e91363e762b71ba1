import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import type { Parts } from "../../src/cli/parts.ts";
import { addProviderCommand } from "../../src/cli/provider.ts";
import { ConfigError } from "../../src/config/load.ts";
import { parseProviderConfig } from "../../src/market/provider/load-provider-config.ts";
import { requiresSignature } from "../../src/market/provider/provider-config.ts";

const BASE = "subscriberId: m\nhttp: {}\n";

function faults(text: string): string {
  try {
    parseProviderConfig(text, "provider.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

test("the example runs as it is", () => {
  const file = new URL("../../config/provider.example.yaml", import.meta.url);
  const config = parseProviderConfig(readFileSync(file, "utf8"), "provider.example.yaml");
  expect(config.market).toMatchObject({ interval: 60_000, gate: 10_000, priceDiscovery: "offerThenConfirm" });
  expect(requiresSignature(config)).toBe(false);
});

describe("a fault names its place, its key and what was expected", () => {
  test.each([
    ["no door", "subscriberId: m\n", "http: needs `http` or `mqtt`"],
    ["a misspelt key", `${BASE}makret: {}\n`, "provider.yaml:3:9  makret: is not a setting"],
    ["a gate as long as the interval", `${BASE}market: { gate: 15m }\n`, "market.gate: must be shorter"],
    ["an unknown node", `${BASE}grid: { nodes: [{ era: a }], resources: [{ era: x, node: b }] }\n`, 'no node "b"'],
    ["two roots", `${BASE}grid: { nodes: [{ era: a }, { era: b }] }\n`, "exactly one node has no parent"],
    ["a circle", `${BASE}grid: { nodes: [{ era: a }, { era: b, parent: c }, { era: c, parent: b }] }\n`, "lead back"],
    [
      "a curve that falls",
      `${BASE}market: { external: { points: [{ price: 1, powerKW: 2 }, { price: 2, powerKW: 1 }] } }\n`,
      "market.external.points[1]: powerKW 1 is below 2",
    ],
    [
      "prices the wrong way round",
      `${BASE}market: { minPrice: 2, maxPrice: 1 }\n`,
      "market.minPrice: must not be above",
    ],
    [
      "a clearing after the start",
      `${BASE}flexNeeds: [{ id: n, start: "2026-01-01T00:00:00Z", clearingTime: "2026-01-02T00:00:00Z", requestedKW: [1] }]\n`,
      "flexNeeds[0].clearingTime: must not be after",
    ],
    [
      "a door open to all without signatures",
      "subscriberId: m\nhttp: { host: 0.0.0.0 }\nrequireSignature: false\nsubscriberUri: http://m\n",
      "requireSignature: can be false only",
    ],
    ["an address that nobody can know", "subscriberId: m\nhttp: { host: 0.0.0.0 }\n", "subscriberUri: is needed"],
    [
      "a topic for many",
      'subscriberId: m\nsubscriberUri: http://m\nmqtt: { url: "mqtt://127.0.0.1", requestTopic: "a/#" }\n',
      "mqtt.requestTopic",
    ],
    ["no YAML", "subscriberId: [\n", "provider.yaml:"],
  ])("%s", (_name, text, expected) => {
    expect(faults(text)).toContain(expected);
  });
});

test("who can be reached by others asks for signatures", () => {
  const open = "subscriberId: m\nhttp: { host: 0.0.0.0 }\nsubscriberUri: http://m\n";
  expect(requiresSignature(parseProviderConfig(open, "x"))).toBe(true);
  const broker = 'subscriberId: m\nsubscriberUri: http://m\nmqtt: { url: "mqtt://broker.example", requestTopic: a }\n';
  expect(requiresSignature(parseProviderConfig(broker, "x"))).toBe(true);
});

test("`provider check` finds the faults before anything runs", async () => {
  const program = new Command().exitOverride();
  addProviderCommand(program, {} as Parts, () => {});
  const check = (file: string) => program.parseAsync(["provider", "check", file], { from: "user" });
  await check(fileURLToPath(new URL("../../config/provider.example.yaml", import.meta.url)));
  await expect(check("/nowhere/provider.yaml")).rejects.toThrow("there is no such file");
});
