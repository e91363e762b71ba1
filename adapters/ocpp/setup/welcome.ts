import type { AdapterContext } from "../../kind.ts";
import type { OcppShared } from "../config.ts";
import type { Session } from "../link/session.ts";
import type { AdmissionRule } from "../sessions/admission.ts";
import { pushLocalList } from "../sessions/local-list.ts";
import type { StationPort } from "../station.ts";
import type { OcppVersion } from "../version.ts";
import { setUp } from "./charger-setup.ts";
import type { ModelMemory } from "./model-memory.ts";
import { type AskedStation, readTraits } from "./read-traits.ts";
import type { Traits } from "./traits.ts";

/** A charger that says nothing so long after connecting did not boot: it only lost the line. */
const BOOT_GRACE_MS = 1500;

/** A charger that does not say what it can do in this time takes its commands without. */
const TRAITS_GRACE_MS = 2000;

/** The station that is welcomed. */
export interface WelcomedStation extends AskedStation {
  readonly identity: string;
  readonly ports: readonly StationPort[];
  /** What the charger says of its smart charging; empty as long as it said nothing. */
  readonly traits: Traits;
  readonly modelMemory: ModelMemory;
  readonly admissionRule: AdmissionRule;
  /** True where it said before, in this version, what it can do. */
  knowsTraits(version: OcppVersion): boolean;
  learnTraits(session: Session, traits: Traits): void;
}

/**
 * After connecting or booting: learns what the charger can do, gives it its targets again, then sets up its metering.
 * @throws CallFailure, or the signal's reason when it aborts
 */
export async function welcome(
  session: Session,
  station: WelcomedStation,
  { shared, context }: { readonly shared: OcppShared; readonly context: AdapterContext },
  signal: AbortSignal,
): Promise<void> {
  const { clock, memory } = context;
  const grace = clock.sleep(BOOT_GRACE_MS, signal).catch(() => {});
  const silent = await Promise.race([session.whenHeard().then(() => false), grace.then(() => true)]);
  signal.throwIfAborted();
  // With what an earlier boot told us the targets need not wait for the question.
  const known = station.knowsTraits(session.dialect.version);
  const reading = learn(session, station, signal);
  // It is awaited below; until then nobody listens.
  reading.catch(() => {});
  if (!known) await Promise.race([reading, clock.sleep(TRAITS_GRACE_MS, signal)]);
  signal.throwIfAborted();
  session.markReady();
  for (const port of station.ports) port.onReady();

  await reading;
  const { ports, traits, modelMemory, log, identity, admissionRule: rule } = station;
  const { sampleIntervalS } = await setUp({
    session,
    connectors: ports.map((port) => port.connector),
    traits,
    memory: modelMemory,
    wanted: {
      sampleIntervalS: shared.meterIntervalS,
      idleIntervalS: shared.idleMeterIntervalS,
      mayDischarge: ports.some((port) => port.mayDischarge),
      heartbeatIntervalS: shared.heartbeatIntervalS,
      pingIntervalS: shared.pingIntervalS,
    },
    askForBoot: silent,
    log,
    signal,
  });
  const lacks = traits.smartCharging === false ? "the charger says that it has no smart charging" : undefined;
  for (const port of ports) {
    if (sampleIntervalS !== undefined) port.onSampleInterval(sampleIntervalS);
    port.onNotice("smart-charging", lacks);
  }
  await pushLocalList({ session, identity, rule, memory, nowMs: clock.now(), log, signal });
  for (const port of ports) await port.onSetUp(signal);
}

async function learn(session: Session, station: WelcomedStation, signal: AbortSignal): Promise<void> {
  const traits = await readTraits(session, station, signal);
  if (traits !== undefined) station.learnTraits(session, traits);
}
