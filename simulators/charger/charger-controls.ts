import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { ChargerBehaviour } from "./behaviour.ts";
import type { OnChargerEvent } from "./charger-event.ts";
import type { ChargerSettings } from "./charger-settings.ts";
import type { ChargerControls, Dialect, Trigger } from "./dialect.ts";
import type { Uplink } from "./link/uplink.ts";
import type { OcppVersion } from "./ocpp-version.ts";
import type { EnergyPath } from "./power/energy-path.ts";
import { turnSign } from "./power/import-sign.ts";
import type { ChargingProfile, PeriodValues } from "./profiles/charging-profile.ts";
import { type CompositePlace, stationSchedule } from "./profiles/composite-schedule.ts";
import type { ProfileStore } from "./profiles/profile-store.ts";
import { type Refusal, refuse } from "./profiles/refusal.ts";
import type { ChargingSession } from "./session/charging-session.ts";
import type { LocalList } from "./session/local-list.ts";
import type { Reservation, Reservations } from "./session/reservations.ts";

/** One outlet of the station and the car at it. */
export interface Connector {
  readonly id: number;
  readonly path: EnergyPath;
  readonly session: ChargingSession;
}

/** The parts of a charger that a call of the CSMS reaches. */
export interface ControlledParts {
  readonly version: OcppVersion;
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what waits when the charger is switched off. */
  readonly signal: AbortSignal;
  readonly behaviour: Readonly<ChargerBehaviour>;
  readonly settings: ChargerSettings;
  readonly dialect: Dialect;
  readonly profiles: ProfileStore;
  /** Never empty; connector 1 first. */
  readonly connectors: readonly [Connector, ...Connector[]];
  readonly connectorsInUse: () => number;
  readonly bidirectional: boolean;
  readonly reservations: Reservations;
  readonly localList: LocalList;
  readonly uplink: Uplink;
  readonly onEvent: OnChargerEvent;
  /** Restarts now, or when no transaction runs. */
  readonly restart: (when: "now" | "idle") => void;
}

const AFTER_ANSWER_MS = 20;

/** Puts what a CSMS may ask for on top of the parts of a charger. */
export function createControls(parts: ControlledParts): ChargerControls {
  const { clock, settings, profiles, connectors, uplink } = parts;
  const at = (connectorId: number) => connectors.find(({ id }) => id === connectorId);
  const chosen = (connectorId = 0) => connectors.filter(({ id }) => connectorId === 0 || id === connectorId);
  const running = (transactionId: string) =>
    connectors.find(({ session }) => session.transaction !== undefined && session.transaction.id === transactionId);
  const tickAll = () => {
    for (const { session } of connectors) session.tick();
  };
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
    wiring: connectors[0].path.wiring,
    bidirectional: parts.bidirectional,
    localList: parts.localList,
    now: () => clock.now(),
    setProfile: (profile) => {
      const refusal = setProfile(parts, profile);
      tickAll();
      tell(parts, profile, refusal);
      if (refusal === undefined) afterAnswer(() => answerForCar(parts, profile));
      return refusal;
    },
    updateProfile: (id, values) => {
      const refusal = updateProfile(parts, id, values);
      tickAll();
      return refusal;
    },
    installedProfiles: () => profiles.all,
    clearProfiles: (criteria) => {
      const cleared = profiles.clear(criteria);
      tickAll();
      return cleared;
    },
    composite: (connectorId, durationMs, unit) =>
      stationSchedule(chosen(connectorId).map(placeIn(parts)), { durationMs, unit }),
    trigger: (what, connectorId) => afterAnswer(() => trigger(uplink, chosen(connectorId), what)),
    remoteStart: ({ connectorId, ...start }) => {
      const waits = ({ session }: Connector) => session.plugged && session.transaction === undefined;
      const connector = connectorId === undefined ? (connectors.find(waits) ?? connectors[0]) : at(connectorId);
      return connector?.session.remoteStart(start) ?? false;
    },
    remoteStop: (transactionId) => {
      const connector = running(transactionId);
      if (connector !== undefined) afterAnswer(() => connector.session.end("Remote"));
      return connector !== undefined;
    },
    transactionAt: (connectorId) => at(connectorId)?.session.transaction,
    transactionNamed: (transactionId) => running(transactionId)?.session.transaction,
    setAvailable: (connectorId, available) => {
      const places = chosen(connectorId);
      for (const { session } of places) session.setAvailable(available);
      const busy = places.some(({ session }) => session.transaction !== undefined);
      return !available && busy ? "Scheduled" : "Accepted";
    },
    reserve: (reservation) => reserve(parts, at(reservation.connectorId), reservation),
    freeConnector: () =>
      connectors.find(({ id, session }) => {
        return session.available && !session.plugged && parts.reservations.at(id) === undefined;
      })?.id,
    cancelReservation: (id) => parts.reservations.cancel(id),
    reset: (immediate) => {
      const now = immediate || connectors.every(({ session }) => session.transaction === undefined);
      afterAnswer(() => parts.restart(now ? "now" : "idle"));
      return now;
    },
    afterwards: (action, payload) => afterAnswer(() => uplink.call(action, payload)),
    waitingMessages: () => uplink.waiting,
    powerW: (connectorId) => chosen(connectorId).reduce((sum, { path }) => sum + 1000 * turnSign(path.powerKW()), 0),
  };
}

function setProfile(parts: ControlledParts, profile: ChargingProfile): Refusal | undefined {
  if (parts.behaviour.rejectsProfiles) return refuse("Unspecified", "this charger takes no profile");
  const connector = parts.connectors.find(({ id }) => id === profile.connectorId) ?? parts.connectors[0];
  const refusal = parts.profiles.install(profile, situationAt(parts, profile), connector.path.moment());
  return parts.behaviour.ignoresProfiles ? undefined : refusal;
}

function updateProfile(parts: ControlledParts, id: number, values: PeriodValues): Refusal | undefined {
  if (parts.behaviour.rejectsProfiles) return refuse("Unspecified", "this charger takes no profile");
  const profile = parts.profiles.all.find((candidate) => candidate.id === id);
  const situation = situationAt(parts, profile ?? { connectorId: 0, purpose: "tx-default" });
  const refusal = parts.profiles.update(id, values, situation, parts.clock.now());
  return parts.behaviour.ignoresProfiles ? undefined : refusal;
}

function situationAt(
  { version, bidirectional, connectors }: ControlledParts,
  { connectorId, purpose }: Pick<ChargingProfile, "connectorId" | "purpose">,
) {
  const transaction = connectors.find(({ id }) => id === connectorId)?.session.transaction;
  return {
    version,
    bidirectional,
    transactionRuns: transaction !== undefined,
    ...(transaction?.id === undefined ? {} : { transactionId: transaction.id }),
    // A default is for cars to come as well, so it is not held against the one that is there.
    ...(transaction === undefined || purpose !== "tx" ? {} : { mayDischarge: transaction.mayDischarge }),
  };
}

function tell({ onEvent }: ControlledParts, profile: ChargingProfile, refusal: Refusal | undefined): void {
  const { id, connectorId, purpose, stackLevel, kind } = profile;
  const about = { event: "profile", id, connectorId, purpose, stackLevel, kind } as const;
  if (refusal === undefined) onEvent({ ...about, outcome: "accepted" });
  else onEvent({ ...about, outcome: "rejected", reasonCode: refusal.code, reason: refusal.text });
}

/** A car that plans for itself answers a schedule with its own (2.1, K17); to a setpoint it has nothing to say. */
async function answerForCar(parts: ControlledParts, { purpose, connectorId, kind }: ChargingProfile): Promise<void> {
  const connector = parts.connectors.find(({ id }) => id === connectorId);
  const transaction = connector?.session.transaction;
  if (connector === undefined || transaction === undefined || purpose !== "tx" || kind === "Dynamic") return;
  if (!parts.bidirectional || connector.path.car.options.maxDischargeKW <= 0) return;
  const plan = stationSchedule([placeIn(parts)(connector)], { durationMs: 86_400_000, unit: "W" });
  await connector.session.note(parts.dialect.carSchedule?.(transaction, plan, parts.clock.now()));
}

function placeIn({ profiles, connectorsInUse }: ControlledParts): (connector: Connector) => CompositePlace {
  return ({ id, path }) => ({
    profiles: profiles.applyingTo(id),
    moment: path.moment(),
    wiring: path.wiring,
    connectorsInUse: connectorsInUse(),
  });
}

function reserve(
  { reservations }: ControlledParts,
  connector: Connector | undefined,
  reservation: Reservation,
): "Accepted" | "Occupied" | "Unavailable" {
  if (connector === undefined || !connector.session.available) return "Unavailable";
  const present = reservations.at(reservation.connectorId);
  const taken = present !== undefined && present.id !== reservation.id;
  if (taken || connector.session.plugged) return "Occupied";
  reservations.set(reservation);
  connector.session.tick();
  return "Accepted";
}

async function trigger(uplink: Uplink, connectors: readonly Connector[], what: Trigger): Promise<void> {
  switch (what) {
    case "boot":
      uplink.bootNow();
      return;
    case "heartbeat":
      await uplink.call("Heartbeat", {});
      return;
    case "status":
      for (const { session } of connectors) session.sendStatus();
      return;
    case "meter":
      for (const { session } of connectors) session.sendSample("Trigger");
      return;
    case "transaction":
      for (const { session } of connectors) if (session.transaction !== undefined) session.sendState("Trigger");
  }
}
