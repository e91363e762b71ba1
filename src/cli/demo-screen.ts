import type { DeviceStatus, StatusReport } from "../api/status-report.ts";
import { deviceTable } from "./device-table.ts";
import { kWText, paint, wantsColour } from "./output.ts";

const CLEAR_AND_HOME = "\u001b[H\u001b[J";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";

/** The demo's picture: a table that redraws itself on a terminal, and a line for each change anywhere else. */
export class DemoScreen {
  readonly #out: NodeJS.WriteStream | undefined;
  readonly #isTerminal: boolean;
  readonly #startedMs: number;
  readonly #told = new Map<string, string>();
  #toldPrice: number | undefined;

  /** @param out absent: draw nothing */
  constructor(out: NodeJS.WriteStream | undefined, first: StatusReport) {
    this.#out = out;
    this.#isTerminal = out?.isTTY === true;
    this.#startedMs = first.nowMs;
    if (this.#isTerminal) out?.write(HIDE_CURSOR);
  }

  draw(report: StatusReport, pricePerKWh: number | undefined): void {
    if (this.#out === undefined) return;
    if (this.#isTerminal) this.#drawTable(this.#out, report, pricePerKWh);
    else this.#tellChanges(this.#out, report, pricePerKWh);
  }

  close(): void {
    if (this.#isTerminal) this.#out?.write(SHOW_CURSOR);
  }

  #drawTable(out: NodeJS.WriteStream, report: StatusReport, pricePerKWh: number | undefined): void {
    const options = { colour: wantsColour(out), width: out.columns ?? 120 };
    const { market } = report;
    const price = pricePerKWh === undefined ? "not cleared yet" : `${pricePerKWh.toFixed(4)} per kWh`;
    const lines = [
      `${paint("setpointd demo", "bold", options.colour)} · ${this.#secondsOf(report)} s · clearing price ${paint(price, "cyan", options.colour)}`,
      `${market?.onConfirm ?? 0} on_confirm · ${market?.acked ?? 0} messages taken, ${market?.nacked ?? 0} refused, ${market?.sent ?? 0} sent · all on 127.0.0.1 · Ctrl-C ends`,
      "",
      deviceTable(report.devices, options),
      "",
      ...report.devices
        .filter(needsAWord)
        .map((device) => `  ${device.name}: ${device.verdictReason}`.slice(0, options.width)),
    ];
    out.write(`${CLEAR_AND_HOME}${lines.join("\n")}\n`);
  }

  #tellChanges(out: NodeJS.WriteStream, report: StatusReport, pricePerKWh: number | undefined): void {
    const at = `${this.#secondsOf(report).padStart(5)} s`;
    if (pricePerKWh !== undefined && pricePerKWh !== this.#toldPrice) {
      this.#toldPrice = pricePerKWh;
      out.write(`${at}  market cleared at ${pricePerKWh.toFixed(4)} per kWh\n`);
    }
    for (const device of report.devices) {
      const key = `${device.linkUp}|${device.orderedKW}|${device.appliedKW}|${device.verdict}`;
      if (this.#told.get(device.era) === key) continue;
      this.#told.set(device.era, key);
      out.write(`${at}  ${changeLine(device)}\n`);
    }
  }

  #secondsOf(report: StatusReport): string {
    return ((report.nowMs - this.#startedMs) / 1000).toFixed(0);
  }
}

function needsAWord(device: DeviceStatus): boolean {
  return device.verdict !== undefined && device.verdict !== "effective" && device.verdictReason !== undefined;
}

function changeLine(device: DeviceStatus): string {
  const soc = device.socPercent === undefined ? "" : ` · ${device.socPercent.toFixed(0)} % charged`;
  const state = !device.linkUp
    ? "no link"
    : device.orderedKW === undefined
      ? (device.availability ?? "connected")
      : `ordered ${kWText(device.orderedKW)} · applied ${kWText(device.appliedKW)} · measured ${kWText(device.measuredKW)} · ${device.verdict ?? "settling"}`;
  return `${device.name.padEnd(26)} ${device.protocol.padEnd(10)} ${state}${soc}`;
}
