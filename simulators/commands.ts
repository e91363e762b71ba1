import { chargerCommand } from "./charger/command.ts";
import { DER_FAULTS, type DerFault } from "./der/behaviour.ts";
import { type ControlMode, DOE_BITS, MODE_BITS } from "./der/control-modes.ts";
import { DER_KINDS } from "./der/kind.ts";
import { batteryCommand, inverterCommand, meterCommand } from "./inverter/command.ts";
import { modbusCommand } from "./modbus/command.ts";
import {
  numberOf,
  oneOf,
  optionalNumberOf,
  type SimContext,
  type SimOptions,
  seedOption,
  textOf,
  wrong,
} from "./sim-options.ts";

const CONTROL_MODES: readonly ControlMode[] = [
  ...(Object.keys(MODE_BITS) as (keyof typeof MODE_BITS)[]),
  ...(Object.keys(DOE_BITS) as (keyof typeof DOE_BITS)[]),
  "opModStorageTargetW",
];

/** @throws CliError where it is no host and port */
function announcementFrom(options: SimOptions): { announceTo?: { host: string; port: number } } {
  if (options["announceTo"] === undefined) return {};
  const [, host = "", port = ""] = /^(.+):(\d{1,5})$/.exec(textOf(options, "announceTo")) ?? [];
  if (host === "" || Number(port) > 65_535)
    throw wrong("--announce-to must be HOST:PORT, for example 224.0.1.187:5683");
  return { announceTo: { host, port: Number(port) } };
}

/** @throws CliError for a mode that the device does not know */
function controlModesOf(list: string): ControlMode[] {
  return list.split(",").map((name) => {
    const mode = CONTROL_MODES.find((one) => one === name.trim());
    if (mode === undefined) throw wrong(`--modes knows ${CONTROL_MODES.join(", ")}, not "${name}"`);
    return mode;
  });
}

const DER_FAULT_NAMES = Object.keys(DER_FAULTS) as DerFault[];

/**
 * Each simulator as a program of its own, for `setpointd sim NAME`. Loaded only when it is called: the daemon is the same
 * program, and a gateway has little memory.
 */
export const simulatorCommands = [
  chargerCommand,
  inverterCommand,
  batteryCommand,
  meterCommand,
  modbusCommand,
  {
    name: "der",
    summary: "an IEEE 2030.5 inverter, battery or charging point that polls a server over mutual TLS",
    example: "setpointd sim der --url https://127.0.0.1:8443/dcap --cert dev.crt --key dev.key --ca ca.crt",
    options: [
      { flags: "--url <url>", description: "DeviceCapability of the server", required: true },
      { flags: "--cert <file>", description: "device certificate, PEM", required: true },
      { flags: "--key <file>", description: "its key, PEM", required: true },
      { flags: "--ca <file>", description: "authority of the server, PEM", required: true },
      {
        flags: "--kind <kind>",
        description: "solar, battery or evse (a charging point with a car)",
        defaultValue: "solar",
      },
      { flags: "--rating <kW>", description: "rated power", defaultValue: "5" },
      { flags: "--fault <name>", description: `how it misbehaves: ${DER_FAULT_NAMES.join(", ")}` },
      {
        flags: "--modes <list>",
        description:
          "what it can do, with commas between, for example opModGenLimW,opModLoadLimW; else its usual modes",
      },
      { flags: "--notify-port <port>", description: "subscribe, and listen there; 0 takes a free one" },
      seedOption,
    ],
    run: async (options: SimOptions, context: SimContext) => {
      const fault = options["fault"] === undefined ? undefined : oneOf(options, "fault", DER_FAULT_NAMES);
      const notifyPort = optionalNumberOf(options, "notifyPort", 0, 65_535);
      const modes = options["modes"] === undefined ? undefined : controlModesOf(textOf(options, "modes"));
      context.onListening(`polls ${textOf(options, "url")}`);
      const { runDerSimulator } = await import("./der/run-der-simulator.ts");
      await runDerSimulator(
        {
          url: textOf(options, "url"),
          certFile: textOf(options, "cert"),
          keyFile: textOf(options, "key"),
          caFile: textOf(options, "ca"),
          kind: oneOf(options, "kind", DER_KINDS),
          ratingKW: numberOf(options, "rating"),
          seed: numberOf(options, "seed"),
          ...(modes !== undefined && { modes }),
          ...(fault !== undefined && { fault }),
          ...(notifyPort !== undefined && { notifyPort }),
        },
        context,
      );
    },
  },
  {
    name: "utility",
    summary: "a utility's IEEE 2030.5 (CSIP, CSIP-AUS) server with a program of events",
    example: "setpointd sim utility --program program.yaml --port 8444 --cert server.crt --key server.key --ca ca.crt",
    options: [
      { flags: "--program <file>", description: "YAML: programs, their events and defaults, outages", required: true },
      { flags: "--cert <file>", description: "server certificate, PEM", required: true },
      { flags: "--key <file>", description: "its key, PEM", required: true },
      { flags: "--ca <file>", description: "authority of the clients, PEM", required: true },
      { flags: "--host <host>", description: "address to listen on", defaultValue: "127.0.0.1" },
      { flags: "--port <port>", description: "0 takes a free one", defaultValue: "8444" },
    ],
    run: async (options: SimOptions, context: SimContext) => {
      const { runUtilitySimulator } = await import("./utility/run-utility-simulator.ts");
      await runUtilitySimulator(
        {
          programFile: textOf(options, "program"),
          certFile: textOf(options, "cert"),
          keyFile: textOf(options, "key"),
          caFile: textOf(options, "ca"),
          host: textOf(options, "host"),
          port: numberOf(options, "port", 0, 65_535),
        },
        context,
      );
    },
  },
  {
    name: "coap",
    summary: "a CoAP meter, dimmable load or battery",
    example: "setpointd sim coap --kind load --port 5683",
    options: [
      {
        flags: "--kind <kind>",
        description: "load or meter (LwM2M objects), battery (JSON and CBOR), shelly-em or shelly-3em (CoIoT)",
        defaultValue: "load",
      },
      { flags: "--host <host>", description: "address to listen on", defaultValue: "127.0.0.1" },
      { flags: "--port <port>", description: "UDP; 0 takes a free one", defaultValue: "5683" },
      { flags: "--rating <kW>", description: "rated power of a load or battery", defaultValue: "3" },
      {
        flags: "--announce-to <host:port>",
        description: "where a Shelly sends its status unasked, for example 224.0.1.187:5683 or the gateway",
      },
      seedOption,
    ],
    run: async (options: SimOptions, context: SimContext) => {
      const { runCoapSimulator } = await import("./coap/run-coap-simulator.ts");
      await runCoapSimulator(
        {
          kind: oneOf(options, "kind", ["load", "meter", "battery", "shelly-em", "shelly-3em"]),
          host: textOf(options, "host"),
          port: numberOf(options, "port", 0, 65_535),
          ratingKW: numberOf(options, "rating", 0.1, 1000),
          seed: numberOf(options, "seed"),
          ...announcementFrom(options),
        },
        { ...context, onListening: ({ host, port }) => context.onListening(`coap://${host}:${port}`) },
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
    run: async (options: SimOptions, context: SimContext) => {
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
