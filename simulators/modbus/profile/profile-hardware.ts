import type { Clock } from "../../../src/clock.ts";
import { Battery } from "../../world/battery.ts";
import { ElectricCar } from "../../world/electric-car.ts";
import { House } from "../../world/house.ts";
import type { Rng } from "../../world/rng.ts";
import { SiteConnection } from "../../world/site-connection.ts";
import { SolarPanel } from "../../world/solar-panel.ts";
import type { Sun } from "../../world/sun.ts";
import type { Order } from "./control-in-force.ts";
import type { Ratings } from "./initial-values.ts";
import type { ProfileShape } from "./profile-shape.ts";

/** Panels, cells, a car or a site behind the registers. kW, export positive. */
export interface ProfileHardware {
  /** Follows orders, the first one foremost; without one it does what it does by itself. */
  obey(orders: readonly Order[]): void;
  powerKW(): number;
  /** What it could give now if nothing held it back. */
  availableKW(): number;
  readonly importKWh: number;
  readonly exportKWh: number;
  /** Undefined where nothing is stored. */
  readonly socPercent: number | undefined;
  /** True while there is nothing to measure. */
  isAsleep(): boolean;
}

/** What a battery gives that nobody controls. */
const IDLE_KW = 0.3;
const NIGHT_KW = 0.001;

/** Makes what a profile's kind of device has behind it. */
export function hardwareFor(
  kind: ProfileShape["kind"],
  context: {
    readonly clock: Clock;
    readonly rng: Rng;
    readonly sun: Sun;
    readonly ratings: Ratings;
    readonly socPercent: number;
    /** How fast it follows; as such hardware does unless told. */
    readonly lag?: { readonly deadMs: number; readonly tauMs: number };
  },
): ProfileHardware {
  const { clock, rng, sun, ratings, socPercent, lag = {} } = context;
  const { ratingKW, capacityKWh } = ratings;
  switch (kind) {
    case "inverter":
      return panels(new SolarPanel(clock, sun, { ratingKW, ...lag }));
    case "battery":
      return cells(
        new Battery(clock, { capacityKWh, socPercent, maxChargeKW: ratingKW, maxDischargeKW: ratingKW, ...lag }),
        IDLE_KW,
      );
    case "charger":
      return cells(
        new ElectricCar(clock, { capacityKWh, socPercent, maxChargeKW: ratingKW, maxDischargeKW: 0, ...lag }),
        -ratingKW,
      );
    case "meter": {
      const house = new House(clock, rng.fork("house"));
      return site(new SiteConnection(clock, [house, new SolarPanel(clock, sun, { ratingKW })]));
    }
  }
}

function panels(panel: SolarPanel): ProfileHardware {
  return {
    obey: ([order]) => panel.limit(order === undefined ? undefined : Math.max(0, order.powerKW)),
    powerKW: () => panel.powerKW(),
    availableKW: () => panel.availableKW(),
    get importKWh() {
      return panel.meter.importKWh;
    },
    get exportKWh() {
      return panel.meter.exportKWh;
    },
    socPercent: undefined,
    isAsleep: () => panel.availableKW() < NIGHT_KW,
  };
}

function cells(battery: Battery, freeKW: number): ProfileHardware {
  return {
    obey: ([order]) => {
      if (order === undefined) battery.command(freeKW);
      else if (order.kind === "setpoint") battery.command(order.powerKW);
      else if (Math.sign(order.powerKW) === -Math.sign(freeKW)) battery.command(freeKW);
      // A limit never makes it do more than it would by itself.
      else battery.command(Math.sign(freeKW) * Math.min(Math.abs(freeKW), Math.abs(order.powerKW)));
    },
    powerKW: () => battery.powerKW(),
    availableKW: () => battery.maxDischargeNowKW(),
    get importKWh() {
      return battery.meter.importKWh;
    },
    get exportKWh() {
      return battery.meter.exportKWh;
    },
    get socPercent() {
      return battery.socPercent;
    },
    isAsleep: () => false,
  };
}

function site(connection: SiteConnection): ProfileHardware {
  return {
    obey: () => {},
    powerKW: () => connection.powerKW(),
    availableKW: () => 0,
    get importKWh() {
      return connection.meter.importKWh;
    },
    get exportKWh() {
      return connection.meter.exportKWh;
    },
    socPercent: undefined,
    isAsleep: () => false,
  };
}
