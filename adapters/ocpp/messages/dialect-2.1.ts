import type { JsonRecord } from "../link/json.ts";
import { TransactionBook } from "../sessions/transaction-book.ts";
import { type Dialect, type DialectContext, MEASURAND_LISTS, type Traits, type V2xTraits } from "./dialect.ts";
import {
  createDialect201,
  getVariables,
  meteringSettings,
  SMART_CHARGING,
  SMART_CHARGING_VARIABLES,
  traitsFrom2,
  variablesFrom,
} from "./dialect-2.0.1.ts";
import { answerFrom } from "./handler-table.ts";
import { CALLS_21 } from "./inbound-2.1.ts";
import { V2G_21 } from "./v2g-2.1.ts";

/** Best first: what a car gives back is measured too. */
const MEASURAND_LISTS_21 = [
  "Power.Active.Import,Power.Active.Export,Energy.Active.Import.Register,Energy.Active.Export.Register,Current.Import,Voltage,SoC",
  ...MEASURAND_LISTS,
] as const;

const V2X = "V2XChargingCtrlr";

/** OCPP 2.1 as one station speaks it: 2.0.1, and what came after it. */
export function createDialect21(context: DialectContext): Dialect {
  const book = new TransactionBook();
  return {
    ...createDialect201(context),
    version: "ocpp2.1",
    inbound: (action, payload) => answerFrom(CALLS_21, action, payload, book, context),
    settings: (meterIntervalS) => meteringSettings(MEASURAND_LISTS_21, meterIntervalS),
    readTraits: () => getVariables([...SMART_CHARGING_VARIABLES, ...v2gVariables(context.v2gConnectors())]),
    traitsFrom,
    v2g: V2G_21,
  };
}

/** Asked only where a car may give back: what a charger does not know it is not bothered with. */
function v2gVariables(evseIds: readonly number[]) {
  if (evseIds.length === 0) return [];
  return [
    { component: SMART_CHARGING, variable: "SupportsDynamicProfiles" },
    ...evseIds.flatMap((evseId) =>
      ["Enabled", "SupportedOperationModes"].map((variable) => ({ component: V2X, variable, evseId })),
    ),
  ];
}

function traitsFrom(answer: JsonRecord): Traits {
  const variables = variablesFrom(answer);
  const dynamic = truthFrom(variables.find((one) => one.variable === "supportsdynamicprofiles")?.value);
  const v2x = new Map<number, V2xTraits>();
  for (const { component, variable, value, evseId } of variables) {
    if (component !== V2X.toLowerCase() || evseId === undefined) continue;
    const enabled = variable === "enabled" ? truthFrom(value) : undefined;
    v2x.set(evseId, {
      ...v2x.get(evseId),
      ...(enabled === undefined ? {} : { enabled }),
      ...(variable === "supportedoperationmodes"
        ? { operationModes: value.split(",").map((mode) => mode.trim()) }
        : {}),
    });
  }
  return {
    ...traitsFrom2(answer),
    ...(dynamic === undefined ? {} : { dynamicProfiles: dynamic }),
    ...(v2x.size > 0 ? { v2x } : {}),
  };
}

/** Booleans come in any case, and some chargers quote them. */
function truthFrom(text: string | undefined): boolean | undefined {
  const word = text?.replace(/["'\s]/g, "").toLowerCase();
  if (word === "true") return true;
  return word === "false" ? false : undefined;
}
