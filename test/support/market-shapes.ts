import { MARKET, NOW_MS, onConfirm, plainContext, US } from "./market-desk.ts";

/** Messages in each of the shapes in which a market gives a setpoint, written for the tests. */

export const at = (offsetMs: number): string => new Date(NOW_MS + offsetMs).toISOString();
const HOUR_MS = 3_600_000;

/** The later form of the seed: a contract with roles. */
export function branchConfirm(
  over: {
    context?: Record<string, unknown>;
    agent?: Record<string, unknown>;
    prosumer?: Record<string, unknown>;
    prosumerRole?: Record<string, unknown>;
    parameters?: Record<string, unknown>;
    attributes?: Record<string, unknown>;
    order?: Record<string, unknown>;
  } = {},
): Record<string, unknown> {
  return {
    context: { ...plainContext("on_confirm"), domain: "energy-trade", ...over.context },
    message: {
      order: {
        "@type": "beckn:Order",
        "beckn:id": "order-1",
        "beckn:orderAttributes": {
          "@type": "EnergyContractP2PTrade",
          status: "ACTIVE",
          roles: [
            {
              role: "MARKET_CLEARING_AGENT",
              filledBy: MARKET,
              roleInputs: { clearingPrice: 0.09, clearedPower: { [US]: -4, "bap.other.example": 9 }, ...over.agent },
            },
            {
              role: "PROSUMER",
              filledBy: US,
              roleInputs: {
                sourceMeterId: "meter-ev",
                offerCurve: { currency: "INR", minExport: -11, maxExport: 0, curve: [{ price: 0.08, powerKW: -11 }] },
                ...over.prosumer,
              },
              ...over.prosumerRole,
            },
          ],
          inputParameters: {
            pricingModel: "PAY_AS_CLEAR",
            validityWindow: { startTime: at(-HOUR_MS), endTime: at(HOUR_MS) },
            ...over.parameters,
          },
          inputSignals: [],
          ...over.attributes,
        },
        ...over.order,
      },
    },
  };
}

/** The context of the camel envelope. */
export function camelContext(action: string): Record<string, unknown> {
  return {
    networkId: "network.example/test",
    version: "2.0.0",
    action,
    bapId: US,
    bapUri: "https://bap.site.example/beckn",
    bppId: MARKET,
    bppUri: "https://bpp.market.example/beckn",
    transactionId: "transaction-1",
    messageId: "message-1",
    timestamp: at(0),
  };
}

/** The dialect of 2026: two hours of a reduction, 3 kW and then 2 kW, for the charger's meter. */
export function degConfirm(
  over: {
    context?: Record<string, unknown>;
    contract?: Record<string, unknown>;
    commitment?: Record<string, unknown>;
    series?: Record<string, unknown>;
    intervals?: readonly unknown[];
    offerAttributes?: Record<string, unknown>;
    seller?: Record<string, unknown>;
  } = {},
): Record<string, unknown> {
  return {
    context: { ...camelContext("on_confirm"), ...over.context },
    message: {
      contract: {
        id: "contract-1",
        status: { code: "ACTIVE" },
        commitments: [
          {
            id: "commitment-1",
            status: { descriptor: { code: "ACTIVE" } },
            offer: {
              id: "offer-1",
              offerAttributes: {
                "@type": "DemandFlexBuyOffer",
                inputs: [
                  { role: "buyer", inputs: { currency: "INR" } },
                  { role: "seller", inputs: { participatingMeters: ["meter-ev"], ...over.seller } },
                ],
                ...over.offerAttributes,
              },
            },
            commitmentAttributes: {
              "@type": "TimeSeries",
              intervalPeriod: { start: at(HOUR_MS), duration: "PT1H" },
              payloadDescriptors: [
                { payloadType: "CAPACITY_CLEARED", units: "KW", insertedBy: "buyer" },
                { payloadType: "CLEARING_PRICE", units: "INR_PER_KWH", insertedBy: "buyer" },
              ],
              intervals: over.intervals ?? [interval(0, cleared(3)), interval(1, cleared(2))],
              ...over.series,
            },
            ...over.commitment,
          },
        ],
        ...over.contract,
      },
    },
  };
}

export function interval(id: number | undefined, payloads: readonly unknown[], period?: object): object {
  return { ...(id !== undefined && { id }), ...(period && { intervalPeriod: period }), payloads };
}

export function payload(type: string, ...values: unknown[]): object {
  return { type, values };
}

export function cleared(powerKW: number, pricePerKWh = 3.5): readonly object[] {
  return [payload("CAPACITY_CLEARED", powerKW), payload("CLEARING_PRICE", pricePerKWh)];
}

/** The seed's form without prefixes. */
export function plainConfirm(attributes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    context: plainContext("on_confirm"),
    message: { order: { id: "order-1", orderAttributes: { setpointKW: -4, clearingPrice: 0.09, ...attributes } } },
  };
}

/** A utility that takes the site for a provider: a reduction with `confirm`. */
export function activation(): Record<string, unknown> {
  return {
    context: { ...plainContext("confirm"), bap_id: MARKET, bpp_id: US },
    message: {
      order: {
        orderItems: [
          {
            "beckn:orderItemAttributes": {
              requestedReduction: 800,
              requestedReductionUnit: "kW",
              activationTime: at(HOUR_MS),
              duration: "PT2H",
            },
          },
        ],
      },
    },
  };
}

export { onConfirm as seedConfirm };
