import { beforeEach, describe, expect, test } from "vitest";
import { ChargingSessions, type MeteredInterval, type OpenSession } from "../../src/ocpi/charging-sessions.ts";
import { ocpiConfig } from "../../src/ocpi/ocpi-config.ts";
import type { Cdr, OcpiSession } from "../../src/ocpi/ocpi-objects.ts";
import { checkObject } from "../../src/ocpi/ocpi-schemas.ts";

const START = Date.UTC(2026, 5, 15, 12);
const MINUTE = 60_000;
const ERA = "bay-1";

const config = ocpiConfig.parse({
  countryCode: "DE",
  partyId: "DEE",
  location: {
    id: "DEPOT",
    address: "Quay 1",
    city: "Hamburg",
    country: "DEU",
    latitude: "53.54100",
    longitude: "9.98400",
    timeZone: "Europe/Berlin",
    tariff: { id: "ADHOC", currency: "EUR", pricePerKWh: 0.4 },
    evses: [
      {
        era: ERA,
        uid: "BAY1",
        evseId: "DE*DEE*E1",
        maxA: 32,
        token: { countryCode: "NL", partyId: "EMP", uid: "CARD-1", contractId: "NL-EMP-C1" },
      },
    ],
  },
});

let sessions: OcpiSession[];
let cdrs: Cdr[];
let uncharged: string[];

function open(before: readonly OpenSession[] = []): ChargingSessions {
  const { location: offer } = config;
  if (offer === undefined) throw new Error("there is no location");
  let ids = 0;
  return new ChargingSessions(
    {
      us: config,
      offer,
      versions: ["2.2.1"],
      newId: () => {
        ids += 1;
        return `session-${ids}`;
      },
      cut: (_era, atMs) => atMs,
      // Whatever is told has to be what the standard demands.
      session: (version, session) => sessions.push(checkObject(version, "sessions", session) as unknown as OcpiSession),
      cdr: (version, cdr) => cdrs.push(checkObject(version, "cdrs", cdr) as unknown as Cdr),
      uncharged: (_era, _id, reason) => uncharged.push(reason),
    },
    before,
  );
}

/** @param fromMin,untilMin minutes after the start */
function metered(fromMin: number, untilMin: number, more: Partial<MeteredInterval> = {}): MeteredInterval {
  return {
    era: ERA,
    startMs: START + fromMin * MINUTE,
    endMs: START + untilMin * MINUTE,
    importWh: 1000,
    isGap: false,
    ...more,
  };
}

const at = (minute: number) => START + minute * MINUTE;

beforeEach(() => {
  sessions = [];
  cdrs = [];
  uncharged = [];
});

describe("a charge", () => {
  test("is told when the car comes, with each interval, and charged when the meter has told the last of it", () => {
    const charging = open();
    charging.plug(ERA, true, at(2));
    expect(sessions.at(-1)).toMatchObject({ id: "session-1", status: "ACTIVE", kwh: 0 });
    charging.interval(metered(2, 15, { pricePerKWh: 0.2, currency: "EUR" }), at(16));
    charging.interval(metered(15, 20), at(20));
    expect(sessions.at(-1)).toMatchObject({ status: "ACTIVE", kwh: 2 });
    charging.plug(ERA, false, at(25));
    expect(cdrs).toEqual([]);
    charging.interval(metered(20, 25), at(31));
    expect(sessions.at(-1)).toMatchObject({ status: "COMPLETED", kwh: 3 });
    expect(cdrs[0]).toMatchObject({
      session_id: "session-1",
      start_date_time: "2026-06-15T12:02:00Z",
      end_date_time: "2026-06-15T12:25:00Z",
      total_energy: 3,
      // 1 kWh at the market's 0.20, two at the tariff's 0.40.
      total_cost: { excl_vat: 1 },
      cdr_token: { uid: "CARD-1", contract_id: "NL-EMP-C1" },
    });
    expect(cdrs[0]?.charging_periods.map(({ tariff_id }) => tariff_id)).toEqual([
      "market-EUR-0.2",
      "market-EUR-0.4",
      "market-EUR-0.4",
    ]);
  });

  test("of two cars in one interval is two charges, each with its own energy", () => {
    const charging = open();
    charging.plug(ERA, true, at(0));
    charging.plug(ERA, false, at(5));
    charging.plug(ERA, true, at(8));
    charging.interval(metered(0, 5, { importWh: 700 }), at(9));
    charging.interval(metered(5, 8, { importWh: 0 }), at(9));
    charging.interval(metered(8, 15, { importWh: 300 }), at(16));
    charging.plug(ERA, false, at(15));
    charging.settle(ERA, at(16));
    expect(cdrs.map((cdr) => [cdr.session_id, cdr.total_energy])).toEqual([
      ["session-1", 0.7],
      ["session-2", 0.3],
    ]);
  });

  test("with a gap has no energy for it, and says so", () => {
    const charging = open();
    charging.plug(ERA, true, at(0));
    charging.interval(metered(0, 15), at(15));
    charging.interval(metered(15, 30, { isGap: true }), at(30));
    charging.interval(metered(30, 45), at(45));
    charging.plug(ERA, false, at(45));
    charging.settle(ERA, at(46));
    expect(cdrs[0]).toMatchObject({ total_energy: 2, remark: "1 intervals without readings are not charged" });
    expect(cdrs[0]?.charging_periods).toHaveLength(3);
  });

  test("of which no meter told anything ends without a CDR, and it is said why", () => {
    const charging = open();
    charging.plug(ERA, true, at(0));
    charging.plug(ERA, false, at(5));
    charging.settle(ERA, at(6));
    expect(sessions.at(-1)).toMatchObject({ status: "COMPLETED", kwh: 0, end_date_time: "2026-06-15T12:05:00Z" });
    expect(cdrs).toEqual([]);
    expect(uncharged).toEqual(["the meter told no interval of it"]);
  });

  test("that went on over a restart keeps its id and what was metered before", () => {
    const charging = open([{ id: "before", era: ERA, startMs: at(0), intervals: [metered(0, 15)] }]);
    charging.plug(ERA, true, at(20));
    expect(sessions).toEqual([]);
    charging.interval(metered(15, 30), at(30));
    charging.plug(ERA, false, at(30));
    charging.settle(ERA, at(31));
    expect(cdrs[0]).toMatchObject({ session_id: "before", total_energy: 2, start_date_time: "2026-06-15T12:00:00Z" });
  });

  test("at a charger that is not offered is nobody's business", () => {
    const charging = open();
    charging.plug("another", true, at(0));
    charging.interval({ ...metered(0, 15), era: "another" }, at(15));
    expect(sessions).toEqual([]);
  });
});
