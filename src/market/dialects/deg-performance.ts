import { textFromDurationMs, textFromInstantMs } from "../iso-time.ts";
import { flowOf } from "./deg-flow.ts";
import type { ReductionPerformance } from "./seed-messages.ts";

type Interval = ReductionPerformance["meters"][number]["intervals"][number];

/** An entry of `contract.performance`: what each meter would have used and what it used, interval by interval. */
export function reductionPerformance(performance: ReductionPerformance, transactionId: string): object {
  const { setpointId, methodology, meters } = performance;
  return {
    id: `performance-${setpointId}`,
    status: { code: "DELIVERY_COMPLETE", name: "the reduction is over and metered" },
    commitmentIds: [`commitment-${transactionId}`],
    performanceAttributes: {
      "@context": "https://schema.nfh.global/DemandFlexPerformance/v2.0/context.jsonld",
      "@type": "DemandFlexPerformance",
      eventId: setpointId,
      methodology,
      meters: meters.map(({ meterId, intervals }) => ({ meterId, telemetry: seriesOf(intervals) })),
    },
  };
}

function seriesOf(intervals: readonly Interval[]): object {
  const rows = intervals.map((interval) => ({ interval, payloads: payloadsOf(interval) }));
  const types = new Set(rows.flatMap(({ payloads }) => payloads.map(({ type }) => type)));
  const period = ({ startMs, endMs }: Interval) => ({
    start: textFromInstantMs(startMs),
    duration: textFromDurationMs(endMs - startMs),
  });
  return {
    "@type": "TimeSeries",
    ...(intervals[0] && { intervalPeriod: period(intervals[0]) }),
    payloadDescriptors: [...types].map((payloadType) => ({
      objectType: "REPORT_PAYLOAD_DESCRIPTOR",
      payloadType,
      units: "KW",
      readingType: payloadType === "BASELINE" ? "ESTIMATED" : "DIRECT_READ",
    })),
    intervals: rows.map(({ interval, payloads }, id) => ({
      id,
      intervalPeriod: period(interval),
      payloads: payloads.map(({ type, value }) => ({ type, values: [value] })),
    })),
  };
}

/** A baseline is a use, told as a magnitude; one of a meter that would have given has no name here and is left out. */
function payloadsOf({ baselineKW, usageKW }: Interval): readonly { readonly type: string; readonly value: number }[] {
  return [
    ...(baselineKW <= 0 ? [{ type: "BASELINE", value: 0 - baselineKW }] : []),
    ...(usageKW === undefined ? [] : [flowOf(usageKW)]),
  ];
}
