import { carAtCharger, homeBattery, type StageDevice, solarRoof } from "../../simulators/scenarios/site-devices.ts";
import type { Stage } from "../../simulators/scenarios/stage.ts";
import { Sun } from "../../simulators/world/sun.ts";
import type { GatewayHandle } from "../../src/cli/scenario-parts.ts";

/** Where the gateway finds the utility, and who it is. */
export interface UtilityAccess {
  readonly url: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly registration: "in-band" | "out-of-band";
  readonly pin?: number;
  /** Of CSIP-AUS. */
  readonly edition: "1.2" | "1.3";
  /** True where the procedure is for clients that subscribe. */
  readonly subscribes: boolean;
}

/** What is behind the connection point: what generates, what consumes, or what stores. */
export type SiteKind = "generation" | "load" | "storage";

/** A site with devices that run and a gateway that obeys a utility. */
export interface SiteUnderTest {
  readonly gateway: GatewayHandle;
  /** At the connection point, kW, export positive. */
  powerKW(): number;
}

const RATING_KW = 10;
const MAX_A = 16;

/** Power that a car at 16 A on three phases takes, kW. */
const CAR_KW = (MAX_A * 3 * 230) / 1000;

/** Starts the devices, then the gateway with the utility in its config. */
export async function openSite(stage: Stage, kind: SiteKind, access: UtilityAccess): Promise<SiteUnderTest> {
  const devices = await devicesFor(stage, kind);
  const { url, certFile, keyFile, caFile, registration, pin, edition, subscribes } = access;
  const gateway = await stage.gateway("site", {
    site: { name: "site under test" },
    api: { port: 0 },
    ieee2030_5_client: {
      url,
      certFile,
      keyFile,
      caFile,
      registration,
      csipAus: edition,
      connectionPointId: "4102000000",
      ...(pin !== undefined && { pin }),
      ...(subscribes && { notifications: { host: "127.0.0.1", port: 0 } }),
    },
    ...(kind === "load" && {
      ocpp: { port: 0, pingIntervalS: 0, handshakeTimeoutS: 120, bootTimeoutS: 86_400, meterIntervalS: 10 },
    }),
    devices: devices.map(({ config }) => config),
  });
  for (const device of devices) await device.connect(gateway.addresses());
  return { gateway, powerKW: () => devices.reduce((sum, device) => sum + device.powerKW(), 0) };
}

async function devicesFor(stage: Stage, kind: SiteKind): Promise<StageDevice[]> {
  const sun = new Sun(stage.clock, stage.rng.fork("sun"));
  if (kind === "load") {
    const ocpp = { identity: "CAR", phases: 3, maxA: MAX_A, settleS: 10, fallbackKW: -CAR_KW };
    return [
      carAtCharger(stage, { era: "car", phases: 3, maxA: MAX_A, capacityKWh: 80, socPercent: 10, config: { ocpp } }),
    ];
  }
  if (kind === "storage") {
    const size = { capacityKWh: 20, socPercent: 50, maxKW: RATING_KW / 2 };
    return [await homeBattery(stage, { era: "battery", ...size, hasBatteryModel: true })];
  }
  // This inverter takes 0 %: a utility may order that nothing flows.
  return [await solarRoof(stage, { era: "roof", ratingKW: RATING_KW, sun, minPercent: 0 })];
}
