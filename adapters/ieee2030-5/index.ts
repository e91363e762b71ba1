import type { LoadedKind } from "../kind.ts";
import type { Device, PushDevice, PushShared, Shared } from "./config.ts";
import { polledFacts, pushedFacts } from "./facts.ts";
import { PushHost } from "./push/push-host.ts";
import { PollingHost } from "./server/host.ts";

export const ieee2030_5: LoadedKind<Shared, Device> = {
  ...polledFacts,
  createHost: (shared, context) => new PollingHost(shared, context),
};

export const ieee2030_5_push: LoadedKind<PushShared, PushDevice> = {
  ...pushedFacts,
  createHost: (_shared, context) => new PushHost(context),
};
