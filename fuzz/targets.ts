import { coapTarget } from "./coap-target.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { modbusTarget } from "./modbus-target.ts";
import { ocppTarget } from "./ocpp-target.ts";
import { sep2Target } from "./sep2-target.ts";

/** Everything that can be fuzzed: one row a target. */
export const targets: readonly FuzzTarget[] = [ocppTarget, modbusTarget, sep2Target, coapTarget];
