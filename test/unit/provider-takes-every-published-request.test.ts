import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { MARKET, MarketHall } from "./provider-market-hall.ts";

const FOLDER = resolve(import.meta.dirname, "../../../shared/fixtures/beckn");
const SEED = "seed-branch/examples/";

/** An order about something that nobody has opened here. */
const UNKNOWN = "404 TRANSACTION_UNKNOWN context.transaction_id";
/** A request that does not say who sends it. */
const FROM_NOBODY = "400 CONTEXT_INVALID context.bap_id";

/** What a market makes of each request, which is addressed to it here. */
const EXPECTED: Readonly<Record<string, string>> = {
  // It binds: the answer comes when the need is cleared.
  "devkit-2026/examples/confirm-request.json": "taken",
  "ev-charging/07_confirm/ev-charging-confirm.json": UNKNOWN,
  [`${SEED}aggregate_action/aggregate-request.json`]: "on_aggregate",
  [`${SEED}ev_charging/01_discover/discovery-within-a-circular-boundary.json`]: "on_discover",
  [`${SEED}ev_charging/03_select/time-based-ev-charging-slot-select.json`]: FROM_NOBODY,
  [`${SEED}ev_charging/05_init/time-based-ev-charging-slot-init.json`]: FROM_NOBODY,
  [`${SEED}ev_charging/07_confirm/time-based-ev-charging-slot-confirm.json`]: FROM_NOBODY,
  [`${SEED}ev_charging/09_update/ev-charging-session-start-update.json`]: FROM_NOBODY,
  [`${SEED}ev_charging/11_track/time-based-ev-charging-slot-track.json`]: FROM_NOBODY,
  [`${SEED}ev_charging_demand_flexibility/confirm-with-setpoint.json`]: UNKNOWN,
  // A curve: the answer comes from the next gate.
  [`${SEED}ev_charging_demand_flexibility/discover-with-bid-curve.json`]: "taken",
  [`${SEED}p2p_trading/01_discover/discover-solar-energy.json`]: "on_discover",
  [`${SEED}p2p_trading/03_select/select-solar-energy-offer.json`]: "on_select",
  [`${SEED}p2p_trading/05_init/init-p2p-trade.json`]: "on_init",
  [`${SEED}p2p_trading/07_cascaded_init/cascaded-init-utility-registration.json`]: "on_init",
  [`${SEED}p2p_trading/09_confirm/confirm-p2p-trade.json`]: UNKNOWN,
  [`${SEED}p2p_trading/11_status/status-p2p-trade.json`]: UNKNOWN,
  [`${SEED}p2p_trading_market_based/01_discover/discover-market-based-trading.json`]: "on_discover",
  [`${SEED}p2p_trading_market_based/03_init/init-consumer-with-offer-curve.json`]: "on_init",
  [`${SEED}p2p_trading_market_based/03_init/init-solar-prosumer-with-offer-curve.json`]: "on_init",
  [`${SEED}p2p_trading_market_based/05_cascaded_init/cascaded-init-utility-approval.json`]: "on_init",
  [`${SEED}p2p_trading_market_based/07_confirm/confirm-consumer-bid-commitment.json`]: UNKNOWN,
  [`${SEED}p2p_trading_market_based/09_status/status-market-trade.json`]: UNKNOWN,
  [`${SEED}p2p_trading_tariff/01_discover/discover-utility-tariff.json`]: "on_discover",
  [`${SEED}p2p_trading_tariff/05_init/init-tariff-trade.json`]: "on_init",
};

const NEED = {
  id: "flex-need-north-delhi-jun15",
  start: "2026-06-15T13:30:00Z",
  interval: "1h",
  requestedKW: [200, 200],
  clearingTime: "2026-06-15T12:00:00Z",
};

function published(file: string): { context: Record<string, string>; message: object } {
  return JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
}

/** A market at the time of the messages. */
function openHall(file: string, config = {}): MarketHall {
  const hall = new MarketHall({ flexNeeds: [NEED], ...config });
  hall.clock.jumpWall(Date.parse(published(file).context["timestamp"] ?? "") - hall.clock.now());
  return hall;
}

async function whatBecomesOf(file: string, hall: MarketHall): Promise<string> {
  const { context, message } = published(file);
  for (const name of ["bpp_id", "bppId"]) if (context[name] !== undefined) context[name] = MARKET;
  const { status, body } = await hall.receive({ context, message }, { action: context["action"] });
  if (status !== 200) return `${status} ${body.message.error?.code} ${body.message.error?.paths}`;
  return hall.sent()[0]?.action ?? "taken";
}

const isThere = existsSync(FOLDER);
if (!isThere) process.stderr.write(`published requests are not tested: ${FOLDER} is not there\n`);

describe.skipIf(!isThere)("the published request", () => {
  test.each(Object.entries(EXPECTED))("%s", async (file, expected) => {
    expect(await whatBecomesOf(file, openHall(file))).toBe(expected);
  });

  test("is in this list, whichever it is", () => {
    const requests = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter(
      (file) =>
        file.endsWith(".json") &&
        !file.startsWith("signing") &&
        published(file).context?.["action"]?.startsWith("on_") === false,
    );
    expect(requests.sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  test("of a prosumer who commits before the price is known binds, and the gate answers with its power", async () => {
    const init = `${SEED}p2p_trading_market_based/03_init/init-consumer-with-offer-curve.json`;
    const confirm = `${SEED}p2p_trading_market_based/07_confirm/confirm-consumer-bid-commitment.json`;
    const hall = openHall(init, { market: { priceDiscovery: "clearAtConfirm", currency: "INR" } });
    expect(await whatBecomesOf(init, hall)).toBe("on_init");
    hall.clock.jumpWall(Date.parse(published(confirm).context["timestamp"] ?? "") - hall.clock.now());
    expect(await whatBecomesOf(confirm, hall)).toBe("taken");
    await hall.untilGate();
    expect(hall.sent().map((one) => one.action)).toContain("on_confirm");
  });
});
