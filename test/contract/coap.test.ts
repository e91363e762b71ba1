import { coap } from "../../adapters/coap/index.ts";
import { CoapSimulator } from "../../simulators/coap/coap-simulator.ts";
import { DimmableLoad } from "../../simulators/coap/dimmable-load.ts";
import { PlainBattery } from "../../simulators/coap/plain-battery.ts";
import type { SimDevice } from "../../simulators/coap/resource.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock as clock } from "../../src/clock.ts";
import { silentLog as log } from "../../src/log.ts";
import type { ResourceKind } from "../../src/model/resource.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { type ContractFixture, describeAdapterContract } from "./adapter-contract.ts";

const quick = { deadMs: 50, tauMs: 100 };

describeAdapterContract("CoAP, a load with LwM2M objects in text", () => {
  const device = new DimmableLoad(clock, { ratingKW: 3, ...quick });
  return fixture(device, "load", "lwm2m-power-control", { orderKW: -0.9, otherOrderKW: -1.5 });
});

describeAdapterContract("CoAP, a battery with JSON, CBOR and SenML", () => {
  const cells = { capacityKWh: 10, socPercent: 50, maxChargeKW: 5, maxDischargeKW: 5, ...quick };
  const device = new PlainBattery(clock, new Battery(clock, cells));
  return fixture(device, "battery", "plain-der", { orderKW: -3, otherOrderKW: 2 });
});

async function fixture(
  device: SimDevice,
  kind: ResourceKind,
  profile: string,
  orders: Pick<ContractFixture, "orderKW" | "otherOrderKW">,
): Promise<ContractFixture> {
  const simulator = new CoapSimulator(device, { clock, log });
  const { host, port } = await simulator.listen();
  const gateway = coap.createHost({}, { clock, log, random: Math.random, memory: volatileMemory() });
  const config = coap.deviceSchema.parse({ profile, host, port, pollMs: 100, deadlineMs: 1000, ratingKW: 3 });
  return {
    adapter: gateway.adapter({ era: "IN*TEST*COAP*1", kind }, config),
    ...orders,
    open: (signal) => gateway.start(signal),
    deviceKW: () => device.powerKW(),
    underControl: () => device.underControl(),
    refuse: () => {
      simulator.behaviour.refuses = true;
    },
    fallSilent: () => {
      simulator.behaviour.silent = true;
    },
    talkNonsense: () => {
      simulator.behaviour.talksNonsense = true;
    },
    breakLink: () => simulator.restart(1500),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}
