import type { LoadedKind } from "../kind.ts";
import { CoapHost } from "./coap-host.ts";
import type { CoapDeviceConfig, CoapShared } from "./config.ts";
import { coapFacts } from "./facts.ts";

export type { CoapDeviceConfig, CoapShared } from "./config.ts";

export const coap: LoadedKind<CoapShared, CoapDeviceConfig> = {
  ...coapFacts,
  createHost: (shared, context) => new CoapHost(shared, context),
};
