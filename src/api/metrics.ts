import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { HostFigure } from "../../adapters/kind.ts";
import type { DeviceSnapshot } from "../dispatch/device-lane.ts";
import type { Verdict } from "../model/verdict.ts";

/** Figures for Prometheus. Labels are ERAs, actions and outcomes of closed lists, never text from outside. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #messages = this.#counter("setpointd_market_messages_total", "Market messages by action and outcome", [
    "action",
    "outcome",
  ]);
  readonly #sent = this.#counter("setpointd_market_sent_total", "Messages to the market by action and outcome", [
    "action",
    "outcome",
  ]);
  readonly #verdicts = this.#counter("setpointd_verdicts_total", "Final verdicts", ["era", "verdict"]);
  readonly #readings = this.#counter("setpointd_readings_total", "Readings received", ["era"]);
  readonly #powerKW = this.#gauge("setpointd_device_power_kw", "Measured power, generation positive", ["era"]);
  readonly #targetKW = this.#gauge("setpointd_device_target_kw", "Power the device is told to hold", ["era"]);
  readonly #linkUp = this.#gauge("setpointd_device_link_up", "1 while the device is connected", ["era"]);
  readonly #ageSeconds = this.#gauge("setpointd_device_reading_age_seconds", "Age of the newest reading", ["era"]);
  readonly #strangers = this.#gauge("setpointd_strangers", "Unknown devices that dialled in", []);
  readonly #outbox = this.#gauge("setpointd_outbox_items", "Messages to the market that wait", []);
  readonly #lost = this.#gauge("setpointd_readings_lost", "Readings that the disk did not take", []);
  readonly #brought = new Map<string, Counter | Gauge>();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  message(action: string, outcome: string): void {
    this.#messages.inc({ action, outcome });
  }

  sent(action: string, outcome: string): void {
    this.#sent.inc({ action, outcome });
  }

  verdict(era: string, verdict: Verdict): void {
    this.#verdicts.inc({ era, verdict });
  }

  reading(era: string): void {
    this.#readings.inc({ era });
  }

  /** Takes over what is true now; called when somebody looks. */
  observe(state: {
    readonly devices: readonly DeviceSnapshot[];
    readonly nowMs: number;
    readonly strangers: number;
    readonly outbox: number;
    readonly lostReadings: number;
    readonly figures: readonly HostFigure[];
  }): void {
    for (const device of state.devices) {
      const label = { era: device.era };
      this.#linkUp.set(label, device.linkUp ? 1 : 0);
      setOrRemove(this.#powerKW, label, device.reading?.powerKW);
      setOrRemove(this.#targetKW, label, device.targetKW);
      const receivedAtMs = device.reading?.receivedAtMs;
      setOrRemove(this.#ageSeconds, label, receivedAtMs && (state.nowMs - receivedAtMs) / 1000);
    }
    this.#strangers.set(state.strangers);
    this.#outbox.set(state.outbox);
    this.#lost.set(state.lostReadings);
    for (const figure of state.figures) this.#take(figure);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A figure that a protocol brings; it counts by itself, so that it is set to what it says. */
  #take({ name, help, type, samples }: HostFigure): void {
    const labelNames = Object.keys(samples[0]?.labels ?? {});
    if (type === "gauge") {
      const gauge = (this.#brought.get(name) as Gauge | undefined) ?? this.#gauge(name, help, labelNames);
      this.#brought.set(name, gauge);
      for (const { labels, value } of samples) gauge.set(labels, value);
      return;
    }
    // A counter without a sample has no labels yet.
    if (samples.length === 0) return;
    const counter = (this.#brought.get(name) as Counter | undefined) ?? this.#counter(name, help, labelNames);
    this.#brought.set(name, counter);
    counter.reset();
    for (const { labels, value } of samples) counter.inc(labels, value);
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }
}

/** Absent is not zero: a value that nobody measured has no sample. */
function setOrRemove(gauge: Gauge, label: { era: string }, value: number | undefined): void {
  if (value === undefined) gauge.remove(label);
  else gauge.set(label, value);
}
