import { faultOption, helpOf } from "../fault-option.ts";
import { transportOptions } from "../modbus/transport.ts";
import { type SimContext, type SimOptions, seedOption } from "../sim-options.ts";
import { SUNSPEC_FAULTS } from "./sunspec-faults.ts";

const MODELS_HELP = `Models for --models, in the order of the chain, ranges allowed:
  any device           1, 201-204, 211-214; 64001 and up is a vendor's
  solar and battery    101-103, 111-113, 120-123, 160, 701-704, 714, 715
  battery              124, 713, 802
  ID:L gives a model another length than usual, for example 1:65 or 64001:20.`;

const identityOptions = [
  { flags: "--manufacturer <name>", description: "as model 1 says", defaultValue: "Simulated" },
  { flags: "--model <name>", description: "as model 1 says" },
  { flags: "--base <address>", description: "where the chain begins: 40000, 0 or 50000", defaultValue: "40000" },
] as const;

const sunOptions = [
  { flags: "--hour <hour>", description: "of the day at the start, for the sun", defaultValue: "12" },
  { flags: "--day-speed <number>", description: "hours of the sun per hour", defaultValue: "1" },
] as const;

const meterSignOption = {
  flags: "--meter-sign <sign>",
  description: "what is positive in meter models: import or export",
  defaultValue: "import",
} as const;

const batteryOptions = [
  { flags: "--soc <percent>", description: "of a battery at the start", defaultValue: "50" },
  { flags: "--capacity <kWh>", description: "of a battery; two hours at its rating unless told" },
  { flags: "--idle <kW>", description: "what a battery gives that nobody controls", defaultValue: "0.3" },
] as const;

const inverterOptions = [
  { flags: "--map <map>", description: "legacy (103/123), float (113/123) or der (701/704)", defaultValue: "legacy" },
  { flags: "--models <list>", description: "the chain of models, instead of --map; see below" },
  { flags: "--rating <kW>", description: "rated power", defaultValue: "5" },
  ...batteryOptions,
  { flags: "--no-reversion", description: "the reversion timers are not implemented" },
  meterSignOption,
  ...sunOptions,
  ...identityOptions,
  ...transportOptions,
  faultOption,
  seedOption,
] as const;

/** `setpointd sim inverter`, `battery` and `meter`. The simulators themselves are loaded when they run. */
export const inverterCommand = {
  name: "inverter",
  summary: "a SunSpec solar or battery inverter over Modbus TCP or RTU, which misbehaves if it is told to",
  example: "setpointd sim inverter --models 1,103,120-123,160 --port 5020",
  help: helpText([
    "setpointd sim inverter --models 1,103,120-123,160 --port 5020",
    "setpointd sim inverter --map der --framing rtu --port 5021 --unit 7",
    "setpointd sim inverter --pty /tmp/ttyInverter --fault late=2 --fault share=0.1",
    "setpointd sim inverter --hour 4 --day-speed 600 --fault sleeps --max-clients 1",
  ]),
  options: [{ flags: "--kind <kind>", description: "solar or battery", defaultValue: "solar" }, ...inverterOptions],
  run: async (options: SimOptions, context: SimContext) => {
    const { runInverter } = await import("./program.ts");
    await runInverter(options, context);
  },
} as const;

export const batteryCommand = {
  name: "battery",
  summary: "a SunSpec battery inverter over Modbus TCP or RTU: sim inverter --kind battery",
  example: "setpointd sim battery --models 1,701-704,713-715,802 --soc 80",
  help: helpText([
    "setpointd sim battery --models 1,701-704,713-715,802 --soc 80 --capacity 12",
    "setpointd sim battery --map legacy --fault ignores",
  ]),
  options: inverterOptions,
  run: async (options: SimOptions, context: SimContext) => {
    const { runInverter } = await import("./program.ts");
    await runInverter({ ...options, kind: "battery" }, context);
  },
} as const;

export const meterCommand = {
  name: "meter",
  summary: "a SunSpec meter at the connection of a house with a roof, over Modbus TCP or RTU",
  example: "setpointd sim meter --models 1,203 --port 5022",
  help: helpText([
    "setpointd sim meter --models 1,213 --unit 200 --base-load 1.2 --roof 8",
    "setpointd sim meter --pty --models 1,201 --fault stale",
  ]),
  options: [
    { flags: "--models <list>", description: "the chain of models; see below", defaultValue: "1,203" },
    { flags: "--base-load <kW>", description: "what the house always draws", defaultValue: "0.8" },
    { flags: "--roof <kW>", description: "rated power of its panels; 0 for none", defaultValue: "5" },
    meterSignOption,
    ...sunOptions,
    ...identityOptions,
    ...transportOptions,
    faultOption,
    seedOption,
  ],
  run: async (options: SimOptions, context: SimContext) => {
    const { runMeter } = await import("./program.ts");
    await runMeter(options, context);
  },
} as const;

function helpText(examples: readonly string[]): string {
  return `${MODELS_HELP}

Faults, for --fault NAME or --fault NAME=VALUE:
${helpOf(SUNSPEC_FAULTS)}

Examples:
${examples.map((example) => `  ${example}`).join("\n")}`;
}
