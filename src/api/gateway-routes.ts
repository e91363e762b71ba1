import { z } from "zod";
import { type AdapterOperation, OperationError } from "../../adapters/kind.ts";
import type { DeviceRampRequest } from "../device-ramp-run.ts";
import type { DeviceTestRequest } from "../device-test-run.ts";
import type { OrderDesk } from "../market/order-desk.ts";
import type { StoredSetpoint } from "../store/control-store.ts";
import type { DeviceRampResult, DeviceTestResult } from "./device-test.ts";
import type { ApiRoutes } from "./local-api.ts";
import { answerOrder } from "./order-route.ts";
import type { StatusReport } from "./status-report.ts";

const SETPOINTS_SHOWN = 100;
const MAX_SETPOINTS_SHOWN = 1000;

/** What the local API asks of a gateway. */
export interface GatewayView {
  /** `ok`, or what is amiss. */
  health(): string;
  status(): StatusReport;
  metrics(): Promise<{ readonly text: string; readonly contentType: string }>;
  /** Newest first. */
  recentSetpoints(limit: number): Promise<readonly StoredSetpoint[]>;
  /** What a technician may ask of a protocol; nothing if no device needs it, or it can't. */
  adapterOperation(kind: string, name: string): AdapterOperation | undefined;
  /** What was delivered of the reductions. */
  reductions(): readonly unknown[];
  /** Nothing without a market. */
  orders(): OrderDesk | undefined;
  /** Nothing without OCPI. */
  ocpi(): object | undefined;
  /** Nothing if there is no such device. */
  testDevice(era: string, test: DeviceTestRequest, signal: AbortSignal): Promise<DeviceTestResult | undefined>;
  /** Nothing if there is no such device. */
  rampDevice(era: string, ramp: DeviceRampRequest, signal: AbortSignal): Promise<DeviceRampResult | undefined>;
}

/** The routes of the local API. */
export function gatewayRoutes(gateway: GatewayView): ApiRoutes {
  return {
    "GET /health": () => {
      const status = gateway.health();
      return { status: status === "ok" ? 200 : 503, json: { status } };
    },
    "GET /status": () => ({ status: 200, json: gateway.status() }),
    "GET /metrics": async () => ({ status: 200, ...(await gateway.metrics()) }),
    "GET /setpoints": async ({ query }) => {
      const wanted = Number(query.get("limit") ?? SETPOINTS_SHOWN) || SETPOINTS_SHOWN;
      const limit = Math.min(Math.max(wanted, 1), MAX_SETPOINTS_SHOWN);
      return { status: 200, json: { schemaVersion: 1, setpoints: await gateway.recentSetpoints(limit) } };
    },
    "GET /reductions": () => ({ status: 200, json: { schemaVersion: 1, reductions: gateway.reductions() } }),
    "GET /ocpi": () => {
      const overview = gateway.ocpi();
      if (overview === undefined) return { status: 404, json: { error: "the config has no `ocpi`" } };
      return { status: 200, json: { schemaVersion: 1, ...overview } };
    },
    "POST /orders/*": ({ path, body, signal }) => answerOrder(gateway.orders(), path, body, signal),
    "POST /adapters/*": async ({ path, body, signal }) => {
      const [, , kind = "", name = ""] = path.split("/");
      const operation = gateway.adapterOperation(kind, name);
      if (operation === undefined) {
        return { status: 404, json: { error: `no device of this site needs "${kind}", or it cannot "${name}"` } };
      }
      try {
        return { status: 200, json: await operation(body, signal) };
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        return { status: error.reason === "not-found" ? 404 : 400, json: { error: error.message } };
      }
    },
    "POST /device-test": async ({ body, signal }) => {
      const request = DeviceTestBody.safeParse(body);
      if (!request.success) return { status: 400, json: { error: z.prettifyError(request.error) } };
      const { era, powerKW, holdMs } = request.data;
      const result = await gateway.testDevice(era, { holdMs, ...(powerKW !== undefined && { powerKW }) }, signal);
      if (result === undefined) return { status: 404, json: { error: `there is no device "${era}"` } };
      return { status: 200, json: result };
    },
    "POST /device-ramp": async ({ body, signal }) => {
      const request = DeviceRampBody.safeParse(body);
      if (!request.success) return { status: 400, json: { error: z.prettifyError(request.error) } };
      const { era, ...ramp } = request.data;
      const result = await gateway.rampDevice(era, ramp, signal);
      if (result === undefined) return { status: 404, json: { error: `there is no device "${era}"` } };
      return { status: 200, json: result };
    },
  };
}

const DeviceRampBody = z.strictObject({
  era: z.string(),
  fromKW: z.number().optional(),
  toKW: z.number().optional(),
  steps: z.int().min(2).max(20),
  holdMs: z.number().min(1000).max(600_000),
});

const DeviceTestBody = z.strictObject({
  era: z.string(),
  powerKW: z.number().optional(),
  holdMs: z.number().min(1000).max(600_000),
});
