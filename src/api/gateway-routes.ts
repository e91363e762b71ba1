import { z } from "zod";
import type { DeviceTestRequest } from "../device-test-run.ts";
import type { StoredSetpoint } from "../store/control-store.ts";
import type { DeviceTestResult } from "./device-test.ts";
import type { ApiRoutes } from "./local-api.ts";
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
  /** Nothing if there is no such device. */
  testDevice(era: string, test: DeviceTestRequest, signal: AbortSignal): Promise<DeviceTestResult | undefined>;
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
    "POST /device-test": async ({ body, signal }) => {
      const request = DeviceTestBody.safeParse(body);
      if (!request.success) return { status: 400, json: { error: z.prettifyError(request.error) } };
      const { era, powerKW, holdMs } = request.data;
      const result = await gateway.testDevice(era, { holdMs, ...(powerKW !== undefined && { powerKW }) }, signal);
      if (result === undefined) return { status: 404, json: { error: `there is no device "${era}"` } };
      return { status: 200, json: result };
    },
  };
}

const DeviceTestBody = z.strictObject({
  era: z.string(),
  powerKW: z.number().optional(),
  holdMs: z.number().min(1000).max(600_000),
});
