import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { ChargerSettings } from "./charger-settings.ts";
import type { ChargerControls, Trigger } from "./dialect.ts";
import type { ChargerBehaviour } from "./link/charger-socket.ts";
import type { Uplink } from "./link/uplink.ts";
import type { EnergyPath } from "./power/energy-path.ts";
import type { ChargingProfile } from "./profiles/charging-profile.ts";
import { compositeSchedule } from "./profiles/composite-schedule.ts";
import type { Refusal } from "./profiles/profile-rules.ts";
import type { ProfileStore } from "./profiles/profile-store.ts";
import type { ChargingSession } from "./session/charging-session.ts";

/** The parts of a charger that a call of the CSMS reaches. */
export interface ControlledParts {
  readonly version: "1.6" | "2.0.1";
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what waits when the charger is switched off. */
  readonly signal: AbortSignal;
  readonly behaviour: Readonly<ChargerBehaviour>;
  readonly settings: ChargerSettings;
  readonly profiles: ProfileStore;
  readonly path: EnergyPath;
  readonly uplink: Uplink;
  readonly session: ChargingSession;
  /** Restarts now, or when the transaction is over. */
  readonly restart: (when: "now" | "idle") => void;
}

const AFTER_ANSWER_MS = 20;

/** Puts what a CSMS may ask for on top of the parts of a charger. */
export function createControls(parts: ControlledParts): ChargerControls {
  const { clock, settings, profiles, path, uplink, session } = parts;
  /** The answer to the call that asked for it goes out first. */
  const afterAnswer = (task: () => unknown): void => {
    clock
      .sleep(AFTER_ANSWER_MS, parts.signal)
      .then(task)
      .catch((error: unknown) => parts.log.debug("what was asked for did not work", { err: error }));
  };
  return {
    identity: parts.identity,
    settings,
    bounds: profiles.bounds,
    wiring: path.wiring,
    now: () => clock.now(),
    setProfile: (profile) => setProfile(parts, profile),
    clearProfiles: (criteria) => {
      const cleared = profiles.clear(criteria);
      session.tick();
      return cleared;
    },
    composite: (durationMs, unit) =>
      compositeSchedule(profiles.all, path.moment(), { durationMs, unit, wiring: path.wiring }),
    trigger: (what) => afterAnswer(() => trigger(parts, what)),
    remoteStart: (idTag, profile) => session.remoteStart(idTag, profile),
    remoteStop: (transactionId) => {
      if (session.transaction?.id !== transactionId) return false;
      afterAnswer(() => session.end("Remote"));
      return true;
    },
    setAvailable: (available) => {
      session.setAvailable(available);
      return !available && session.transaction !== undefined ? "Scheduled" : "Accepted";
    },
    reset: (immediate) => {
      const now = immediate || session.transaction === undefined;
      afterAnswer(() => parts.restart(now ? "now" : "idle"));
      return now;
    },
    afterwards: (action, payload) => afterAnswer(() => uplink.call(action, payload)),
    transactionRuns: () => session.transaction !== undefined,
  };
}

function setProfile(parts: ControlledParts, profile: ChargingProfile): Refusal | undefined {
  if (parts.behaviour.rejectsProfiles) return { code: "Unspecified", text: "this charger takes no profile" };
  const { transaction } = parts.session;
  const situation = {
    version: parts.version,
    transactionRuns: transaction !== undefined,
    ...(transaction?.id === undefined ? {} : { transactionId: transaction.id }),
  };
  const refusal = parts.profiles.install(profile, situation, parts.path.moment());
  parts.session.tick();
  return parts.behaviour.ignoresProfiles ? undefined : refusal;
}

async function trigger({ uplink, session }: ControlledParts, what: Trigger): Promise<void> {
  switch (what) {
    case "boot":
      uplink.bootNow();
      return;
    case "heartbeat":
      await uplink.call("Heartbeat", {});
      return;
    case "status":
      session.sendStatus();
      return;
    case "meter":
      session.sendSample("Trigger");
      return;
    case "transaction":
      session.sendState("Trigger");
  }
}
