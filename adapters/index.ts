import { coap } from "./coap/index.ts";
import { ieee2030_5, ieee2030_5_push } from "./ieee2030-5/index.ts";
import { ieee2030_5_client } from "./ieee2030-5-client/index.ts";
import { modbus } from "./modbus/index.ts";
import { ocpp } from "./ocpp/index.ts";

/** The table of adapters: a new protocol is one row here and one folder beside it. */
export const adapters = [ocpp, modbus, ieee2030_5, ieee2030_5_push, ieee2030_5_client, coap] as const;
