import { chargerCommand } from "./charger/command.ts";
import { numberOf, oneOf, type SimContext, type SimOptions, seedOption, textOf } from "./sim-options.ts";

/**
 * Each simulator as a program of its own, for `setpointd sim NAME`. Loaded only when it is called: the daemon is the same
 * program, and a gateway has little memory.
 */
export const simulatorCommands = [
  chargerCommand,
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
    run: async (options: SimOptions, context: SimContext) => {
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
    run: async (options: SimOptions, context: SimContext) => {
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
