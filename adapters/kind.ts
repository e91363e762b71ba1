import type { z } from "zod";
import type { Clock } from "../src/clock.ts";
import type { Log } from "../src/log.ts";
import type { Adapter } from "../src/model/adapter.ts";
import type { Era, ResourceKind } from "../src/model/resource.ts";
import type { UtilityPort } from "../src/model/utility.ts";

/**
 * Facts that an adapter needs again after a restart: what worked with a model of charger, a baseline that was read before the
 * first write. Few and small; control data and measurements have their own places.
 */
export interface AdapterMemory {
  /** The JSON value that was kept; absent if none was. Its shape is for the adapter to check. */
  get(key: string): unknown;
  /** Keys that begin with `prefix`, the one written longest ago first. */
  keys(prefix: string): readonly string[];
  /**
   * Keeps a JSON value. It can be read back at once; the promise resolves when the disk has it.
   * @throws TypeError or RangeError where the value is no JSON or too long, StoreError where the disk does not take it
   */
  set(key: string, value: unknown): Promise<void>;
  forget(key: string): Promise<void>;
}

/** What an adapter gets from outside: time, chance, the log, and a memory that outlives a restart. */
export interface AdapterContext {
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1); only for jitter. */
  readonly random: () => number;
  readonly memory: AdapterMemory;
  /** Length of a market interval; absent without a market. */
  readonly marketIntervalMs?: number;
  /** Absent where the devices are those of the config and no others. */
  readonly roster?: SiteRoster;
  /** The site as a utility sees it, for a client of its server; absent where there is no site around it. */
  readonly utility?: UtilityPort;
}

/** A device that is not in the config and is to be one of the site. */
export interface NewDevice {
  readonly era: Era;
  readonly name?: string;
  readonly kind: ResourceKind;
  /** The device's part of the config under the protocol's own name, as a person would have written it. */
  readonly part: Readonly<Record<string, unknown>>;
}

/**
 * The devices of a site, as far as an adapter may change them while it runs: each adapter its own ones, and none that the
 * config names.
 */
export interface SiteRoster {
  /** True for a device, or a group, of any protocol. */
  has(era: Era): boolean;
  /**
   * Makes it a device of the site, now and after every restart.
   * @throws OperationError where its ERA is taken or its part is not as the protocol's schema wants it
   */
  add(devices: readonly NewDevice[]): Promise<void>;
  /**
   * Takes back what `add` made.
   * @throws OperationError where one of them was not made so
   */
  remove(eras: readonly Era[]): Promise<void>;
  /** What `add` made, also before the last restart. */
  added(): readonly NewDevice[];
}

/** What the config says of a device apart from its protocol. */
export interface DeviceRole {
  readonly era: Era;
  readonly kind: ResourceKind;
}

/** A device that dialled in and is not in the config: refused, and shown to the technician. */
export interface Stranger {
  readonly identity: string;
  readonly address: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly attempts: number;
  readonly reason: string;
}

/**
 * The part of a protocol that its devices share, for example the port that chargers dial in to. Where nothing is shared
 * it only makes adapters.
 */
export interface AdapterHost<Device> extends AsyncDisposable {
  /** Opens the listener, if there is one. */
  start(signal: AbortSignal): Promise<void>;
  /** The adapter of one configured device. Called before `start`; opens nothing by itself. */
  adapter(role: DeviceRole, device: Device): Adapter;
  /** Where the listeners really are, after `start`, for example `{ ocpp: "ws://127.0.0.1:9220/ocpp" }`. */
  addresses(): Readonly<Record<string, string>>;
  /** Bounded list, newest last. */
  strangers(): readonly Stranger[];
  /** What it has counted, for Prometheus; asked when somebody looks. */
  figures?(): readonly HostFigure[];
  /** What a technician may ask of it while it runs, by name; `setpointd KIND NAME` asks through the daemon's own socket. */
  readonly operations?: Readonly<Record<string, AdapterOperation>>;
}

/** One figure with its samples. Labels come from closed lists, so that nobody outside can make new series. */
export interface HostFigure {
  /** `setpointd_KIND_...`, as Prometheus wants names. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/**
 * One thing that the running host does for a technician. Takes and gives JSON.
 * @throws OperationError when it cannot be done as asked
 */
export type AdapterOperation = (input: unknown, signal: AbortSignal) => Promise<unknown>;

/** Why an operation was not done, for the person who asked for it. */
export class OperationError extends Error {
  override readonly name = "OperationError";
  readonly reason: OperationFault;

  constructor(reason: OperationFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** `unreachable` and `refused` speak of the device, the others of what was asked. */
export type OperationFault = "invalid" | "not-found" | "unreachable" | "refused";

/** A command of the command line that belongs to one protocol: `setpointd KIND NAME`, or `setpointd GROUP NAME`. */
export interface AdapterCommand {
  /**
   * Another first word than the protocol's name, where several commands are about one thing of its own; two words for a
   * group within a group that has commands before it.
   */
  readonly group?: { readonly name: string; readonly summary: string };
  readonly name: string;
  readonly summary: string;
  /** Command lines for the help, without `setpointd`. */
  readonly examples: readonly string[];
  /** Positional arguments as commander writes them, for example `<identity>`. */
  readonly arguments?: readonly { readonly name: string; readonly description: string }[];
  readonly options?: readonly {
    readonly flags: string;
    readonly description: string;
    readonly defaultValue?: string;
  }[];
  /**
   * `daemon`: it asks the running daemon, so that the command line takes `--config FILE`. `alone`: it needs no daemon.
   * `either`: it asks the daemon where `--config FILE` names one that runs, and works alone otherwise.
   */
  readonly needs: "daemon" | "alone" | "either";
  /** Longest time that what it asks of the daemon may take, ms; 10 s unless given. */
  readonly waitMs?: number;
  /** @throws OperationError for wrong arguments */
  run(
    input: {
      readonly args: readonly string[];
      readonly options: Readonly<Record<string, string | boolean | undefined>>;
    },
    context: CommandContext,
  ): Promise<CommandResult>;
}

export interface CommandContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Asks an operation of the running host; not for a command that works alone. */
  ask(operation: string, input?: unknown): Promise<unknown>;
  /** As `ask`; nothing where no config was named, no daemon of it runs, or the daemon has no device of this protocol. */
  askIfRunning(operation: string, input?: unknown): Promise<{ readonly answer: unknown } | undefined>;
  /** This protocol's devices in the config that was named; none without one. */
  devices(): readonly ConfiguredDevice[];
  /** Tells a person at a terminal how far it is, in place of what it told before; a script reads nothing of it. */
  progress(text: string): void;
}

/** A device of the config, with its protocol's part as the schema gives it. */
export interface ConfiguredDevice {
  readonly era: Era;
  readonly name?: string;
  readonly part: unknown;
}

/** What a command prints: `json` where the person asked for JSON, else the table, or the text. */
export interface CommandResult {
  readonly json: unknown;
  readonly text?: string;
  readonly table?: { readonly heading: readonly string[]; readonly rows: readonly (readonly string[])[] };
  /** 0 unless given; docs of the exit codes are in `setpointd --help`. */
  readonly exitCode?: number;
}

/** What the config and the command line have to know of a protocol, whether or not a device speaks it. */
export interface AdapterFacts<Shared, Device> {
  /** Key in the config: top level for what is shared, and inside a device for the device's own part. */
  readonly name: string;
  /** One line for the reader of the config schema. */
  readonly title: string;
  readonly sharedSchema: z.ZodType<Shared>;
  readonly deviceSchema: z.ZodType<Device>;
  /** No device is of this protocol: its host opens as soon as its part of the config is written, and that may be absent. */
  readonly standsAlone?: boolean;
  /**
   * What is wrong with a device beside what its protocol's devices share and those before it in the config; nothing where
   * they fit. Paths of files in it are whole.
   */
  deviceFault?(shared: Shared, device: Device, before: readonly Device[], role: DeviceRole): string | undefined;
  /** Devices that nobody configured dial in and may be accepted, so that it opens without any as soon as its part is written. */
  readonly takesStrangers?: boolean;
  /** Commands of this protocol on the command line; loaded only when one is called. */
  readonly commands?: readonly AdapterCommand[];
}

/** One row of the table of adapters: the shape of its config, and how to make its host. */
export interface AdapterKind<Shared, Device> extends AdapterFacts<Shared, Device> {
  /** A promise where the protocol's own code is loaded only now. */
  createHost(shared: Shared, context: AdapterContext): AdapterHost<Device> | Promise<AdapterHost<Device>>;
}

/** A protocol whose code is there. */
export interface LoadedKind<Shared, Device> extends AdapterKind<Shared, Device> {
  createHost(shared: Shared, context: AdapterContext): AdapterHost<Device>;
}
