import fc from "fast-check";
import { expect, test } from "vitest";
import { parseFrame } from "../../adapters/ocpp/link/frame.ts";
import { parseTimestamp } from "../../adapters/ocpp/link/timestamp.ts";
import { measuredFrom } from "../../adapters/ocpp/metering/reading-from-samples.ts";
import { sampleSetsFrom } from "../../adapters/ocpp/metering/sampled-value.ts";
import { OCPP_VERSIONS } from "../../adapters/ocpp/version.ts";

const version = fc.constantFrom(...OCPP_VERSIONS);

test("any text is read without a throw, and an answer is never answered", () => {
  fc.assert(fc.property(fc.string(), version, (text, spoken) => void parseFrame(text, spoken)));
  fc.assert(
    fc.property(
      fc.constantFrom(3, 4, 5, 6, -1, "2", null),
      fc.array(fc.jsonValue(), { maxLength: 5 }),
      version,
      (type, rest, spoken) => {
        const frame = parseFrame(JSON.stringify([type, ...rest]), spoken);
        if (frame.kind === "bad") expect(frame.answerTo).toBeUndefined();
        else expect(["result", "error", "send", "result-error"]).toContain(frame.kind);
      },
    ),
  );
});

test("SEND and CALLRESULTERROR are no frames before OCPP 2.1", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(5, 6),
      fc.string(),
      fc.string(),
      fc.dictionary(fc.string(), fc.jsonValue()),
      (...parts) => {
        for (const older of ["ocpp1.6", "ocpp2.0.1"] as const) {
          expect(parseFrame(JSON.stringify(parts), older).kind).toBe("bad");
        }
      },
    ),
  );
});

test("arrays nested ten thousand deep are a bad frame like any other", () => {
  const frame = parseFrame(`[2,"1","MeterValues",${"[".repeat(10_000)}${"]".repeat(10_000)}]`, "ocpp2.1");
  expect(frame).toMatchObject({ kind: "bad", about: "payload", answerTo: "1" });
});

test("whatever a charger sends as meter values gives finite numbers or nothing", () => {
  const sampledValue = fc.record(
    {
      value: fc.oneof(fc.string(), fc.double(), fc.constantFrom("NaN", "", " 7 ", "1e400", null)),
      measurand: fc.constantFrom("Power.Active.Import", "Voltage", "Current.Import", "SoC", "Temperature", "x", 7),
      phase: fc.constantFrom("L1", "L2-N", "L1-L2", "N", "L9", ""),
      unit: fc.constantFrom("W", "kW", "K", "constructor", "__proto__", 3),
      unitOfMeasure: fc.record(
        { unit: fc.string(), multiplier: fc.oneof(fc.integer(), fc.string()) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(sampledValue, fc.jsonValue()), { maxLength: 8 }), (values) => {
      for (const set of sampleSetsFrom({ meterValue: [{ sampledValue: values }] })) {
        const measured = measuredFrom(set.samples, { phases: 3, voltageV: 230 }) ?? {};
        for (const value of Object.values(measured).flat()) expect(Number.isFinite(value)).toBe(true);
      }
    }),
  );
});

test("a time without a zone is UTC, and a zone is heeded", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date("2021-01-01"), max: new Date("2090-01-01"), noInvalidDate: true }), (date) => {
      const text = date.toISOString();
      expect(parseTimestamp(text)).toBe(date.getTime());
      expect(parseTimestamp(text.slice(0, -1))).toBe(date.getTime());
    }),
  );
  expect(parseTimestamp("2026-11-23T14:00:00+05:30")).toBe(Date.UTC(2026, 10, 23, 8, 30));
  expect(parseTimestamp("2026-11-23 14:00:00+01")).toBe(Date.UTC(2026, 10, 23, 13));
  expect(parseTimestamp("1970-01-01T00:00:10Z")).toBeUndefined();
  expect(parseTimestamp("soon")).toBeUndefined();
});
