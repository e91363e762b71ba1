import { expect } from "vitest";
import { ocpp } from "../../adapters/ocpp/index.ts";
import { ChargerSimulator } from "../../simulators/charger/charger-simulator.ts";
import type { OcppVersion } from "../../simulators/charger/ocpp-version.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { quickCar } from "../support/charger-story.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { type ContractFixture, describeAdapterContract } from "./adapter-contract.ts";

const IDENTITY = "CP-1";

/** @param v2g a car that gives energy back, and orders that ask for it */
async function createFixture(version: OcppVersion, v2g = false): Promise<ContractFixture> {
  const shared = ocpp.sharedSchema.parse({ port: 0, callTimeoutMs: 800, meterIntervalS: 1 });
  const host = ocpp.createHost(shared, {
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    memory: volatileMemory(),
  });
  const device = {
    identity: IDENTITY,
    commandSpacingS: 0,
    ...(v2g ? { v2g: { maxDischargeKW: 10, leaseS: 3 } } : {}),
  };
  const adapter = host.adapter({ era: "charger-1", kind: "charger" }, ocpp.deviceSchema.parse(device));
  let charger: ChargerSimulator | undefined;
  const simulator = () => {
    if (charger === undefined) throw new Error("the fixture is not open");
    return charger;
  };
  return {
    adapter,
    orderKW: v2g ? 5 : -5,
    otherOrderKW: -8,
    async open(signal) {
      await host.start(signal);
      charger = new ChargerSimulator({
        identity: IDENTITY,
        url: host.addresses()["ocpp"] ?? "",
        version,
        phases: 3,
        maxA: 32,
        car: quickCar({ socPercent: 30, maxChargeKW: 11, maxDischargeKW: v2g ? 10 : 0 }),
        clock: systemClock,
        log: silentLog,
        meterIntervalMs: 500,
      });
      await charger.start();
      // What the car can do is known when it has said so, and the charger has heard that it may.
      while (v2g && (await adapter.start(signal)).maxPowerKW === 0) await systemClock.sleep(20, signal);
    },
    deviceKW: () => simulator().powerKW(),
    underControl: () => simulator().hasProfile(),
    refuse: () => {
      simulator().behaviour.rejectsProfiles = true;
    },
    fallSilent: () => {
      simulator().behaviour.silent = true;
    },
    talkNonsense: () => {
      simulator().behaviour.talksNonsense = true;
    },
    async breakLink() {
      await simulator().disconnect();
      await simulator().reconnect();
    },
    async [Symbol.asyncDispose]() {
      await adapter[Symbol.asyncDispose]();
      await charger?.[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
      // The charger validates both directions against the schemas, so this is also our outbound strictness.
      expect(charger?.violations ?? []).toEqual([]);
    },
  };
}

describeAdapterContract("ocpp1.6", () => createFixture("1.6"));
describeAdapterContract("ocpp2.0.1", () => createFixture("2.0.1"));
describeAdapterContract("ocpp2.1", () => createFixture("2.1"));
describeAdapterContract("ocpp2.1 with a car that gives energy back", () => createFixture("2.1", true));
