import type { Clock } from "../src/clock.ts";
import type { Log } from "../src/log.ts";

type Options = Readonly<Record<string, string | boolean | undefined>>;

interface Context {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onListening: (where: string) => void;
}

const seedOption = { flags: "--seed <number>", description: "repeat a run", defaultValue: "7" };

/**
 * Each simulator as a program of its own, for `setpointd sim NAME`. Loaded only when it is called: the daemon is the same
 * program, and a gateway has little memory.
 */
export const simulatorCommands = [
  {
    name: "charger",
    summary: "an OCPP charger with a car; dials in to a CSMS",
    example: "setpointd sim charger --url ws://127.0.0.1:9220/ocpp --identity CP-1 --ocpp 2.0.1 --phases 1",
    options: [
      { flags: "--url <url>", description: "CSMS; the identity is appended", required: true },
      { flags: "--identity <id>", description: "charge point identity", required: true },
      { flags: "--ocpp <version>", description: "1.6, 2.0.1 or 2.1", defaultValue: "1.6" },
      { flags: "--phases <number>", description: "1 or 3", defaultValue: "3" },
      { flags: "--max-a <amps>", description: "per phase", defaultValue: "16" },
      { flags: "--soc <percent>", description: "charge of the car at the start", defaultValue: "30" },
      { flags: "--capacity <kWh>", description: "of the car", defaultValue: "60" },
      { flags: "--ignores", description: "accept every profile and follow none" },
      seedOption,
    ],
    run: async (options: Options, context: Context) => {
      context.onListening(`dials ${textOf(options, "url")}/${textOf(options, "identity")}`);
      const { runChargerSimulator } = await import("./charger/index.ts");
      await runChargerSimulator(
        {
          url: textOf(options, "url"),
          identity: textOf(options, "identity"),
          version: oneOf(options, "ocpp", ["1.6", "2.0.1", "2.1"]),
          phases: oneOf(options, "phases", ["1", "3"]) === "1" ? 1 : 3,
          maxA: numberOf(options, "maxA"),
          soc: numberOf(options, "soc"),
          capacityKWh: numberOf(options, "capacity"),
          ignores: options["ignores"] === true,
          seed: numberOf(options, "seed"),
        },
        context,
      );
    },
  },
  {
    name: "inverter",
    summary: "a SunSpec solar or battery inverter on Modbus TCP",
    example: "setpointd sim inverter --kind battery --map der --port 5020",
    options: [
      { flags: "--kind <kind>", description: "solar or battery", defaultValue: "solar" },
      {
        flags: "--map <map>",
        description: "legacy (103/123), float (113/123) or der (701/704)",
        defaultValue: "legacy",
      },
      { flags: "--host <host>", description: "address to listen on", defaultValue: "127.0.0.1" },
      { flags: "--port <port>", description: "0 takes a free one", defaultValue: "5020" },
      { flags: "--unit <id>", description: "Modbus unit id", defaultValue: "1" },
      { flags: "--rating <kW>", description: "rated power", defaultValue: "5" },
      { flags: "--soc <percent>", description: "of a battery at the start", defaultValue: "50" },
      seedOption,
    ],
    run: async (options: Options, context: Context) => {
      const { runInverterSimulator } = await import("./inverter/run-inverter-simulator.ts");
      await runInverterSimulator(
        {
          kind: oneOf(options, "kind", ["solar", "battery"]),
          map: oneOf(options, "map", ["legacy", "float", "der"]),
          host: textOf(options, "host"),
          port: numberOf(options, "port"),
          unit: numberOf(options, "unit"),
          ratingKW: numberOf(options, "rating"),
          soc: numberOf(options, "soc"),
          seed: numberOf(options, "seed"),
        },
        { ...context, onListening: ({ host, port }) => context.onListening(`modbus://${host}:${port}`) },
      );
    },
  },
  {
    name: "der",
    summary: "an IEEE 2030.5 inverter that polls a server over mutual TLS",
    example: "setpointd sim der --url https://127.0.0.1:8443/dcap --cert dev.crt --key dev.key --ca ca.crt",
    options: [
      { flags: "--url <url>", description: "DeviceCapability of the server", required: true },
      { flags: "--cert <file>", description: "device certificate, PEM", required: true },
      { flags: "--key <file>", description: "its key, PEM", required: true },
      { flags: "--ca <file>", description: "authority of the server, PEM", required: true },
      { flags: "--kind <kind>", description: "solar or battery", defaultValue: "solar" },
      { flags: "--rating <kW>", description: "rated power", defaultValue: "5" },
      seedOption,
    ],
    run: async (options: Options, context: Context) => {
      context.onListening(`polls ${textOf(options, "url")}`);
      const { runDerSimulator } = await import("./der/run-der-simulator.ts");
      await runDerSimulator(
        {
          url: textOf(options, "url"),
          certFile: textOf(options, "cert"),
          keyFile: textOf(options, "key"),
          caFile: textOf(options, "ca"),
          kind: oneOf(options, "kind", ["solar", "battery"]),
          ratingKW: numberOf(options, "rating"),
          seed: numberOf(options, "seed"),
        },
        context,
      );
    },
  },
  {
    name: "market",
    summary: "a Beckn market clearing agent (BPP) that clears at each interval",
    example: "setpointd sim market --port 9081 --interval 30 --key-file market.key",
    options: [
      { flags: "--host <host>", description: "address to listen on", defaultValue: "127.0.0.1" },
      { flags: "--port <port>", description: "0 takes a free one", defaultValue: "9081" },
      { flags: "--subscriber <id>", description: "its id (bpp_id)", defaultValue: "market.example" },
      { flags: "--interval <seconds>", description: "market interval", defaultValue: "60" },
      { flags: "--currency <code>", description: "ISO 4217", defaultValue: "INR" },
      { flags: "--key-file <file>", description: "private key, base64; made if it is not there" },
      seedOption,
    ],
    run: async (options: Options, context: Context) => {
      const { runMarketSimulator } = await import("./market/run-market-simulator.ts");
      await runMarketSimulator(
        {
          host: textOf(options, "host"),
          port: numberOf(options, "port"),
          subscriberId: textOf(options, "subscriber"),
          intervalS: numberOf(options, "interval"),
          currency: textOf(options, "currency"),
          seed: numberOf(options, "seed"),
          ...(typeof options["keyFile"] === "string" && { keyFile: options["keyFile"] }),
        },
        {
          ...context,
          onListening: ({ url, subscriberId, keyId, publicKey }) =>
            context.onListening(`${url} · ${subscriberId} · key ${keyId} ${publicKey}`),
        },
      );
    },
  },
] as const;

function textOf(options: Options, name: string): string {
  const value = options[name];
  if (typeof value !== "string" || value === "") throw new TypeError(`--${name} is missing`);
  return value;
}

function numberOf(options: Options, name: string): number {
  const text = textOf(options, name);
  const value = Number(text);
  if (!Number.isFinite(value)) throw new TypeError(`--${name} must be a number, got "${text}"`);
  return value;
}

function oneOf<const T extends string>(options: Options, name: string, allowed: readonly T[]): T {
  const text = textOf(options, name);
  const found = allowed.find((candidate) => candidate === text);
  if (found === undefined) throw new TypeError(`--${name} must be one of ${allowed.join(", ")}, got "${text}"`);
  return found;
}
