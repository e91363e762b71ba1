import type { FaultList } from "../fault-option.ts";
import { MODBUS_FAULTS } from "../modbus/fault-list.ts";
import type { SunSpecBehaviour } from "./sunspec-simulator.ts";

/** Every way in which a SunSpec device can misbehave, grouped as in the help. */
export const SUNSPEC_FAULTS: FaultList<SunSpecBehaviour> = [
  ...MODBUS_FAULTS,
  {
    title: "Who is in command",
    faults: [
      {
        name: "local",
        effect: "somebody at the device: 715 and 802 say so, and control writes get exception 3",
        behaviour: () => ({ isLocal: true }),
      },
      {
        name: "needs-enable",
        effect: "a new limit counts only once its enable is written, again or for the first time",
        behaviour: () => ({ needsEnable: true }),
      },
    ],
  },
];
