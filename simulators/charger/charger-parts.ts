import { createRng } from "../world/rng.ts";
import type { ChargerBehaviour } from "./behaviour.ts";
import { type Connector, createControls } from "./charger-controls.ts";
import type { OnChargerEvent } from "./charger-event.ts";
import type { ChargerSimulatorOptions } from "./charger-options.ts";
import { type ChargerSettings, defaultSettings } from "./charger-settings.ts";
import type { CallHandler, Dialect } from "./dialect.ts";
import { backlog } from "./faults/backlog.ts";
import { chargerClock } from "./faults/charger-clock.ts";
import { heeded, spoilt } from "./faults/profile-faults.ts";
import { StandingFaults } from "./faults/standing-faults.ts";
import { SocketMaker } from "./link/socket-maker.ts";
import { Uplink } from "./link/uplink.ts";
import { timestamp } from "./link/wire-time.ts";
import type { MessageRecord } from "./message-record.ts";
import { createOcpp2 } from "./ocpp2/ocpp2.ts";
import { pullSchedule } from "./ocpp2/v2x.ts";
import { ocpp16 } from "./ocpp16/ocpp16.ts";
import { EnergyPath } from "./power/energy-path.ts";
import { DynamicProfiles } from "./profiles/dynamic-profiles.ts";
import type { Wiring } from "./profiles/effective-limit.ts";
import type { ProfileBounds } from "./profiles/profile-rules.ts";
import { ProfileStore } from "./profiles/profile-store.ts";
import { ChargingSession } from "./session/charging-session.ts";
import { LocalList } from "./session/local-list.ts";
import { Reservations } from "./session/reservations.ts";

/** What a charger consists of, put together. */
export interface ChargerParts {
  readonly dialect: Dialect;
  readonly settings: ChargerSettings;
  readonly profiles: ProfileStore;
  readonly dynamic: DynamicProfiles;
  readonly reservations: Reservations;
  readonly uplink: Uplink;
  /** Connector 1 first. */
  readonly connectors: readonly [Connector, ...Connector[]];
  readonly faults: StandingFaults;
}

export interface ChargerSurroundings {
  readonly behaviour: ChargerBehaviour;
  readonly record: MessageRecord;
  readonly onEvent: OnChargerEvent;
  /** Ends what waits when the charger is switched off. */
  readonly signal: AbortSignal;
  /** Restarts now, when no transaction runs, or as if the supply had failed. */
  readonly restart: (when: "now" | "idle" | "power-loss") => void;
}

export const DEFAULT_ID_TAG = "04A1B2C3";

const MAX_STACK_LEVEL = 8;

/** Builds the parts of a charger and joins them. Nothing runs yet. */
export function createParts(options: ChargerSimulatorOptions, around: ChargerSurroundings): ChargerParts {
  const { log, version, identity, car, otherCars = [], phaseSwitchMs = 0 } = options;
  const { behaviour, record, onEvent, signal, restart } = around;
  const clock = chargerClock(options.clock, behaviour);
  const cars = [car, ...otherCars];
  const bidirectional = version === "2.1" && cars.some((one) => one.options.maxDischargeKW > 0);
  const dialect = version === "1.6" ? ocpp16 : createOcpp2(version);
  const settings = defaultSettings(options.meterIntervalMs ?? 1000, version, bidirectional);
  const profiles = new ProfileStore(boundsOf(options, cars.length));
  const reservations = new Reservations();
  const localList = new LocalList();
  const wiring = wiringOf(options);
  // The sockets answer with the handlers, which reach all that is made below.
  let handlers: Readonly<Record<string, CallHandler>> = {};
  const sockets = new SocketMaker({
    ...options,
    endpoint: options.url,
    behaviour,
    clock,
    signal,
    record,
    handlers: () => handlers,
    onEvent,
  });

  const uplink = new Uplink({
    clock,
    log,
    random: createRng(1).fork(identity).next,
    open: () => sockets.make(),
    boot: async (call) => {
      const answer = await dialect.boot(call, identity);
      if (answer.status === "Accepted" && answer.intervalMs > 0) settings.heartbeatMs = answer.intervalMs;
      onEvent({ event: "boot", status: answer.status });
      return answer;
    },
    heartbeatMs: () => settings.heartbeatMs,
    bootsItself: () => !behaviour.neverBoots,
    ready: () => {
      for (const { session } of connectors) {
        session.sendStatus();
        // A driver who waited for the link does not wait for the next look of the charger at itself as well.
        session.tick();
      }
      void tellSecurityEvent();
    },
    down: ({ wasUp, ...about }) =>
      onEvent(wasUp ? { event: "disconnected", reason: about.reason } : { event: "dialFailed", ...about }),
  });

  const connectorsInUse = () => Math.max(1, connectors.filter(({ path }) => path.closed).length);
  const connectorAt = (id: number, ownCar: typeof car): Connector => {
    const path = new EnergyPath({
      clock,
      car: ownCar,
      wiring,
      profiles: () => heeded(profiles.applyingTo(id), behaviour, clock.now()),
      offlineMs: () => uplink.offlineMs,
      connectorsInUse,
      mayDischarge: () => session.transaction?.mayDischarge === true,
      spoil: (limit, chargingForMs) => spoilt(limit, behaviour, wiring, chargingForMs),
      phaseSwitchMs,
    });
    const shared = { version, clock, log, dialect, uplink, profiles, settings, reservations, localList, onEvent };
    const session = new ChargingSession({ ...shared, connectorId: id, path, bidirectional, behaviour });
    return { id, path, session };
  };
  const connectors: readonly [Connector, ...Connector[]] = [
    connectorAt(1, car),
    ...otherCars.map((other, index) => connectorAt(index + 2, other)),
  ];

  async function tellSecurityEvent(): Promise<void> {
    const type = behaviour.securityEvent;
    if (type === undefined) return;
    const payload = { type, timestamp: timestamp(clock.now()) };
    await connectors[0].session.note({ action: "SecurityEventNotification", payload });
  }

  const controls = createControls({
    version,
    identity,
    clock,
    log,
    signal,
    behaviour,
    settings,
    dialect,
    profiles,
    connectors,
    connectorsInUse,
    bidirectional,
    reservations,
    localList,
    uplink,
    onEvent,
    restart,
  });
  handlers = dialect.handlers(controls);

  const dynamic = new DynamicProfiles({
    clock,
    log,
    profiles,
    pull: (id) => pullSchedule((action, payload) => uplink.call(action, payload), id),
    update: controls.updateProfile,
  });

  const faults = new StandingFaults({
    clock,
    behaviour,
    online: () => uplink.online,
    reboot: () => restart("power-loss"),
    install: (profile) => profiles.put(profile),
    foreignPlace: {
      stackLevel: MAX_STACK_LEVEL,
      unit: profiles.bounds.units[0] ?? "A",
      wattsPerAmp: wiring.voltageV * wiring.phases,
    },
    postBacklog: (beganMs) => {
      const { idTag = DEFAULT_ID_TAG } = options;
      const sample = connectors[0].path.sample();
      for (const message of backlog({ dialect, settings, idTag, nowMs: clock.now(), beganMs, sample })) {
        uplink.post(message);
      }
    },
    socket: () => uplink.socket,
    openSecond: () => sockets.make(),
    greet: (socket) => dialect.boot((action, payload) => socket.call(action, payload), identity),
  });

  return { dialect, settings, profiles, dynamic, reservations, uplink, connectors, faults };
}

function boundsOf(options: ChargerSimulatorOptions, connectors: number): ProfileBounds {
  const { current = "AC", phases } = options;
  return {
    units: options.rateUnits ?? (current === "DC" ? ["W"] : ["A", "W"]),
    maxStackLevel: MAX_STACK_LEVEL,
    maxPeriods: 24,
    maxProfiles: 10,
    connectors,
    current,
    phases: current === "DC" ? 1 : phases,
    switchesPhases: current === "AC" && phases === 3 && options.switchesPhases !== false,
  };
}

function wiringOf({ current = "AC", phases, maxA, voltageV }: ChargerSimulatorOptions): Wiring {
  return current === "DC"
    ? { phases: 1, maxA, voltageV: voltageV ?? 400, current }
    : { phases, maxA, voltageV: voltageV ?? 230 };
}
