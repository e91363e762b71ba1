import { expect } from "vitest";
import { ocpp } from "../../adapters/ocpp/index.ts";
import { ChargerSimulator } from "../../simulators/charger/charger-simulator.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { type ContractFixture, describeAdapterContract } from "./adapter-contract.ts";

const IDENTITY = "CP-1";

async function createFixture(version: "1.6" | "2.0.1"): Promise<ContractFixture> {
  const shared = ocpp.sharedSchema.parse({ port: 0, callTimeoutMs: 800, meterIntervalS: 1 });
  const host = ocpp.createHost(shared, {
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    memory: volatileMemory(),
  });
  const adapter = host.adapter(
    { era: "charger-1", kind: "charger" },
    ocpp.deviceSchema.parse({ identity: IDENTITY, commandSpacingS: 0 }),
  );
  let charger: ChargerSimulator | undefined;
  const simulator = () => {
    if (charger === undefined) throw new Error("the fixture is not open");
    return charger;
  };
  return {
    adapter,
    orderKW: -5,
    otherOrderKW: -8,
    async open(signal) {
      await host.start(signal);
      charger = new ChargerSimulator({
        identity: IDENTITY,
        url: host.addresses()["ocpp"] ?? "",
        version,
        phases: 3,
        maxA: 32,
        car: new Battery(systemClock, {
          capacityKWh: 60,
          socPercent: 30,
          maxChargeKW: 11,
          maxDischargeKW: 0,
          deadMs: 50,
          tauMs: 100,
        }),
        clock: systemClock,
        log: silentLog,
        meterIntervalMs: 500,
      });
      await charger.start();
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
