import { ChargerSimulator } from "../charger/charger-simulator.ts";
import { InverterSimulator } from "../inverter/inverter-simulator.ts";
import { Battery } from "../world/battery.ts";
import { SolarPanel } from "../world/solar-panel.ts";
import type { Sun } from "../world/sun.ts";
import type { Stage } from "./stage.ts";

/** How often the gateway reads a Modbus device, and a charger sends meter values, in model time. */
const METER_MS = 10_000;
const SETTLE_S = 10;

/** For the `ocpp` part of a config: sockets live in real time, where ten seconds of the model are a blink. */
export const PATIENT = { pingIntervalS: 0, handshakeTimeoutS: 120, bootTimeoutS: 86_400 } as const;

/** A simulated device: its part of the site's config, and what a scenario wants to know of its physics. */
export interface StageDevice {
  readonly era: string;
  /** As in the site's config. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Power at its terminals, kW, export positive. */
  powerKW(): number;
  /** Dials in to the gateway; devices that are dialled are there already. */
  connect(addresses: Readonly<Record<string, string>>): Promise<void>;
}

export interface CarOptions {
  readonly era: string;
  readonly phases: 1 | 3;
  readonly maxA: number;
  readonly capacityKWh: number;
  readonly socPercent: number;
  readonly version?: "1.6" | "2.0.1";
  /** Further keys of the device's config, for example `objective`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A charger with a car, over OCPP. */
export function carAtCharger(stage: Stage, options: CarOptions): StageDevice & { readonly car: Battery } {
  const { era, phases, maxA } = options;
  const identity = era.toUpperCase();
  const car = new Battery(stage.clock, {
    capacityKWh: options.capacityKWh,
    socPercent: options.socPercent,
    maxChargeKW: (maxA * phases * 230) / 1000,
    maxDischargeKW: 0,
  });
  return {
    era,
    car,
    config: {
      era,
      kind: "charger",
      // Without an order the car rests: what it draws is what was traded.
      ocpp: { identity, phases, maxA, settleS: SETTLE_S, fallbackKW: 0 },
      ...options.config,
    },
    powerKW: () => car.powerKW(),
    connect: async ({ ocpp }) => {
      if (ocpp === undefined) throw new Error("the gateway has no OCPP port");
      const charger = stage.use(
        new ChargerSimulator({
          url: ocpp,
          identity,
          version: options.version ?? "1.6",
          phases,
          maxA,
          car,
          clock: stage.clock,
          log: stage.context.log,
          meterIntervalMs: METER_MS,
        }),
      );
      await charger.start();
    },
  };
}

/** A solar inverter, over SunSpec Modbus (model 123). */
export async function solarRoof(
  stage: Stage,
  options: {
    era: string;
    ratingKW: number;
    sun: Sun;
    /** Least limit that the gateway sets, percent; absent leaves that to the gateway. */
    minPercent?: number;
    config?: Readonly<Record<string, unknown>>;
  },
): Promise<StageDevice> {
  const panel = new SolarPanel(stage.clock, options.sun, { ratingKW: options.ratingKW });
  const inverter = stage.use(
    new InverterSimulator({
      kind: "solar",
      map: "legacy",
      source: panel,
      clock: stage.clock,
      log: stage.context.log,
    }),
  );
  const { port } = await inverter.listen();
  return {
    era: options.era,
    config: {
      era: options.era,
      kind: "solar",
      modbus: { ...modbus(port), ...(options.minPercent !== undefined && { minPercent: options.minPercent }) },
      ...options.config,
    },
    powerKW: () => panel.powerKW(),
    connect: async () => {},
  };
}

/** A home battery, over SunSpec Modbus (model 704). */
export async function homeBattery(
  stage: Stage,
  options: {
    era: string;
    capacityKWh: number;
    socPercent: number;
    maxKW: number;
    /** True for one whose cells state their limits too (model 802). */
    hasBatteryModel?: boolean;
    config?: Readonly<Record<string, unknown>>;
  },
): Promise<StageDevice & { readonly cells: Battery }> {
  const cells = new Battery(stage.clock, {
    capacityKWh: options.capacityKWh,
    socPercent: options.socPercent,
    maxChargeKW: options.maxKW,
    maxDischargeKW: options.maxKW,
  });
  const inverter = stage.use(
    new InverterSimulator({
      kind: "battery",
      map: "der",
      ...(options.hasBatteryModel === true && { models: [1, 701, 702, 704, 713, 802].map((id) => ({ id })) }),
      source: cells,
      clock: stage.clock,
      log: stage.context.log,
    }),
  );
  const { port } = await inverter.listen();
  return {
    era: options.era,
    cells,
    config: { era: options.era, kind: "battery", modbus: modbus(port), ...options.config },
    powerKW: () => cells.powerKW(),
    connect: async () => {},
  };
}

function modbus(port: number): object {
  return { host: "127.0.0.1", port, timeoutMs: 30_000, pollMs: METER_MS, revertS: 600, settleS: SETTLE_S };
}
