import { ieee2030_5_push } from "../../adapters/ieee2030-5/index.ts";
import { DerPushReceiver } from "../../simulators/der/push-receiver.ts";
import { Battery } from "../../simulators/world/battery.ts";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { volatileMemory } from "../support/volatile-memory.ts";
import { openWire } from "../support/wire.ts";
import { type ContractFixture, describeAdapterContract } from "./adapter-contract.ts";

describeAdapterContract("IEEE 2030.5, battery that a control is PUT to", createFixture);

async function createFixture(): Promise<ContractFixture> {
  const clock = systemClock;
  const quick = { deadMs: 50, tauMs: 100 };
  const source = new Battery(clock, { capacityKWh: 10, socPercent: 60, maxChargeKW: 5, maxDischargeKW: 5, ...quick });
  const device = new DerPushReceiver({ source, ratingKW: 5, clock, log: silentLog });
  const wire = await openWire(Number(new URL((await device.listen()).url).port));
  const host = ieee2030_5_push.createHost(ieee2030_5_push.sharedSchema.parse({}), {
    clock,
    log: silentLog,
    random: () => 0.5,
    memory: volatileMemory(),
  });
  const url = `http://127.0.0.1:${wire.port}`;
  const adapter = host.adapter(
    { era: "ieee.der-1", kind: "battery" },
    ieee2030_5_push.deviceSchema.parse({
      url: `${url}/edev/1/der/dc`,
      meterUrl: `${url}/meter`,
      pollMs: 100,
      deadlineMs: 2000,
      ratingKW: 5,
      maxChargeKW: 5,
    }),
  );
  return {
    adapter,
    orderKW: -2,
    otherOrderKW: 1.5,
    open: (signal) => host.start(signal),
    deviceKW: () => device.powerKW(),
    underControl: () => device.underControl(),
    refuse: () => {
      device.behaviour.rejectsControls = true;
    },
    fallSilent: () => {
      device.behaviour.silent = true;
    },
    talkNonsense: () => {
      device.behaviour.talksNonsense = true;
    },
    breakLink: async () => wire.cut(),
    [Symbol.asyncDispose]: async () => {
      await adapter[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
      await wire.close();
      await device[Symbol.asyncDispose]();
    },
  };
}
