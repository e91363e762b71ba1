import type { AdapterKind } from "../../adapters/kind.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Scenario, ScenarioHost } from "./scenario-parts.ts";

/** An adapter kind whose config types are its own business. */
// biome-ignore lint/suspicious/noExplicitAny: the config schema has checked what goes into it
export type AnyAdapterKind = AdapterKind<any, any>;

/** What a stand-alone simulator gets from the command line. */
export interface SimulatorContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Says where the simulator listens, once it does. */
  readonly onListening: (where: string) => void;
  /** Tells one thing that happened: an object as data, and a line for people, or nothing where that would be too much. */
  readonly onEvent: (event: Readonly<Record<string, unknown>>, line: string | undefined) => void;
}

/** A simulator as a program of its own: its options on the command line, and how it runs until the signal aborts. */
export interface SimulatorCommand {
  readonly name: string;
  readonly summary: string;
  readonly example: string;
  /** What the help says after the options; absent for the example alone. */
  readonly help?: string;
  readonly options: readonly {
    readonly flags: string;
    readonly description: string;
    readonly defaultValue?: string;
    readonly required?: boolean;
    /** May be given several times; what is given then is a list. */
    readonly repeatable?: boolean;
  }[];
  /** Resolves with the exit code where it is a number, else that is 0. @throws CliError for an option that makes no sense */
  run(options: SimulatorOptions, context: SimulatorContext): Promise<unknown>;
}

/** Options of a command line by their names in camel case. */
export type SimulatorOptions = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** Simulated devices and a market around one gateway, all on loopback. */
export interface DemoWorld extends AsyncDisposable {
  /** Config file of the gateway, written for this run. */
  readonly configFile: string;
  /** Connects the devices that dial in, now that the gateway listens. */
  connect(addresses: Readonly<Record<string, string>>): Promise<void>;
  market(): {
    readonly onConfirm: number;
    readonly acked: number;
    readonly nacked: number;
    readonly cleared: readonly { readonly price: number; readonly quantityKW: number }[];
  };
  currentPrice(): number | undefined;
}

/** What main.ts puts into the command line, since only main.ts may import adapters and simulators. */
export interface Parts {
  readonly version: string;
  readonly adapters: readonly AnyAdapterKind[];
  readonly simulators: readonly SimulatorCommand[];
  startDemoWorld(options: {
    seed: number;
    intervalMs: number;
    folder: string;
    clock: Clock;
    log: Log;
  }): Promise<DemoWorld>;
  /** The use cases; loaded when they are asked for. */
  scenarios(): Promise<readonly Scenario[]>;
  scenarioHost(): Promise<ScenarioHost>;
  /** Arguments with which this program starts itself as another process. */
  readonly self: { readonly command: string; readonly args: readonly string[] };
}
