import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
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
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
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
