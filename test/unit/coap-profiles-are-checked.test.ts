import { describe, expect, test } from "vitest";
import { loadProfile, parseProfile } from "../../adapters/coap/profile/load-profile.ts";
import { profileFileOf, profileIds } from "../../adapters/coap/profile/profile-files.ts";

const whole = `
id: coap-acme
title: Acme box
vendor: Acme
kind: load
sources: [{ id: manual, title: Manual }]
resources:
  status: { path: /status, format: json, poll: fast }
  order: { path: /order, format: text }
points:
  power: { resource: status, at: /power, unit: W, sign: consumption }
  order: { resource: order, unit: W, sign: consumption, access: readWrite }
readings: { powerKW: power }
controls:
  main:
    kind: limit
    failsafe: gateway-only
    convert: { to: watts }
    limits: { consumption: config.ratingKW }
    sequence: [{ point: order, value: consumption }]
    release: baseline
    verify: { readback: true }
    writePolicy: { cyclic: unknown, maxPerDay: 1000 }
quirks:
  - { match: { firmware: "<2" }, because: counts in kW, patch: { points: { power: { unit: kW } } } }
`;

const faultOf = (from: string, to: string) => {
  expect(whole).toContain(from);
  try {
    parseProfile(whole.replace(from, to), "acme.yaml");
  } catch (error) {
    return (error as Error).message;
  }
  return "no fault";
};

describe("CoAP profiles", () => {
  test("that come with the program are whole, and named by their file", () => {
    const ids = profileIds();
    expect(ids).toContain("lwm2m-power-control");
    expect(ids).toContain("shelly-3em");
    for (const id of ids) expect(loadProfile(profileFileOf(id) ?? "").id).toBe(id);
  });

  test("the example of this test is whole", () => {
    expect(parseProfile(whole, "acme.yaml").id).toBe("coap-acme");
  });

  test.each([
    ["format: json", "format: xml", "resources.status.format: must be one of text, json, cbor"],
    ["path: /status", "path: status", "must be a path that begins with /"],
    ["at: /power", "at: power", '"power" is no JSON pointer'],
    ["resource: status", "resource: other", 'there is no resource "other"'],
    [", sign: consumption }\n  order", " }\n  order", "so it needs `sign`"],
    ["resource: order, unit", "resource: order, at: /x, unit", "a text is one value"],
    ["powerKW: power", "powerKW: watts", 'there is no point "watts"'],
    ["access: readWrite", "access: read", '"order" is only read'],
    ["{ point: order, value: consumption }", "{ point: gone, value: consumption }", 'there is no point "gone"'],
    ["value: consumption }]", "value: import }]", "controls.main.sequence"],
    ["{ consumption: config.ratingKW }", "{}", "needs generation, consumption, or both"],
    ["to: watts", "to: percentOf", "the W that are 100 %"],
    ["failsafe: gateway-only", "failsafe: device", "device needs `reversion` or `heartbeat`"],
    ["release: baseline", "release: baseline\n    reversion: { seconds: 60 }", "go together"],
    ["kind: limit", "", "kind: is missing: setpoint"],
    ["{ cyclic: unknown, maxPerDay: 1000 }", "{ cyclic: no }", "maxPerDay: is missing: with cyclic: no"],
    [
      "release: baseline",
      "release: baseline\n    heartbeat: { everyS: 60, mode: rewrite }",
      "maxPerDay: is too little: an order that lasts all day is written 1440 times",
    ],
    ["{ power: { unit: kW } }", "{ power: { unit: kJ } }", "quirks[0].patch.points.power.unit"],
    ["{ power: { unit: kW } }", "{ power: { resource: gone } }", 'there is no resource "gone"'],
    ["vendor: Acme", "vendor: Acme\nvendr: x", "vendr: is not a setting"],
  ])("%s as %s is explained with its place", (from, to, fault) => {
    const message = faultOf(from, to);
    expect(message).toContain(fault);
    expect(message).toMatch(/^acme\.yaml:\d+:\d+ {2}/);
  });
});
