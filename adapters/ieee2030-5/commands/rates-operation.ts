import { z } from "zod";
import type { Clock } from "../../../src/clock.ts";
import { type AdapterOperation, OperationError } from "../../kind.ts";
import { POLLED_RESOURCES, type PolledResource, type Rates, rateChanges } from "../rates.ts";

/** How often devices are told to do what, seconds. */
export interface ListedRates {
  readonly setBy: "config" | "operator";
  readonly pollRatesS: Readonly<Record<PolledResource, number>>;
  readonly postRateS: number;
}

const inputSchema = rateChanges.extend({ reset: z.boolean().optional() });

/**
 * The operation behind `setpointd 2030.5 rates`: shows the rates, after changing them where asked to.
 * @param onChange once they have changed
 */
export function pollAndPostRates(rates: Rates, clock: Clock, onChange: () => void): AdapterOperation {
  return async (input) => {
    const parsed = inputSchema.safeParse(input ?? {});
    if (!parsed.success) throw new OperationError("invalid", z.prettifyError(parsed.error));
    const { reset = false, ...changes } = parsed.data;
    const hasChanges = Object.keys(changes).length > 0;
    if (reset && hasChanges) throw new OperationError("invalid", "either rates or a reset, not both");
    if (reset) await rates.reset();
    else if (hasChanges) await rates.change(changes);
    if (reset || hasChanges) onChange();
    return { at: new Date(clock.now()).toISOString(), rates: listed(rates) };
  };
}

function listed(rates: Rates): ListedRates {
  const pollRatesS = Object.fromEntries(POLLED_RESOURCES.map((resource) => [resource, rates.pollRateS(resource)]));
  return {
    setBy: rates.areSet ? "operator" : "config",
    pollRatesS: pollRatesS as Record<PolledResource, number>,
    postRateS: rates.postRateS,
  };
}
