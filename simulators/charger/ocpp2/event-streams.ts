import { z } from "zod";
import type { CallHandler, ChargerControls } from "../dialect.ts";
import { timestamp } from "../link/wire-time.ts";
import { Address, findVariable } from "./device-model.ts";
import { type DeviceVariable, deviceVariables } from "./device-variables.ts";
import { accepted, rejected } from "./status-info.ts";

const StreamParams = z.object({ interval: z.number().optional(), values: z.number().optional() });
const SetMonitoring = z.object({
  setMonitoringData: z.array(
    Address.omit({ attributeType: true }).extend({
      id: z.number().optional(),
      type: z.string(),
      value: z.number(),
      severity: z.number(),
      periodicEventStream: StreamParams.optional(),
    }),
  ),
});
const ClearMonitoring = z.object({ id: z.array(z.number()) });
const Adjust = z.object({ id: z.number(), params: StreamParams });
const OpenResponse = z.object({ status: z.string() });

type Monitoring = z.infer<typeof SetMonitoring>["setMonitoringData"][number];

/** A variable that is read at an interval and told in bundles. Times are elapsed ms, but for `atMs`. */
interface Stream {
  readonly id: number;
  readonly monitorId: number;
  readonly variable: DeviceVariable;
  readonly readEveryMs: number;
  params: { intervalMs: number; values: number };
  open: boolean;
  readAtMs: number;
  sentAtMs: number;
  readonly kept: { readonly atMs: number; readonly value: string }[];
}

const MOST_STREAMS = 8;
const MOST_KEPT = 1_000;
const DEFAULT_VALUES = 10;

/** Periodic event streams of 2.1 (N): a monitored variable goes to the CSMS in messages that want no answer. */
export class EventStreams {
  readonly #controls: ChargerControls;
  readonly #variables: readonly DeviceVariable[];
  readonly #streams = new Map<number, Stream>();
  #lastId = 0;

  constructor(controls: ChargerControls) {
    this.#controls = controls;
    this.#variables = deviceVariables("2.1", controls);
  }

  handlers(): Record<string, CallHandler> {
    return {
      SetVariableMonitoring: (payload) => ({
        setMonitoringResult: SetMonitoring.parse(payload).setMonitoringData.map((wanted) => this.#monitor(wanted)),
      }),
      ClearVariableMonitoring: (payload) => ({
        clearMonitoringResult: ClearMonitoring.parse(payload).id.map((id) => ({ id, status: this.#clear(id) })),
      }),
      AdjustPeriodicEventStream: (payload) => {
        const { id, params } = Adjust.parse(payload);
        const stream = this.#streams.get(id);
        if (stream === undefined) return rejected("NotFound", `there is no stream ${id}`);
        stream.params = paramsOf(params, stream.params);
        return accepted();
      },
      GetPeriodicEventStream: () => {
        const streams = [...this.#streams.values()].filter(({ open }) => open);
        return streams.length === 0 ? {} : { constantStreamData: streams.map(constantData) };
      },
    };
  }

  /** Reads what is due and sends what is full. Called often. @param nowMs elapsed ms */
  tick(nowMs: number): void {
    for (const stream of this.#streams.values()) {
      if (!stream.open) continue;
      if (nowMs - stream.readAtMs >= stream.readEveryMs) {
        stream.readAtMs = nowMs;
        stream.kept.push({ atMs: this.#controls.now(), value: stream.variable.read() });
        if (stream.kept.length > MOST_KEPT) stream.kept.shift();
      }
      const { intervalMs, values } = stream.params;
      const due = nowMs - stream.sentAtMs >= intervalMs || stream.kept.length >= values;
      if (due && stream.kept.length > 0 && this.#send(stream)) stream.sentAtMs = nowMs;
    }
  }

  #monitor({ periodicEventStream, ...wanted }: Monitoring): Record<string, unknown> {
    const { component, variable, type, severity } = wanted;
    const about = { component, variable, type, severity };
    const found = findVariable(this.#variables, { component, variable });
    // A monitor has no attribute, so that is not what can be wrong with it.
    if (typeof found === "string") return { ...about, status: found };
    if (type !== "Periodic" || periodicEventStream === undefined) {
      return { ...about, status: "UnsupportedMonitorType" };
    }
    if (this.#streams.size >= MOST_STREAMS || !(wanted.value > 0))
      return { ...about, ...rejectedMonitor(wanted.value) };
    this.#lastId += 1;
    const id = this.#lastId;
    const stream: Stream = {
      id,
      monitorId: id,
      variable: found,
      readEveryMs: wanted.value * 1000,
      params: paramsOf(periodicEventStream, { intervalMs: wanted.value * 1000, values: DEFAULT_VALUES }),
      open: false,
      readAtMs: Number.NEGATIVE_INFINITY,
      sentAtMs: Number.NEGATIVE_INFINITY,
      kept: [],
    };
    this.#streams.set(id, stream);
    this.#controls.afterAnswer(() => this.#open(stream));
    return { ...about, status: "Accepted", id };
  }

  async #open(stream: Stream): Promise<void> {
    const answer = await this.#controls.call("OpenPeriodicEventStream", { constantStreamData: constantData(stream) });
    stream.open = OpenResponse.parse(answer).status === "Accepted";
    if (!stream.open) this.#streams.delete(stream.id);
  }

  #clear(id: number): "Accepted" | "NotFound" {
    if (!this.#streams.delete(id)) return "NotFound";
    this.#controls.afterAnswer(() => this.#controls.call("ClosePeriodicEventStream", { id }));
    return "Accepted";
  }

  #send(stream: Stream): boolean {
    const bundle = stream.kept.slice(0, stream.params.values);
    const baseMs = bundle[0]?.atMs ?? 0;
    try {
      this.#controls.send("NotifyPeriodicEventStream", {
        id: stream.id,
        pending: stream.kept.length - bundle.length,
        basetime: timestamp(baseMs),
        data: bundle.map(({ atMs, value }) => ({ t: (atMs - baseMs) / 1000, v: value })),
      });
    } catch {
      // No link: what was read waits.
      return false;
    }
    stream.kept.splice(0, bundle.length);
    return true;
  }
}

function paramsOf(params: z.infer<typeof StreamParams>, otherwise: Stream["params"]): Stream["params"] {
  const { interval, values } = params;
  return {
    intervalMs: interval === undefined ? otherwise.intervalMs : Math.max(1, interval) * 1000,
    values: values === undefined ? otherwise.values : Math.min(Math.max(1, values), MOST_KEPT),
  };
}

function constantData({ id, monitorId, params }: Stream): Record<string, unknown> {
  return {
    id,
    variableMonitoringId: monitorId,
    params: { interval: Math.round(params.intervalMs / 1000), values: params.values },
  };
}

function rejectedMonitor(value: number): Record<string, unknown> {
  return value > 0
    ? rejected("TooManyElements", `${MOST_STREAMS} monitors are set, there is room for no more`)
    : rejected("ValueTooLow", "the interval of a periodic monitor is above 0");
}
