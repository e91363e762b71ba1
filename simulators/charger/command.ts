import { readFileSync } from "node:fs";
import { faultOption, faultsGiven } from "../fault-option.ts";
import {
  numberOf,
  oneOf,
  optionalNumberOf,
  type SimContext,
  type SimOptions,
  seedOption,
  textOf,
  wholeOf,
  wrong,
} from "../sim-options.ts";
import { GOOD_BEHAVIOUR } from "./behaviour.ts";
import { eventLine } from "./event-line.ts";
import { faultsHelp, withFaults } from "./faults/fault-list.ts";
import type { ChargerProgramOptions } from "./index.ts";
import { present } from "./link/wire-time.ts";
import { OCPP_VERSIONS } from "./ocpp-version.ts";

const example = "setpointd sim charger --url ws://127.0.0.1:9220/ocpp --identity CP-1 --ocpp 2.0.1 --phases 1";

const help = `What it does:
  Dials in, boots, plugs its cars in, starts a transaction at each, sends meter values, and follows the charging
  profiles it gets, for ever or for --for seconds. It checks every message against the schemas of its version and
  refuses what a careful charger refuses. All times in seconds, powers in kW; in --json positive power is generation.

Faults, for --fault NAME or --fault NAME=VALUE:
${faultsHelp()}

Examples:
  ${example}
  setpointd sim charger --url ws://127.0.0.1:9220/ocpp --identity V2G --ocpp 2.1 --discharge-kw 10 --depart-in 28800
  setpointd sim charger --url ws://127.0.0.1:9220/ocpp --identity OLD --fault ignores --fault meter=no-unit
  setpointd sim charger --url wss://csms.example.org/ocpp --identity CP-9 --ca ca.pem --password-file cp-9.password
  setpointd sim charger --url ws://127.0.0.1:9220/ocpp --identity CP --count 500 --meter-interval 10 --for 60 --json

Exit codes:
  0 the CSMS accepted every charger, or the run was interrupted · 1 the CSMS sent what breaks the schema
  2 wrong use · 4 the CSMS refused a login · 5 a charger never reached the CSMS · 6 the CSMS accepted no boot
  1, 4, 5 and 6 only with --for.`;

/** `setpointd sim charger`. The simulator itself is loaded when it runs. */
export const chargerCommand = {
  name: "charger",
  summary: "a strict OCPP charger with cars; dials in to a CSMS, and misbehaves if it is told to",
  example,
  help,
  options: [
    { flags: "--url <url>", description: "CSMS, ws: or wss:; the identity is appended", required: true },
    { flags: "--identity <id>", description: "charge point identity", required: true },
    { flags: "--ocpp <version>", description: "1.6, 2.0.1 or 2.1", defaultValue: "1.6" },
    { flags: "--phases <number>", description: "1 or 3", defaultValue: "3" },
    { flags: "--max-a <amps>", description: "what the cable carries, per phase", defaultValue: "16" },
    { flags: "--dc", description: "a DC outlet at 400 V: takes watts, no phases, and has no least current" },
    { flags: "--connectors <number>", description: "outlets, with a car at each", defaultValue: "1" },
    { flags: "--fixed-phases", description: "it cannot go from three phases to one" },
    { flags: "--phase-switch <seconds>", description: "how long it pauses when it does", defaultValue: "0" },
    { flags: "--soc <percent>", description: "charge of the car at the start", defaultValue: "30" },
    { flags: "--capacity <kWh>", description: "of the car", defaultValue: "60" },
    { flags: "--discharge-kw <kW>", description: "the car gives back so much at most (OCPP 2.1)", defaultValue: "0" },
    { flags: "--reserve <percent>", description: "the car gives nothing back below", defaultValue: "20" },
    { flags: "--depart-in <seconds>", description: "when the driver wants to leave" },
    { flags: "--target <percent>", description: "charge that the driver wants by then", defaultValue: "80" },
    { flags: "--id-tag <tag>", description: "the driver", defaultValue: "04A1B2C3" },
    { flags: "--meter-interval <seconds>", description: "until the CSMS sets another", defaultValue: "1" },
    {
      flags: "--password-file <file>",
      description: "Basic login; the bytes of the file, without a newline at the end",
    },
    { flags: "--ca <file>", description: "authority of the CSMS, PEM" },
    { flags: "--cert <file>", description: "certificate of the charger for mutual TLS, PEM" },
    { flags: "--key <file>", description: "its key, PEM" },
    faultOption,
    { flags: "--ignores", description: "the same as --fault ignores" },
    { flags: "--count <number>", description: "so many chargers, IDENTITY-1 and so on", defaultValue: "1" },
    { flags: "--for <seconds>", description: "end by itself, with an exit code that says how it went" },
    seedOption,
  ],
  run: async (options: SimOptions, context: SimContext): Promise<number> => {
    const program = programOptions(options);
    const { count = 1, identity, url } = program;
    context.onListening(`dials ${url}/${count === 1 ? identity : `${identity}-1 to ${identity}-${count}`}`);
    const { runChargerSimulator } = await import("./index.ts");
    return await runChargerSimulator(program, {
      ...context,
      onEvent: (event) => context.onEvent({ ...event }, eventLine(event)),
    });
  },
};

function programOptions(options: SimOptions): ChargerProgramOptions {
  const dc = options["dc"] === true;
  const forS = optionalNumberOf(options, "for", 0, 31_536_000);
  const departInS = optionalNumberOf(options, "departIn", 0, 31_536_000);
  return {
    url: textOf(options, "url").replace(/\/+$/, ""),
    identity: textOf(options, "identity"),
    version: oneOf(options, "ocpp", OCPP_VERSIONS),
    phases: dc || oneOf(options, "phases", ["1", "3"]) === "1" ? 1 : 3,
    maxA: numberOf(options, "maxA", 0, 1000),
    current: dc ? "DC" : "AC",
    connectors: wholeOf(options, "connectors", 1, 20),
    switchesPhases: options["fixedPhases"] !== true,
    phaseSwitchMs: 1000 * numberOf(options, "phaseSwitch", 0, 600),
    soc: numberOf(options, "soc", 0, 100),
    capacityKWh: numberOf(options, "capacity", 1, 2000),
    dischargeKW: numberOf(options, "dischargeKw", 0, 1000),
    reservePercent: numberOf(options, "reserve", 0, 100),
    targetPercent: numberOf(options, "target", 0, 100),
    idTag: textOf(options, "idTag"),
    meterIntervalMs: 1000 * numberOf(options, "meterInterval", 0, 86_400),
    behaviour: behaviourOf(options),
    count: wholeOf(options, "count", 1, 20_000),
    seed: numberOf(options, "seed"),
    ...present("forMs", forS === undefined ? undefined : forS * 1000),
    ...present("departureInMs", departInS === undefined ? undefined : departInS * 1000),
    ...present("password", passwordOf(options)),
    ...present("ca", fileOf(options, "ca")?.toString()),
    ...present("cert", fileOf(options, "cert")?.toString()),
    ...present("key", fileOf(options, "key")?.toString()),
  };
}

function behaviourOf(options: SimOptions): ChargerProgramOptions["behaviour"] & object {
  return faultsGiven(options["fault"], (faults) =>
    withFaults(GOOD_BEHAVIOUR, options["ignores"] === true ? ["ignores", ...faults] : faults),
  );
}

/** A password may be any bytes, so it is no text here. */
function passwordOf(options: SimOptions): Uint8Array | undefined {
  const bytes = fileOf(options, "passwordFile");
  return bytes?.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

function fileOf(options: SimOptions, name: string): Buffer | undefined {
  if (options[name] === undefined) return undefined;
  const file = textOf(options, name);
  try {
    return readFileSync(file);
  } catch (error) {
    throw wrong(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
