import { modbus } from "../../adapters/modbus/index.ts";
import { InverterSimulator, type InverterSimulatorOptions } from "../../simulators/inverter/inverter-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { createRng } from "../../simulators/world/rng.ts";
import { SolarPanel } from "../../simulators/world/solar-panel.ts";
import { Sun } from "../../simulators/world/sun.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { Adapter } from "../../src/model/adapter.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { type ContractFixture, describeAdapterContract } from "./adapter-contract.ts";

const RATING_KW = 10;

describeAdapterContract("SunSpec solar, models 103 and 123", () => solar("legacy"));
describeAdapterContract("SunSpec solar, models 701 and 704", () => solar("der"));
describeAdapterContract("SunSpec battery, models 103 and 124", () => battery("legacy"));
describeAdapterContract("SunSpec battery, models 701 and 704", () => battery("der"));

function solar(map: "legacy" | "der"): Promise<ContractFixture> {
  const sun = new Sun(clock, createRng(7), { startHour: 12 });
  const source = new SolarPanel(clock, sun, { ratingKW: RATING_KW, deadMs: 50, tauMs: 100 });
  return fixture({ kind: "solar", source, map, clock, log }, { orderKW: 3, otherOrderKW: 5 });
}

function battery(map: "legacy" | "der"): Promise<ContractFixture> {
  const source = new Battery(clock, {
    capacityKWh: 10,
    socPercent: 50,
    maxChargeKW: 5,
    maxDischargeKW: 5,
    deadMs: 50,
    tauMs: 100,
  });
  return fixture({ kind: "battery", source, map, clock, log }, { orderKW: -3, otherOrderKW: 2 });
}

/** The adapter needs the port, which is known once the simulator listens. */
async function fixture(
  options: InverterSimulatorOptions,
  orders: Pick<ContractFixture, "orderKW" | "otherOrderKW">,
): Promise<ContractFixture> {
  const simulator = new InverterSimulator(options);
  const { host, port } = await simulator.listen();
  const gateway = modbus.createHost({}, { clock, log, random: Math.random, memory: volatileMemory() });
  const device = modbus.deviceSchema.parse({ host, port, pollMs: 100, timeoutMs: 300 });
  const adapter: Adapter = gateway.adapter({ era: "IN*TEST*INV*1", kind: options.kind }, device);
  return {
    adapter,
    ...orders,
    open: (signal) => gateway.start(signal),
    deviceKW: () => simulator.powerKW(),
    underControl: () => simulator.underControl(),
    refuse: () => {
      simulator.behaviour.refuses = true;
    },
    fallSilent: () => {
      simulator.behaviour.silent = true;
    },
    talkNonsense: () => {
      simulator.behaviour.talksNonsense = true;
    },
    breakLink: async () => simulator.dropConnections(),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}
