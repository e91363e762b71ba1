import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ieee2030_5 } from "../../adapters/ieee2030-5/index.ts";
import { DerSimulator } from "../../simulators/der/der-simulator.ts";
import { writePki } from "../../simulators/pki.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { ElectricCar } from "../../simulators/world/electric-car.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { openWire, type Wire } from "../support/wire.ts";
import { type ContractFixture, describeAdapterContract } from "./adapter-contract.ts";

describeAdapterContract("IEEE 2030.5, solar inverter that takes percent", () => createFixture("solar"));
describeAdapterContract("IEEE 2030.5, battery that takes watts", () => createFixture("battery"));
describeAdapterContract("IEEE 2030.5, charging point", () => createFixture("charger"));

const clock = systemClock;

const HASTE = 3;

/** The adapter waits for polls that never come; on this clock it waits a third as long as the config says. */
const hastyClock: Clock = {
  now: () => clock.now(),
  elapsedMs: () => clock.elapsedMs() * HASTE,
  sleep: (ms, signal) => clock.sleep(ms / HASTE, signal),
};

type Kind = "solar" | "battery" | "charger";

/** An order, and another one, that the device of a kind can follow, kW. */
const ORDERS_KW = { solar: [2, 1], battery: [-2, 1.5], charger: [-2, -3] } as const;

async function createFixture(kind: Kind): Promise<ContractFixture> {
  const folder = await mkdtemp(join(tmpdir(), "setpointd-2030-5-"));
  const pki = await writePki(folder);
  const { key, cert } = await pki.device("der-1");
  const lfdi = new X509Certificate(cert).fingerprint256.replaceAll(":", "").slice(0, 40);
  const { certFile, keyFile, caFile } = pki;
  const shared = { port: 0, pollRateS: 1, postRateS: 1, certFile, keyFile, caFile };
  const host = ieee2030_5.createHost(ieee2030_5.sharedSchema.parse(shared), {
    clock: hastyClock,
    log: silentLog,
    random: () => 0.5,
    memory: volatileMemory(),
  });
  const adapter = host.adapter(
    { era: "ieee.der-1", kind },
    ieee2030_5.deviceSchema.parse({ lfdi: lfdi.toLowerCase() }),
  );
  let wire: Wire | undefined;
  let device: DerSimulator | undefined;
  return {
    adapter,
    orderKW: ORDERS_KW[kind][0],
    otherOrderKW: ORDERS_KW[kind][1],
    open: async (signal) => {
      await host.start(signal);
      const address = new URL(host.addresses()["ieee2030_5"] ?? "");
      wire = await openWire(Number(address.port));
      address.port = String(wire.port);
      const ca = await readFile(caFile, "utf8");
      device = new DerSimulator({ ...simulated(kind), key, cert, ca, url: address.href });
      await device.start();
    },
    deviceKW: () => device?.powerKW() ?? Number.NaN,
    underControl: () => device?.underControl() ?? false,
    refuse: () => misbehave(device, "rejectsControls"),
    fallSilent: () => misbehave(device, "silent"),
    talkNonsense: () => misbehave(device, "talksNonsense"),
    breakLink: async () => wire?.cut(),
    [Symbol.asyncDispose]: async () => {
      await device?.[Symbol.asyncDispose]();
      await adapter[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
      await wire?.close();
      await rm(folder, { recursive: true });
    },
  };
}

function simulated(kind: Kind) {
  return { source: sourceOf(kind), ratingKW: 5, clock, log: silentLog, pollMs: 300, postMs: 300 };
}

function sourceOf(kind: Kind): SolarPanel | Battery {
  const quick = { deadMs: 50, tauMs: 100 };
  if (kind === "solar") {
    return new SolarPanel(clock, new Sun(clock, createRng(1), { startHour: 12 }), { ratingKW: 5, ...quick });
  }
  const cells = { capacityKWh: 10, socPercent: 60, maxChargeKW: 5, ...quick };
  return kind === "charger"
    ? new ElectricCar(clock, { ...cells, maxDischargeKW: 0 })
    : new Battery(clock, { ...cells, maxDischargeKW: 5 });
}

function misbehave(
  device: DerSimulator | undefined,
  how: "ignoresControls" | "rejectsControls" | "silent" | "talksNonsense",
): void {
  if (device !== undefined) device.behaviour[how] = true;
}
