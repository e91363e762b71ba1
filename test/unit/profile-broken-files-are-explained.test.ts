import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { parseProfile } from "../../adapters/modbus/profile/load-profile.ts";
import { profileFileOf, profileIds } from "../../adapters/modbus/profile/profile-files.ts";
import { ConfigError } from "../../src/config/load.ts";

type Json = { [key: string]: Json } & Json[] & string & number;

/** A sound profile of one point in and one out. */
const SOUND = {
  id: "own-box",
  title: "Own box",
  vendor: "Own",
  kind: "battery",
  sources: [{ id: "manual", title: "its manual" }],
  points: {
    power: { register: 10, type: "i16", unit: "W", sign: "generation", poll: "fast" },
    state: { register: 11 },
    target: { register: 20, type: "i16", unit: "W", sign: "generation", poll: "never", access: "readWrite" },
    timer: { register: 21, unit: "s", poll: "never", access: "readWrite" },
  },
  readings: { powerKW: "power" },
  controls: {
    main: {
      kind: "setpoint",
      failsafe: "gateway-only",
      convert: { to: "watts" },
      limits: { generation: 5000, consumption: 5000 },
      sequence: [{ point: "target", value: "power" }],
      release: "baseline",
      verify: { readback: true, effect: { settleS: 5 } },
      writePolicy: { cyclic: "ok" },
    },
  },
};

function faultsOf(change: (profile: Json) => unknown): readonly string[] {
  const profile = structuredClone(SOUND) as unknown as Json;
  change(profile);
  try {
    parseProfile(stringify(profile), "box.yaml");
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split("\n");
  }
}

describe("a profile", () => {
  test("that is sound has none", () => {
    expect(faultsOf(() => {})).toEqual([]);
  });

  test.each(["failsafe", "release", "limits", "verify", "convert", "kind", "sequence"])(
    "with a control without %s is refused by that name, with its line",
    (key) => {
      const [fault, ...others] = faultsOf((profile) => {
        delete profile["controls"]?.["main"]?.[key];
      });
      expect(fault).toMatch(new RegExp(`^box\\.yaml:\\d+:\\d+ {2}controls\\.main\\.${key}: `));
      if (key !== "sequence") expect(fault).toContain("is missing: ");
      expect(others).toEqual([]);
    },
  );

  const main = (profile: Json) => profile["controls"]?.["main"] as Json;
  const points = (profile: Json) => profile["points"] as Json;
  const set = (at: Json | undefined, key: string, value: unknown) => Object.assign(at ?? {}, { [key]: value });

  test.each<[string, (profile: Json) => unknown, RegExp]>([
    ["a key that does not exist", (p) => set(p, "pionts", {}), /pionts: is not a setting/],
    [
      "a type that does not exist",
      (p) => set(points(p)["power"], "type", "int16"),
      /points\.power\.type: must be one of u16, i16/,
    ],
    [
      "an order that does not exist",
      (p) => set(points(p)["power"], "order", "AB"),
      /points\.power\.order: must be ABCD/,
    ],
    [
      "a register beyond the end",
      (p) => set(points(p)["power"], "register", 65_536),
      /points\.power\.register: its 1 registers go beyond 65535/,
    ],
    [
      "register 0 counted from 1",
      (p) => [set(p, "addressBase", 1), set(points(p)["power"], "register", 0)],
      /points\.power\.register: is below addressBase 1/,
    ],
    [
      "a text without its length",
      (p) => set(points(p), "name", { register: 1, type: "str" }),
      /points\.name\.length: is missing/,
    ],
    [
      "a coil that is a number",
      (p) => set(points(p), "relay", { register: 1, space: "coil" }),
      /points\.relay\.type: must be bit/,
    ],
    [
      "an input that is written",
      (p) => set(points(p)["target"], "space", "input"),
      /points\.target\.access: a input can't be written/,
    ],
    [
      "a scale that is nowhere",
      (p) => set(points(p)["power"], "scaleFrom", "sf"),
      /points\.power\.scaleFrom: there is no point sf/,
    ],
    [
      "a point that leans on itself",
      (p) => set(points(p)["power"], "scaleFrom", "power"),
      /points\.power\.scaleFrom: power must not lean/,
    ],
    ["a power without a sign", (p) => delete points(p)["power"]?.["sign"], /points\.power\.sign: power needs `sign`/],
    [
      "a reading in a wrong unit",
      (p) => set(points(p)["power"], "unit", "V"),
      /readings\.powerKW: power is in V, expected W or kW or mW/,
    ],
    [
      "no power to prove an order by",
      (p) => set(p, "readings", {}),
      /readings\.powerKW: is missing: only the meter proves/,
    ],
    [
      "a reading of a point that is nowhere",
      (p) => set(p["readings"], "socPercent", "soc"),
      /readings\.socPercent: there is no point soc/,
    ],
    [
      "a write to a point that is nowhere",
      (p) => set(main(p), "sequence", [{ point: "x", value: 1 }]),
      /controls\.main\.sequence\[0\]\.point: there is no point x/,
    ],
    [
      "a write to a point that is only read",
      (p) => set(main(p), "sequence", [{ point: "state", value: 1 }]),
      /controls\.main\.sequence\[0\]\.point: state is only read/,
    ],
    [
      "a word that nobody knows",
      (p) => set(main(p), "sequence", [{ point: "target", value: "powr" }]),
      /controls\.main\.sequence\[0\]/,
    ],
    [
      "watts into a register of percent",
      (p) => set(points(p)["target"], "unit", "%"),
      /sequence\[0\]\.point: target is in %, and watts give W/,
    ],
    [
      "a failsafe of the device that nothing arms",
      (p) => set(main(p), "failsafe", "device"),
      /controls\.main\.failsafe: device needs `reversion` or `heartbeat`/,
    ],
    [
      "a timer that is written and nowhere said",
      (p) => set(main(p), "sequence", [{ point: "timer", value: "reversion" }]),
      /reversion needs `reversion\.seconds`/,
    ],
    [
      "amps without phases",
      (p) => set(main(p), "convert", { to: "amps", volts: 230 }),
      /controls\.main\.convert\.phases: is missing/,
    ],
    [
      "percent of nothing",
      (p) => set(main(p), "convert", { to: "percentOf" }),
      /controls\.main\.convert\.base: is missing/,
    ],
    [
      "limits that limit nothing",
      (p) => set(main(p), "limits", { least: 6 }),
      /controls\.main\.limits: needs generation, consumption, or both/,
    ],
    [
      "limits by a point that is nowhere",
      (p) => set(main(p), "limits", { generation: ["rating", 5] }),
      /controls\.main\.limits\.generation: there is no point rating/,
    ],
    [
      "an off that is never used",
      (p) => set(main(p), "off", [{ point: "target", value: 0 }]),
      /controls\.main\.off: and `convert\.zero: off` belong together/,
    ],
    [
      "a baseline of what can't be read",
      (p) => set(points(p)["target"], "access", "write"),
      /controls\.main\.release: baseline: target can't be read/,
    ],
    [
      "a verify that verifies nothing",
      (p) => set(main(p), "verify", { readback: false }),
      /controls\.main\.verify\.effect: is missing/,
    ],
    [
      "a heartbeat of nothing",
      (p) => set(main(p), "heartbeat", { everyS: 5, mode: "increment" }),
      /controls\.main\.heartbeat\.point: is missing: what to increment/,
    ],
    [
      "a memory that wears out, and no bound",
      (p) => set(main(p), "writePolicy", { cyclic: "no" }),
      /controls\.main\.writePolicy\.maxPerDay: is missing/,
    ],
    [
      "a memory that wears out, and a heartbeat",
      (p) => [
        set(main(p), "writePolicy", { cyclic: "no", maxPerDay: 9 }),
        set(main(p), "heartbeat", { everyS: 5, mode: "rewrite" }),
      ],
      /cyclic: no, and a heartbeat that writes/,
    ],
    [
      "an atomic write with a gap",
      (p) => [
        set(points(p)["timer"], "register", 25),
        set(main(p), "reversion", { seconds: 9 }),
        set(main(p), "sequence", [
          {
            atomic: [
              { point: "target", value: "power" },
              { point: "timer", value: "reversion" },
            ],
          },
        ]),
      ],
      /sequence\[0\]\.atomic: registers 20 and 25 are no neighbours/,
    ],
    [
      "a second source, and a row that names none",
      (p) => set(p, "sources", [...SOUND.sources, { id: "other", title: "x" }]),
      /points\.power\.source: is missing: one of manual, other/,
    ],
    [
      "a source that is nowhere",
      (p) => set(points(p)["power"], "source", "web"),
      /points\.power\.source: there is no source web/,
    ],
    [
      "a quirk that makes nonsense of it",
      (p) => set(p, "quirks", [{ match: { vendor: "X*" }, because: "x", patch: { points: { power: { unit: "V" } } } }]),
      /quirks\[0\]\.patch\.readings\.powerKW: power is in V/,
    ],
    [
      "a quirk that matches nothing in particular",
      (p) => set(p, "quirks", [{ match: {}, because: "x", patch: {} }]),
      /quirks\[0\]\.match: needs vendor, model or firmware/,
    ],
    [
      "a check that checks nothing",
      (p) => set(p, "identify", [{ point: "state" }]),
      /identify\[0\]: needs equals, oneOf, like, min or max/,
    ],
    ["a meter that is told something", (p) => set(p, "kind", "meter"), /controls: a meter has none/],
    ["a SunSpec part beside points", (p) => set(p, "sunspec", {}), /points: a profile with `sunspec` has none/],
    [
      "no points at all",
      (p) => [set(p, "points", {}), set(p, "controls", {}), set(p, "readings", {})],
      /points: is missing: without points nothing can be read/,
    ],
  ])("with %s is refused", (_, change, message) => {
    const faults = faultsOf(change);
    expect(faults.join("\n")).toMatch(message);
    for (const fault of faults) expect(fault).toMatch(/^box\.yaml:\d+:\d+ {2}/);
  });

  test("that is no YAML is refused with its line", () => {
    expect(() => parseProfile("id: x\n  kind: [", "box.yaml")).toThrow(/^box\.yaml:\d+:\d+/);
  });

  test("with several faults has all of them told at once", () => {
    const faults = faultsOf((profile) => {
      delete main(profile)["failsafe"];
      delete main(profile)["release"];
      set(points(profile)["power"], "order", "AB");
    });
    expect(faults).toHaveLength(3);
  });
});

describe("the profiles that come with setpointd", () => {
  test.each(profileIds())("%s is sound, is named as its file, and says where each number comes from", (id) => {
    const text = readFileSync(profileFileOf(id) ?? "", "utf8");
    const profile = parseProfile(text, id);
    expect(profile.id).toBe(id);
    expect((parse(text) as { $schema?: string }).$schema).toBe("../profile.schema.json");
    for (const [name, point] of Object.entries(profile.points)) {
      const named = point.source ?? profile.sources[0]?.id;
      expect(
        profile.sources.map((source) => source.id),
        name,
      ).toContain(named);
    }
    // Where nobody has checked a control's memory, its writing has a bound.
    for (const spec of Object.values(profile.controls)) {
      expect(spec.writePolicy.cyclic === "ok" || spec.writePolicy.maxPerDay !== undefined).toBe(true);
    }
  });

  test("SunSpec has the quirks of its makers", () => {
    const vendors = (id: string) =>
      parseProfile(readFileSync(profileFileOf(id) ?? "", "utf8"), id).quirks.map(({ match }) => match.vendor);
    for (const id of ["sunspec-inverter", "sunspec-storage"]) {
      for (const maker of ["Fronius", "SMA", "KOSTAL", "SolarEdge", "FIMER"]) {
        expect(
          vendors(id).some((vendor) => vendor?.includes(maker)),
          `${id} ${maker}`,
        ).toBe(true);
      }
    }
  });
});

test("the profile of the how-to is sound, and what it says of rounding is so", () => {
  const page = readFileSync(new URL("../../docs/how-to/device-profile.md", import.meta.url), "utf8");
  const [, text = ""] = /^```yaml\n(# my-battery\.yaml\n[\s\S]*?)^```$/m.exec(page) ?? [];
  expect(parseProfile(text, "my-battery.yaml").id).toBe("my-battery");
  expect((7400 / (3 * 230)).toFixed(2)).toBe("10.72");
});
