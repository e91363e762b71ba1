import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { ChargerSimulator } from "../charger/charger-simulator.ts";
import { DerSimulator } from "../der/der-simulator.ts";
import { lfdiOf } from "../der/identity.ts";
import { InverterSimulator } from "../inverter/inverter-simulator.ts";
import { startBroker } from "../market/broker.ts";
import { MarketSimulator } from "../market/market-simulator.ts";
import { writePki } from "../pki.ts";
import { Battery } from "../world/battery.ts";
import { House } from "../world/house.ts";
import { createRng, type Rng } from "../world/rng.ts";
import { SolarPanel } from "../world/solar-panel.ts";
import { Sun } from "../world/sun.ts";

const MARKET_ID = "market.demo.example";
const SITE_ID = "site.demo.example";
/** Model hours per clock hour for stored energy: a car fills in minutes, so that a short demo shows it. */
const ENERGY_SPEED = 20;
/** This resource's setpoints come by MQTT, as on a site behind NAT; all others come to the webhook. */
const BY_MQTT = "carport";

export interface DemoWorldOptions {
  readonly seed: number;
  readonly intervalMs: number;
  /** Config, keys and databases of this run go here. */
  readonly folder: string;
  /** The demo's config; the addresses and keys of this run are put into a copy. */
  readonly configTemplate: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A market, a broker and seven devices with one physics, each a network program on loopback. */
export async function startDemoWorld(options: DemoWorldOptions) {
  const { clock, log, folder, seed } = options;
  const rng = createRng(seed);
  const cleanup = new Cleanup();
  try {
    const sun = new Sun(clock, rng.fork("sun"), { startHour: 12 });
    const house = new House(clock, rng.fork("house"));
    const pki = await writePki(join(folder, "pki"));
    const inverterIdentity = await pki.device("barn-inverter");
    const site = createSiteKey(join(folder, "site.key"));

    const broker = cleanup.use(await startBroker());
    const market = cleanup.use(
      new MarketSimulator({
        subscriberId: MARKET_ID,
        keyId: "k1",
        clock,
        log,
        seed,
        intervalMs: options.intervalMs,
        houseKW: () => house.powerKW(),
        mqttUrl: broker.url,
        deliverOverMqtt: (era) => era === BY_MQTT,
        participantKeys: new Map([[`${SITE_ID}|k1`, site.publicKey]]),
      }),
    );
    const { url: marketUrl } = await market.start();

    const roof = cleanup.use(
      new InverterSimulator({
        kind: "solar",
        map: "legacy",
        source: new SolarPanel(clock, sun, { ratingKW: 8 }),
        clock,
        log,
      }),
    );
    const battery = cleanup.use(
      new InverterSimulator({
        kind: "battery",
        map: "der",
        source: new Battery(clock, {
          capacityKWh: 10,
          socPercent: rng.fork("battery").between(45, 65),
          maxChargeKW: 5,
          maxDischargeKW: 5,
          energySpeed: ENERGY_SPEED,
        }),
        clock,
        log,
      }),
    );
    const [roofAt, batteryAt] = [await roof.listen(), await battery.listen()];

    const configFile = join(folder, "site.yaml");
    writeConfig(options.configTemplate, configFile, [
      [["market", "bppUri"], marketUrl],
      [["market", "interval"], `${options.intervalMs / 1000}s`],
      [["market", "mqtt", "url"], broker.url],
      [["market", "trustedKeys", 0, "publicKey"], market.publicKey],
      [["ieee2030_5", "certFile"], pki.certFile],
      [["ieee2030_5", "keyFile"], pki.keyFile],
      [["ieee2030_5", "caFile"], pki.caFile],
      [["devices", "roof", "modbus", "port"], roofAt.port],
      [["devices", "battery", "modbus", "port"], batteryAt.port],
      [["devices", "barn", "ieee2030_5", "lfdi"], lfdiOf(inverterIdentity.cert)],
    ]);

    const connect = async (addresses: Readonly<Record<string, string>>) => {
      const { ocpp, ieee2030_5 } = addresses;
      if (ocpp === undefined || ieee2030_5 === undefined) throw new Error("the gateway listens for no devices");
      for (const charger of chargers(clock, log, rng, ocpp)) await cleanup.use(charger).start();
      const der = cleanup.use(
        new DerSimulator({
          url: ieee2030_5,
          key: inverterIdentity.key,
          cert: inverterIdentity.cert,
          ca: readFileSync(pki.caFile, "utf8"),
          source: new SolarPanel(clock, sun, { ratingKW: 5 }),
          ratingKW: 5,
          clock,
          log,
          pollMs: 1000,
          postMs: 1000,
        }),
      );
      await der.start();
    };
    return {
      configFile,
      connect,
      market: () => {
        const { onConfirm, acked, nacked, cleared } = market.summary();
        return { onConfirm, acked, nacked, cleared };
      },
      currentPrice: () => market.currentPrice(),
      [Symbol.asyncDispose]: () => cleanup.run(),
    };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

function chargers(clock: Clock, log: Log, rng: Rng, url: string): readonly ChargerSimulator[] {
  const car = (name: string, maxChargeKW: number) =>
    new Battery(clock, {
      capacityKWh: 60,
      socPercent: rng.fork(name).between(20, 50),
      maxChargeKW,
      maxDischargeKW: 0,
      deadMs: rng.fork(`${name}/dead`).between(200, 500),
      tauMs: rng.fork(`${name}/tau`).between(400, 800),
      energySpeed: ENERGY_SPEED,
    });
  const common = { url, clock, log, meterIntervalMs: 1000 };
  return [
    new ChargerSimulator({
      ...common,
      identity: "GARAGE",
      version: "1.6",
      phases: 3,
      maxA: 16,
      car: car("garage", 11),
    }),
    new ChargerSimulator({
      ...common,
      identity: "CARPORT",
      version: "1.6",
      phases: 1,
      maxA: 32,
      car: car("carport", 7.4),
    }),
    new ChargerSimulator({
      ...common,
      identity: "DEPOT",
      version: "2.0.1",
      phases: 3,
      maxA: 32,
      car: car("depot", 22),
    }),
    new ChargerSimulator({
      ...common,
      identity: "OLDWALLBOX",
      version: "1.6",
      phases: 1,
      maxA: 16,
      car: car("old", 3.7),
      behaviour: { ignoresProfiles: true },
    }),
  ];
}

/** An Ed25519 key as Beckn hands it out: the bare 32 bytes in base64. */
function createSiteKey(file: string): { publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(file, privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64"), {
    mode: 0o600,
  });
  return { publicKey: publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64") };
}

/** Puts values into a copy of a config. A device is named by its ERA instead of its place. */
function writeConfig(template: string, file: string, values: readonly [readonly (string | number)[], unknown][]): void {
  const document = parseDocument(readFileSync(template, "utf8"));
  const eras = (document.toJS() as { devices: { era: string }[] }).devices.map((device) => device.era);
  for (const [path, value] of values) {
    const place = path[0] === "devices" ? ["devices", eras.indexOf(String(path[1])), ...path.slice(2)] : path;
    document.setIn(place, value);
  }
  writeFileSync(file, String(document), { mode: 0o600 });
}

/** What was opened, to be closed in reverse order. */
class Cleanup {
  readonly #opened: AsyncDisposable[] = [];

  use<T extends AsyncDisposable>(thing: T): T {
    this.#opened.push(thing);
    return thing;
  }

  async run(): Promise<void> {
    for (const thing of this.#opened.splice(0).reverse()) await thing[Symbol.asyncDispose]();
  }
}
