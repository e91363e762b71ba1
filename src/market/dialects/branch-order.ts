import type { Price } from "../../model/setpoint.ts";
import { Refusal } from "../answer.ts";
import type { CallbackContext } from "../beckn-context.ts";
import { isCurrency, WireFields } from "../wire-fields.ts";
import { type OwnPower, ownPowers, type Prosumer } from "./branch-cleared-power.ts";
import type { DialectPolicy, OrderMessage, PowerDraft } from "./order-codec.ts";
import { readSeedOrder } from "./seed-order.ts";
import { hasWindow, isOverWord, powerKWFromMarket, priceFrom, readWindow, type Window } from "./seed-shape.ts";

const CLEARING_SIGNAL = "market-clearing-price";
/** A rounding error of the market is no wrong sign. */
const NOTHING_KW = 1e-6;

/**
 * Reads `message.order` in the seed's later form, a contract with roles: the power stands under one of our own names in
 * `roles[MARKET_CLEARING_AGENT].roleInputs.clearedPower`, or in the signal `market-clearing-price`. What the grid
 * operator approved (`inputParameters.approvedMaxTradeKW`) cuts it, and `validityWindow` says when it holds.
 * @throws Refusal naming the field
 */
export function readBranchOrder(
  body: unknown,
  context: CallbackContext,
  policy: DialectPolicy,
  nowMs: number,
): OrderMessage {
  const order = WireFields.ofMessage(body, "order");
  const attributes = order.required("orderAttributes", order.object("orderAttributes"), "object");
  const orderId = order.text("id");
  const status = attributes.text("status");
  const isOver = isOverWord(order.text("orderStatus")) || isOverWord(status);
  const roles = attributes.list("roles") ?? [];
  const agents = roles.filter((role) => role.raw("role") === "MARKET_CLEARING_AGENT");
  const [agent, other] = agents;
  if (other !== undefined) other.fail("role", "the contract has two market clearing agents");
  const inputs = agent?.object("roleInputs");
  const signal = attributes.list("inputSignals")?.findLast((one) => one.raw("signalId") === CLEARING_SIGNAL);
  const prosumers = roles.filter((role) => role.raw("role") === "PROSUMER").map(prosumerOf);
  const setpointPath = inputs?.pathOf("clearedPower") ?? `${attributes.pathOf("roles")}.roleInputs.clearedPower`;

  const own = agreed(
    inputs === undefined ? [] : ownPowers(inputs, prosumers, context.bapId, policy),
    signal === undefined ? [] : ownPowers(signal, prosumers, context.bapId, policy),
  );
  const base = { isOver, isForMany: own.length > 1, setpointPath, ...(orderId !== undefined && { orderId }) };
  if (attributes.has("setpointKW") || attributes.has("setpoints")) {
    // The form before this one, inside a contract with roles.
    if (own.length > 0) attributes.fail("setpointKW", "given beside clearedPower; only one may be");
    const seed = readSeedOrder(body, context, { sign: policy.sign.seed, currency: policy.currency }, nowMs);
    return { ...seed, isOver: isOver || seed.isOver };
  }
  if (own.length === 0) return { ...base, drafts: [] };
  if (isOver) attributes.fail("status", "the contract is over, and a cleared power comes with it");

  const clearingPrice = readPrice(inputs, signal, prosumers, policy);
  const parameters = attributes.object("inputParameters");
  const window = windowOf(attributes, parameters, nowMs);
  const approvedKW = parameters?.number("approvedMaxTradeKW", 0);
  const cut = cutterFor(own, approvedKW);
  const drafts = own.map((power): PowerDraft => {
    refuseOtherDirection(power);
    const clearedKW = powerKWFromMarket(power.value, policy.sign.branch);
    const powerKW = cut(clearedKW);
    return {
      kind: "power",
      path: power.path,
      powerKW,
      ...(powerKW !== clearedKW && { cutFromKW: clearedKW }),
      ...window,
      ...(clearingPrice !== undefined && { clearingPrice }),
      ...(orderId !== undefined && { orderId }),
      transactionId: context.transactionId,
      messageId: context.messageId,
      ...(power.meterIds.length > 0 && { meterIds: power.meterIds }),
    };
  });
  return { ...base, drafts };
}

function prosumerOf(role: WireFields): Prosumer {
  const filledBy = role.raw("filledBy");
  const inputs = role.objectIfAny("roleInputs");
  const meterId = inputs?.text("sourceMeterId");
  const curve = inputs?.objectIfAny("offerCurve");
  const minExportKW = curve?.number("minExport");
  const maxExportKW = curve?.number("maxExport");
  const currency = curve?.raw("currency");
  return {
    ...(typeof filledBy === "string" && { filledBy }),
    ...(meterId !== undefined && { meterId }),
    ...(minExportKW !== undefined && { minExportKW }),
    ...(maxExportKW !== undefined && { maxExportKW }),
    ...(isCurrency(currency) && { currency }),
  };
}

/** The agent's table and its signal say the same, or one of them is silent. */
function agreed(inTable: readonly OwnPower[], inSignal: readonly OwnPower[]): readonly OwnPower[] {
  if (inTable.length === 0 || inSignal.length === 0) return inTable.length > 0 ? inTable : inSignal;
  const contradiction = inSignal.find((power) => !inTable.some((one) => one.value === power.value));
  if (contradiction === undefined && inTable.length === inSignal.length) return inTable;
  const at = contradiction ?? inSignal[0];
  throw new Refusal(400, "MESSAGE_INVALID", at?.path ?? "", "contradicts the cleared power in the agent's role");
}

/** The offer that stands in the same message went the other way, so one of the two has the wrong sign. */
function refuseOtherDirection({ path, value, prosumer }: OwnPower): void {
  const { minExportKW, maxExportKW } = prosumer ?? {};
  const isAbove = value > NOTHING_KW && maxExportKW !== undefined && maxExportKW <= 0;
  const isBelow = value < -NOTHING_KW && minExportKW !== undefined && minExportKW >= 0;
  if (!isAbove && !isBelow) return;
  const offered = `${minExportKW ?? "?"} to ${maxExportKW ?? "?"} kW`;
  throw new Refusal(400, "SIGN_AMBIGUOUS", path, `${value} kW cleared, but the offer beside it goes from ${offered}`);
}

/** Cuts to what was approved for the whole order: one power to the bound, several in proportion. */
function cutterFor(own: readonly OwnPower[], approvedKW: number | undefined): (powerKW: number) => number {
  if (approvedKW === undefined) return (powerKW) => powerKW;
  if (own.length === 1) return (powerKW) => cutToApproved(powerKW, approvedKW);
  const traded = own.reduce((sum, { value }) => sum + Math.abs(value), 0);
  return traded <= approvedKW ? (powerKW) => powerKW : (powerKW) => (powerKW * approvedKW) / traded + 0;
}

/** A power cut to a bound that holds in both directions. Its sign never changes. @param approvedKW ≥ 0 */
export function cutToApproved(powerKW: number, approvedKW: number): number {
  return Math.max(-approvedKW, Math.min(approvedKW, powerKW)) + 0;
}

function windowOf(attributes: WireFields, parameters: WireFields | undefined, nowMs: number): Window {
  if (hasWindow(attributes)) return readWindow(attributes, nowMs);
  const validity = parameters?.object("validityWindow");
  if (validity === undefined) return {};
  const validFromMs = validity.instantMs("startTime");
  const validUntilMs = validity.instantMs("endTime");
  if (validFromMs !== undefined && validUntilMs !== undefined && validUntilMs <= validFromMs) {
    validity.fail("endTime", "the window ends before it begins");
  }
  return {
    ...(validFromMs !== undefined && { validFromMs }),
    ...(validUntilMs !== undefined && { validUntilMs }),
  };
}

function readPrice(
  inputs: WireFields | undefined,
  signal: WireFields | undefined,
  prosumers: readonly Prosumer[],
  policy: DialectPolicy,
): Price | undefined {
  const unit = signal?.raw("unit");
  const ofSignal = typeof unit === "string" ? /^([A-Z]{3})\/kWh$/i.exec(unit)?.[1]?.toUpperCase() : undefined;
  const currencies = [inputs?.currency("currency"), ofSignal, ...prosumers.map((one) => one.currency)];
  const isOpen = inputs?.raw("clearingPrice") === "PAY_AS_CLEAR" || inputs?.raw("clearingPrice") === null;
  const price = isOpen ? undefined : inputs?.number("clearingPrice");
  if (price !== undefined) return priceFrom(price, currencies, policy.currency);
  const signalled = signal?.number("price") ?? signal?.number("value");
  if (signalled !== undefined && unit !== undefined && ofSignal === undefined) {
    signal?.fail("unit", "expected a currency per kWh, such as INR/kWh");
  }
  return priceFrom(signalled, currencies, policy.currency);
}
