import type { z } from "zod";
import type { Clock } from "../src/clock.ts";
import type { Log } from "../src/log.ts";
import type { Adapter } from "../src/model/adapter.ts";
import type { Era, ResourceKind } from "../src/model/resource.ts";

/** What an adapter gets from outside: time, chance and the log. */
export interface AdapterContext {
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1); only for jitter. */
  readonly random: () => number;
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
}

/** One row of the table of adapters: the shape of its config, and how to make its host. */
export interface AdapterKind<Shared, Device> {
  /** Key in the config: top level for what is shared, and inside a device for the device's own part. */
  readonly name: string;
  /** One line for the reader of the config schema. */
  readonly title: string;
  readonly sharedSchema: z.ZodType<Shared>;
  readonly deviceSchema: z.ZodType<Device>;
  createHost(shared: Shared, context: AdapterContext): AdapterHost<Device>;
}
