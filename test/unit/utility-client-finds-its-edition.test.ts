import { describe, expect, test } from "vitest";
import { sharedSchema } from "../../adapters/ieee2030-5-client/config.ts";
import { capabilityFor, isDiscovery } from "../../adapters/ieee2030-5-client/version-discovery.ts";

const named = (editions: object) => ({ supportedSchemaVersions: editions });
const V1_3 = { "https://csipaus.org/ns/v1.3": { dcap: ["/first", "/second"] } };

describe("a document of editions", () => {
  test("the first DeviceCapability of our edition is taken", () => {
    expect(capabilityFor("1.3", named(V1_3))).toBe("/first");
  });

  test.each([
    ["of another edition alone", "1.2", named(V1_3), /no DeviceCapability for CSIP-AUS 1\.2; it names .*v1\.3/],
    ["with no place for it", "1.3", named({ "https://csipaus.org/ns/v1.3": { dcap: [] } }), /no DeviceCapability/],
    ["with nothing in it", "1.3", named({}), /names none/],
    ["of another shape", "1.3", { versions: [] }, /supportedSchemaVersions/],
    ["that is no object", "1.3", "gone", /expected object/],
  ] as const)("one %s says so", (_name, edition, document, reason) => {
    expect(() => capabilityFor(edition, document)).toThrow(reason);
  });
});

test("only that one address is a place to ask for editions, and it needs an edition of our own", () => {
  expect(isDiscovery("https://u.example/.well-known/csipaus")).toBe(true);
  expect(isDiscovery("https://u.example/dcap")).toBe(false);
  const files = { certFile: "a", keyFile: "b", caFile: "c" };
  const parsed = sharedSchema.safeParse({ url: "https://u.example/.well-known/csipaus", ...files });
  expect(parsed.error?.issues[0]).toMatchObject({ path: ["csipAus"] });
});
