import type { Clock } from "../clock.ts";
import type { Report } from "../model/adapter.ts";
import type { Limit } from "../model/limit.ts";
import type { Availability, Reading } from "../model/reading.ts";
import type { Capability } from "../model/resource.ts";

/** A power that was measured longer ago than this, or than so many sampling times, is not the power now. */
const STALE_MS = 30_000;
const STALE_SAMPLES = 5;

/** What a device has said of itself, for a person. Powers in kW, export positive; absent is not zero. */
export interface DeviceStateSnapshot {
  readonly linkUp: boolean;
  readonly linkDetail: string;
  readonly capability?: Capability;
  readonly availability?: Availability;
  /** Bounds that another master of the device has set; absent where there are none. */
  readonly limits?: readonly Limit[];
  /** What a technician should know; absent where there is nothing. */
  readonly notices?: readonly string[];
  /** The newest live reading with a power in it, as it came: nothing older is mixed into it. */
  readonly reading?: Reading;
  /** Power now, kW; absent if none was measured lately. */
  readonly liveKW?: number;
  /** Newest value that was sent, percent; batteries send it beside their power or apart from it. */
  readonly socPercent?: number;
  /** Newest value of the register of energy taken in, kWh. */
  readonly importKWh?: number;
}

/** What is known of one device from what it told, and how old that is. It decides nothing. */
export class DeviceState {
  readonly #clock: Clock;
  #linkUp = false;
  #linkDetail = "not connected yet";
  #capability: Capability | undefined;
  #availability: Availability | undefined;
  #limits: readonly Limit[] = [];
  #notices: readonly string[] = [];
  #reading: Reading | undefined;
  #readingAtMs = 0;
  #socPercent: number | undefined;
  #importKWh: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get capability(): Capability | undefined {
    return this.#capability;
  }

  get availability(): Availability | undefined {
    return this.#availability;
  }

  get linkUp(): boolean {
    return this.#linkUp;
  }

  /** Bounds that another master of the device has set. */
  get limits(): readonly Limit[] {
    return this.#limits;
  }

  /** Live power, kW; absent if none was measured, or so long ago that it says nothing about now. */
  get measuredKW(): number | undefined {
    const staleMs = Math.max(STALE_MS, STALE_SAMPLES * (this.#capability?.sampleMs ?? 0));
    return this.#clock.elapsedMs() - this.#readingAtMs > staleMs ? undefined : this.#reading?.powerKW;
  }

  take(report: Report): void {
    switch (report.kind) {
      case "capability":
        this.#capability = report.capability;
        break;
      case "availability":
        this.#availability = report.availability;
        break;
      case "limits":
        this.#limits = report.limits;
        break;
      case "notices":
        this.#notices = report.notices;
        break;
      // What was told the device is the lane's business.
      case "applied":
        break;
      case "link":
        this.#linkUp = report.up;
        this.#linkDetail = report.detail;
        break;
      case "objective":
        // What a device wants moves its bid, not its commands.
        break;
      case "reading":
        this.#takeReading(report.reading);
        break;
    }
  }

  snapshot(): DeviceStateSnapshot {
    return {
      linkUp: this.#linkUp,
      linkDetail: this.#linkDetail,
      ...(this.#capability && { capability: this.#capability }),
      ...(this.#availability && { availability: this.#availability }),
      ...(this.#limits.length > 0 && { limits: this.#limits }),
      ...(this.#notices.length > 0 && { notices: this.#notices }),
      ...(this.#reading && { reading: this.#reading }),
      ...(this.measuredKW !== undefined && { liveKW: this.measuredKW }),
      ...(this.#socPercent !== undefined && { socPercent: this.#socPercent }),
      ...(this.#importKWh !== undefined && { importKWh: this.#importKWh }),
    };
  }

  #takeReading(reading: Reading): void {
    // A replayed value is history: it is stored, and says nothing about now.
    if (reading.replayed) return;
    this.#socPercent = reading.socPercent ?? this.#socPercent;
    this.#importKWh = reading.importKWh ?? this.#importKWh;
    if (reading.powerKW === undefined) return;
    this.#reading = reading;
    this.#readingAtMs = this.#clock.elapsedMs();
  }
}
