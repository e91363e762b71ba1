import { TransactionBook } from "../sessions/transaction-book.ts";
import { type Dialect, type DialectContext, MEASURAND_LISTS } from "./dialect.ts";
import { createDialect201, meteringSettings } from "./dialect-2.0.1.ts";
import { answerFrom } from "./handler-table.ts";
import { CALLS_21 } from "./inbound-2.1.ts";

/** Best first: what a car gives back is measured too. */
const MEASURAND_LISTS_21 = [
  "Power.Active.Import,Power.Active.Export,Energy.Active.Import.Register,Energy.Active.Export.Register,Current.Import,Voltage,SoC",
  ...MEASURAND_LISTS,
] as const;

/** OCPP 2.1 as one station speaks it: 2.0.1, and what came after it. */
export function createDialect21(context: DialectContext): Dialect {
  const book = new TransactionBook();
  return {
    ...createDialect201(context),
    version: "ocpp2.1",
    inbound: (action, payload) => answerFrom(CALLS_21, action, payload, book, context),
    settings: (meterIntervalS) => meteringSettings(MEASURAND_LISTS_21, meterIntervalS),
  };
}
