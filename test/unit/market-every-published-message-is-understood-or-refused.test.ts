import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { dialectOf } from "../../src/market/dialects/choose-dialect.ts";
import { Desk, POLICY } from "../support/market-desk.ts";

const FOLDER = resolve(import.meta.dirname, "../../../shared/fixtures/beckn");
const SEED = "seed-branch/examples/";
const DEVKIT = "devkit-2026/examples/";

/** All that a desk can say about a message that is of no concern to a device. */
const TAKEN = "taken, and nothing follows";
const REQUEST = "404 NOT_PROVIDER context.action";
/** A callback that does not say which market it comes from. */
const FROM_NOBODY = "400 CONTEXT_INVALID context.bpp_id";

/** What becomes of each message: setpoints as `kW from–until`, or the refusal with its place. */
const EXPECTED: Readonly<Record<string, string>> = {
  [`${DEVKIT}confirm-request.json`]: REQUEST,
  [`${DEVKIT}on-confirm-response.json`]: "deg: -55 kW 13:30–14:30 at 3.5 INR, -60 kW 14:30–15:30 at 3.5 INR",
  [`${DEVKIT}on-status-response-actuals.json`]: TAKEN,
  [`${DEVKIT}on-status-response-resource-telemetry.json`]: TAKEN,
  [`${DEVKIT}on-status-response-settled.json`]: TAKEN,
  "ev-charging/07_confirm/ev-charging-confirm.json": REQUEST,
  // A booking of a charging slot, in which no power was cleared.
  "ev-charging/08_00_on_confirm/ev-charging-on-confirm.json":
    "400 MESSAGE_INVALID message.order.orderAttributes.setpointKW",
  "ev-charging/12_on_status/ev-charging-session-on-track.json": TAKEN,
  // The session is complete, so what was ordered is released.
  "ev-charging/14_02_on_update/ev-charging-session-complete-on-update.json": "released",
  [`${SEED}aggregate_action/aggregate-request.json`]: REQUEST,
  [`${SEED}aggregate_action/on_aggregate-result.json`]: TAKEN,
  [`${SEED}ev_charging/01_discover/discovery-within-a-circular-boundary.json`]: REQUEST,
  [`${SEED}ev_charging/02_on_discover/time-based-ev-charging-slot-catalog.json`]: FROM_NOBODY,
  [`${SEED}ev_charging/03_select/time-based-ev-charging-slot-select.json`]: REQUEST,
  [`${SEED}ev_charging/04_on_select/time-based-ev-charging-slot-on-select.json`]: FROM_NOBODY,
  [`${SEED}ev_charging/05_init/time-based-ev-charging-slot-init.json`]: REQUEST,
  [`${SEED}ev_charging/06_on_init/time-based-ev-charging-slot-on-init.json`]: FROM_NOBODY,
  [`${SEED}ev_charging/07_confirm/time-based-ev-charging-slot-confirm.json`]: REQUEST,
  [`${SEED}ev_charging/08_on_confirm/time-based-ev-charging-slot-on-confirm.json`]: FROM_NOBODY,
  [`${SEED}ev_charging/09_update/ev-charging-session-start-update.json`]: REQUEST,
  [`${SEED}ev_charging/10_on_update/time-based-ev-charging-slot-on-update.json`]: FROM_NOBODY,
  [`${SEED}ev_charging/11_track/time-based-ev-charging-slot-track.json`]: REQUEST,
  [`${SEED}ev_charging/12_on_track/time-based-ev-charging-slot-on-track.json`]: FROM_NOBODY,
  [`${SEED}ev_charging_demand_flexibility/confirm-with-setpoint.json`]: REQUEST,
  [`${SEED}ev_charging_demand_flexibility/discover-with-bid-curve.json`]: REQUEST,
  [`${SEED}ev_charging_demand_flexibility/on_confirm-with-setpoint.json`]: "seed: -8 kW 10:15–10:30 at 0.09 INR",
  [`${SEED}ev_charging_demand_flexibility/on_discover-with-clearing-price.json`]: "offers at 0.09 INR for -8 kW",
  [`${SEED}p2p_trading/01_discover/discover-solar-energy.json`]: REQUEST,
  [`${SEED}p2p_trading/02_on_discover/solar-energy-catalog.json`]: "offers at 0.15 USD",
  [`${SEED}p2p_trading/03_select/select-solar-energy-offer.json`]: REQUEST,
  [`${SEED}p2p_trading/04_on_select/on-select-solar-energy-offer.json`]: TAKEN,
  [`${SEED}p2p_trading/05_init/init-p2p-trade.json`]: REQUEST,
  [`${SEED}p2p_trading/06_on_init/on-init-p2p-trade.json`]: TAKEN,
  [`${SEED}p2p_trading/07_cascaded_init/cascaded-init-utility-registration.json`]: REQUEST,
  [`${SEED}p2p_trading/08_cascaded_on_init/cascaded-on-init-utility-registration.json`]: TAKEN,
  [`${SEED}p2p_trading/09_confirm/confirm-p2p-trade.json`]: REQUEST,
  // So much energy at a fixed price, and no power.
  [`${SEED}p2p_trading/10_on_confirm/on-confirm-p2p-trade.json`]:
    "400 MESSAGE_INVALID message.order.beckn:orderAttributes.roles.roleInputs.clearedPower",
  [`${SEED}p2p_trading/11_status/status-p2p-trade.json`]: "404 RESOURCE_UNKNOWN message.order.beckn:id",
  [`${SEED}p2p_trading/12_on_status/on-status-p2p-trade-in-progress.json`]: TAKEN,
  [`${SEED}p2p_trading/13_on_status_completed/on-status-p2p-trade-completed.json`]: TAKEN,
  [`${SEED}p2p_trading_market_based/01_discover/discover-market-based-trading.json`]: REQUEST,
  [`${SEED}p2p_trading_market_based/02_on_discover/on-discover-market-clearing-agent.json`]: "offers at 0 INR",
  [`${SEED}p2p_trading_market_based/03_init/init-consumer-with-offer-curve.json`]: REQUEST,
  [`${SEED}p2p_trading_market_based/03_init/init-solar-prosumer-with-offer-curve.json`]: REQUEST,
  [`${SEED}p2p_trading_market_based/04_on_init/on-init-consumer-confirmed.json`]: "approved up to 45 kW",
  [`${SEED}p2p_trading_market_based/05_cascaded_init/cascaded-init-utility-approval.json`]: REQUEST,
  [`${SEED}p2p_trading_market_based/06_cascaded_on_init/cascaded-on-init-utility-approval.json`]:
    "approved up to 45 kW",
  [`${SEED}p2p_trading_market_based/07_confirm/confirm-consumer-bid-commitment.json`]: REQUEST,
  [`${SEED}p2p_trading_market_based/08_on_confirm/on-confirm-prosumer-with-clearing-price.json`]:
    "branch: 5 kW 00:00–23:59 at 0.0625 INR",
  // −50 kW were cleared, and the message itself approves 45.
  [`${SEED}p2p_trading_market_based/08_on_confirm/on-confirm-with-clearing-price.json`]:
    "branch: -45 kW 00:00–23:59 at 0.0625 INR CUT_TO_APPROVED",
  [`${SEED}p2p_trading_market_based/09_status/status-market-trade.json`]: "404 RESOURCE_UNKNOWN message.order.beckn:id",
  [`${SEED}p2p_trading_market_based/10_on_status/on-status-market-trade-in-progress.json`]: TAKEN,
  [`${SEED}p2p_trading_market_based/order-with-settlement.json`]: TAKEN,
  [`${SEED}p2p_trading_tariff/01_discover/discover-utility-tariff.json`]: REQUEST,
  [`${SEED}p2p_trading_tariff/02_on_discover/utility-tariff-catalog.json`]: "offers at 0 INR",
  [`${SEED}p2p_trading_tariff/05_init/init-tariff-trade.json`]: REQUEST,
  [`${SEED}p2p_trading_tariff/08_on_confirm/on-confirm-tariff-trade.json`]:
    "400 MESSAGE_INVALID message.order.beckn:orderAttributes.roles.roleInputs.clearedPower",
};

/** Everything that stands in the examples is ours here, with a baseline of 105 kW. */
const METERS = new Set([
  "98765456",
  "100200300",
  "did:web:tpddl.delhi.gov.in:meters:001",
  "did:web:tpddl.delhi.gov.in:meters:002",
]);
const BASELINE_KW = 105;

interface Published {
  readonly context: {
    readonly action: string;
    readonly timestamp: string;
    readonly bap_id?: string;
    readonly bapId?: string;
    readonly bpp_id?: string;
  };
}

async function whatBecomesOf(file: string): Promise<string> {
  const bytes = readFileSync(join(FOLDER, file));
  const message = JSON.parse(bytes.toString()) as Published;
  const { action, timestamp, bap_id, bapId, bpp_id } = message.context;
  const approved: string[] = [];
  const desk = new Desk({
    bapIds: [action === "status" ? (bpp_id ?? "") : (bapId ?? bap_id ?? "")],
    policy: () => ({ ...POLICY, isMeter: (meterId) => METERS.has(meterId) }),
    mapping: ["order", "meter", "transaction"],
    directory: {
      has: (era) => era === "HOUSE",
      capability: () => undefined,
      byOrder: () => undefined,
      byTransaction: (transactionId) => (transactionId === "txn-ev-flex-001" ? "HOUSE" : undefined),
      byMeter: (meterId) => (METERS.has(meterId) ? "HOUSE" : undefined),
    },
    reductionToSetpoint: (_, reductionKW) => ({ powerKW: reductionKW - BASELINE_KW }),
    onInit: (_, { approvedMaxTradeKW }) => {
      if (approvedMaxTradeKW !== undefined) approved.push(`approved up to ${approvedMaxTradeKW} kW`);
    },
    statusFor: () => undefined,
  });
  desk.clock.nowMs = Date.parse(timestamp);
  const answer = await desk.inbox.receive({ body: bytes, action, requireSignature: false });
  if (answer.status !== 200) {
    const { error } = JSON.parse(answer.body).message;
    return `${answer.status} ${error.code} ${error.paths}`;
  }
  const time = (ms: number) => new Date(ms).toISOString().slice(11, 16);
  if (desk.setpoints.length > 0) {
    const setpoints = desk.setpoints.map(({ powerKW, validFromMs, validUntilMs, clearingPrice }) => {
      const price = `${clearingPrice?.pricePerKWh} ${clearingPrice?.currency}`;
      return `${powerKW} kW ${time(validFromMs)}–${time(validUntilMs)} at ${price}`;
    });
    const flags = desk.flags.map(({ flag }) => ` ${flag}`).join("");
    return `${dialectOf(message).name}: ${setpoints.join(", ")}${flags}`;
  }
  const [offered] = desk.offers;
  if (offered !== undefined) {
    const offers = offered.offers.map(({ clearingPrice, powerKW }) => {
      const power = powerKW === undefined ? "" : ` for ${powerKW} kW`;
      return `${clearingPrice.pricePerKWh} ${clearingPrice.currency}${power}`;
    });
    return offers.length === 0 ? "no offers" : `offers at ${offers.join(", ")}`;
  }
  if (desk.releases.length > 0) return "released";
  return approved[0] ?? TAKEN;
}

const isThere = existsSync(FOLDER);
if (!isThere) process.stderr.write(`published messages are not tested: ${FOLDER} is not there\n`);

describe.skipIf(!isThere)("the published message", () => {
  test.each(Object.entries(EXPECTED))("%s", async (file, expected) => {
    expect(await whatBecomesOf(file)).toBe(expected);
  });

  test("is in this list, whichever it is", () => {
    const published = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith(".json") && !file.startsWith("signing"),
    );
    expect(published.sort()).toEqual(Object.keys(EXPECTED).sort());
  });
});
