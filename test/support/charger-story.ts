import { expect } from "vitest";
import { ChargerSimulator, type ChargerSimulatorOptions } from "../../simulators/charger/charger-simulator.ts";
import { ElectricCar, type ElectricCarOptions } from "../../simulators/world/electric-car.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { StrictCsms } from "./strict-csms.ts";
import { waitFor } from "./wait-for.ts";

export type Version = "1.6" | "2.0.1" | "2.1";

/** A car that reacts fast. */
export function quickCar(options: Partial<ElectricCarOptions> = {}): ElectricCar {
  return new ElectricCar(systemClock, {
    capacityKWh: 60,
    socPercent: 40,
    maxChargeKW: 22,
    maxDischargeKW: 0,
    deadMs: 20,
    tauMs: 30,
    ...options,
  });
}

/** A charger with a car that reacts fast, at a CSMS of another make. */
export class ChargerStory implements AsyncDisposable {
  readonly csms = new StrictCsms();
  readonly charger: ChargerSimulator;
  readonly version: Version;

  private constructor(version: Version, csms: StrictCsms, charger: ChargerSimulator) {
    this.version = version;
    this.csms = csms;
    this.charger = charger;
  }

  /** The charger is not started yet. */
  static async prepare(
    version: Version,
    options: Partial<ChargerSimulatorOptions> & { socPercent?: number; maxDischargeKW?: number } = {},
  ): Promise<ChargerStory> {
    const csms = new StrictCsms();
    await csms.listen();
    const { socPercent = 40, maxDischargeKW = 0, ...rest } = options;
    const charger = new ChargerSimulator({
      identity: "CP 1",
      url: csms.url,
      version,
      phases: 3,
      maxA: 16,
      car: quickCar({ socPercent, maxDischargeKW }),
      clock: systemClock,
      log: silentLog,
      meterIntervalMs: 100,
      rebootMs: 100,
      ...rest,
    });
    return new ChargerStory(version, csms, charger);
  }

  static async begin(...args: Parameters<typeof ChargerStory.prepare>): Promise<ChargerStory> {
    const story = await ChargerStory.prepare(...args);
    await story.charger.start();
    return story;
  }

  /** The transaction that the CSMS knows of, as it would name it. */
  transactionId(): string {
    const events = this.csms.payloads("TransactionEvent") as { transactionInfo: { transactionId: string } }[];
    const lastEvent = events.at(-1)?.transactionInfo.transactionId;
    return this.version === "1.6" ? String(this.csms.payloads("StartTransaction").length) : (lastEvent ?? "none");
  }

  /** Sends a profile in the words of the version, and returns the status. */
  async send(profile: Profile): Promise<string> {
    const answer = await this.csms.call("SetChargingProfile", this.request(profile));
    return String(answer["status"]);
  }

  request(profile: Profile): Record<string, unknown> {
    const { connectorId = 1, purpose = "TxDefaultProfile", kind = "Absolute", unit = "A", stackLevel = 0 } = profile;
    const start = profile.startMs ?? Date.now() - 1000;
    const iso = (timeMs: number) => new Date(timeMs).toISOString();
    const schedule = {
      ...(kind === "Relative" || profile.startMs === null ? {} : { startSchedule: iso(start) }),
      ...(profile.durationS === undefined ? {} : { duration: profile.durationS }),
      chargingRateUnit: unit,
      chargingSchedulePeriod: profile.periods ?? [{ startPeriod: 0, limit: profile.limit ?? 10 }],
      ...profile.scheduleExtra,
    };
    const id = profile.id ?? 1;
    const common = {
      stackLevel,
      chargingProfileKind: kind,
      ...(profile.validFromMs === undefined ? {} : { validFrom: iso(profile.validFromMs) }),
      ...(profile.validToMs === undefined ? {} : { validTo: iso(profile.validToMs) }),
      ...profile.extra,
    };
    const old = this.version === "1.6";
    const { transactionId } = profile;
    return old
      ? {
          connectorId,
          csChargingProfiles: {
            chargingProfileId: id,
            chargingProfilePurpose: purpose === "Max" ? "ChargePointMaxProfile" : purpose,
            ...(transactionId === undefined ? {} : { transactionId: Number(transactionId) }),
            chargingSchedule: schedule,
            ...common,
          },
        }
      : {
          evseId: connectorId,
          chargingProfile: {
            id,
            chargingProfilePurpose: purpose === "Max" ? "ChargingStationMaxProfile" : purpose,
            ...(transactionId === undefined ? {} : { transactionId }),
            chargingSchedule: [{ id: 1, ...schedule }],
            ...common,
          },
        };
  }

  async settlesAt(powerKW: number): Promise<void> {
    await waitFor(`${powerKW} kW instead of ${this.charger.powerKW()}`, () => {
      return Math.abs(this.charger.powerKW() - powerKW) < 0.02;
    });
  }

  /** The newest meter values as the CSMS got them: measurand and phase to value, in W, A, V, Wh and percent. */
  lastMeter(): Map<string, number> {
    const messages =
      this.version === "1.6" ? this.csms.payloads("MeterValues") : this.csms.payloads("TransactionEvent");
    const sampled = (messages.at(-1)?.["meterValue"] as { sampledValue: Sampled[] }[] | undefined)?.[0]?.sampledValue;
    return new Map(
      sampled?.map((entry) => [[entry.measurand, entry.phase].filter(Boolean).join(" "), Number(entry.value)]),
    );
  }

  async meterShows(measurand: string, value: number, tolerance = 20): Promise<void> {
    await waitFor(`${measurand} ${value} on the meter, not ${this.lastMeter().get(measurand)}`, () => {
      return Math.abs((this.lastMeter().get(measurand) ?? Number.NaN) - value) <= tolerance;
    });
  }

  /** Last status that the CSMS knows: of the connector in 1.6, of the transaction in 2.x. */
  lastState(): unknown {
    if (this.version === "1.6") {
      return this.csms.payloads("StatusNotification").findLast((payload) => payload["connectorId"] === 1)?.["status"];
    }
    const events = this.csms.payloads("TransactionEvent") as { transactionInfo: { chargingState: string } }[];
    return events.at(-1)?.transactionInfo.chargingState;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.charger[Symbol.asyncDispose]();
    await this.csms[Symbol.asyncDispose]();
    expect(this.csms.violations).toEqual([]);
  }
}

interface Sampled {
  readonly value: string | number;
  readonly measurand: string;
  readonly phase?: string;
}

/** A profile in neutral words; what is absent gets a value that a charger accepts. */
export interface Profile {
  readonly id?: number;
  readonly connectorId?: number;
  readonly purpose?: "TxProfile" | "TxDefaultProfile" | "Max";
  readonly kind?: "Absolute" | "Relative" | "Recurring";
  readonly unit?: "A" | "W";
  readonly stackLevel?: number;
  readonly limit?: number;
  /** As on the wire. */
  readonly periods?: readonly Readonly<Record<string, unknown>>[];
  /** `null` leaves startSchedule out. */
  readonly startMs?: number | null;
  readonly durationS?: number;
  readonly validFromMs?: number;
  readonly validToMs?: number;
  readonly transactionId?: string;
  readonly extra?: Record<string, unknown>;
  readonly scheduleExtra?: Record<string, unknown>;
}
