import { z } from "zod";
import { Refusal } from "./answer.ts";
import { type CurveBid, curveBid, Revision } from "./curve-bid.ts";
import { instant, read } from "./wire-fields.ts";

const Telemetry = z
  .array(
    z.object({
      eventTime: instant,
      metrics: z
        .array(
          z.object({
            name: z.string().regex(/^[A-Z][A-Z_]{0,63}$/, "expected a metric's name such as POWER"),
            value: z.number().min(-1e12).max(1e12),
            unitCode: z.string().min(1).max(16),
          }),
        )
        .min(1)
        .max(100),
    }),
  )
  .min(1)
  .max(1000);

const Delivery = z.object({ chargingTelemetry: Telemetry.optional(), telemetry: Telemetry.optional() });
const Fulfillment = z.object({
  "beckn:deliveryAttributes": Delivery.optional(),
  "beckn:fulfillmentAttributes": Delivery.optional(),
});

const Verdict = z.object({ verdict: z.string().regex(/^[a-z-]{1,32}$/), setpointId: z.string().max(256) });

const Update = z.object({
  intent: Revision.optional(),
  order: z
    .object({
      "beckn:orderAttributes": Revision.extend({ verdict: Verdict.optional() }).optional(),
      "beckn:fulfillment": Fulfillment.optional(),
      "beckn:fulfillments": z.array(Fulfillment).max(100).optional(),
    })
    .optional(),
});

export interface Report {
  /** Number of telemetry samples in the message. */
  readonly samples: number;
  readonly bid?: CurveBid;
  /** What the participant says became of a setpoint. */
  readonly verdict?: string;
}

/** Reads an `update` or `on_status`: telemetry, a verdict, a new curve. @throws Refusal if it holds none of them */
export function readReport(body: unknown): Report {
  const { intent, order } = read(z.object({ message: Update }), body).message;
  const attributes = order?.["beckn:orderAttributes"];
  const fulfillments = [order?.["beckn:fulfillment"] ?? [], order?.["beckn:fulfillments"] ?? []].flat();
  const samples = fulfillments
    .flatMap((fulfillment) => [fulfillment["beckn:deliveryAttributes"], fulfillment["beckn:fulfillmentAttributes"]])
    .flatMap((delivery) => [delivery?.chargingTelemetry ?? [], delivery?.telemetry ?? []])
    .flat().length;
  const [place, revision] =
    intent?.bidCurve === undefined ? ["message.order.beckn:orderAttributes", attributes] : ["message.intent", intent];
  const verdict = attributes?.verdict?.verdict;
  if (revision?.bidCurve === undefined && samples === 0 && verdict === undefined) {
    throw new Refusal(400, "MESSAGE_INVALID", "message", "expected telemetry, a verdict or a bidCurve, found none");
  }
  return {
    samples,
    ...(verdict !== undefined && { verdict }),
    ...(revision?.bidCurve !== undefined && { bid: curveBid(revision, revision.bidCurve, place) }),
  };
}
