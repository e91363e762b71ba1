import type { Log } from "../../../src/log.ts";
import type { Session } from "../link/session.ts";
import type { Triggered } from "../messages/dialect.ts";
import { type Metering, type MeteringWish, setUpMetering } from "./metering-setup.ts";
import type { ModelMemory } from "./model-memory.ts";
import { Settings, statusWords } from "./settings.ts";
import type { Traits } from "./traits.ts";

/** What is set up after a charger connected or booted. All of it yields to commands, and none of it is a condition for them. */
export interface SetUp {
  readonly session: Session;
  readonly connectors: readonly number[];
  readonly traits: Traits;
  readonly memory: ModelMemory;
  readonly wanted: MeteringWish & {
    readonly heartbeatIntervalS: number;
    /** 0: as the charger likes. */
    readonly pingIntervalS: number;
  };
  /** True where the charger said nothing after connecting. */
  readonly askForBoot: boolean;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Sets up metering and keepalive, and asks for what the charger has not said by itself.
 * @throws CallFailure when the charger does not answer: then it is not asked further
 */
export async function setUp(options: SetUp): Promise<Metering> {
  const { session, connectors, traits, memory, wanted, log, signal } = options;
  // Some chargers boot without saying so, others say nothing until they are asked.
  if (options.askForBoot) await trigger(session, "BootNotification", 0, signal);
  const settings = new Settings(session, traits, log, signal);
  const metering = await setUpMetering(settings, traits, wanted, memory);
  if (settings.said("heartbeatIntervalS") !== undefined) {
    await settings.setFirst("heartbeatIntervalS", [wanted.heartbeatIntervalS]);
  }
  if (settings.said("pingIntervalS") !== undefined && wanted.pingIntervalS > 0) {
    await settings.setFirst("pingIntervalS", [wanted.pingIntervalS]);
  }
  for (const connector of connectors) {
    if (!session.stateHeard.has(connector)) await trigger(session, "StatusNotification", connector, signal);
    if (!session.samplesHeard) await trigger(session, "MeterValues", connector, signal);
  }
  return metering;
}

/**
 * Asks the charger to send a message.
 * @returns true if it said that it will
 * @throws CallFailure when it does not answer
 */
export async function trigger(
  session: Session,
  message: Triggered,
  connector: number,
  signal: AbortSignal,
): Promise<boolean> {
  return (await statusWords(session, session.dialect.trigger(message, connector), signal)).includes("Accepted");
}
