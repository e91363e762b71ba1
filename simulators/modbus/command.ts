import { faultOption, helpOf } from "../fault-option.ts";
import { type SimContext, type SimOptions, seedOption } from "../sim-options.ts";
import { MODBUS_FAULTS } from "./fault-list.ts";
import { transportOptions } from "./transport.ts";

/** The profile or the dump knows these better than a default. */
const OF_THE_DEVICE = ["--unit <id>", "--max-clients <number>"];

const example = "setpointd sim modbus --profile victron-gx --port 5025";

/** `setpointd sim modbus`. The simulator itself is loaded when it runs. */
export const modbusCommand = {
  name: "modbus",
  summary: "any Modbus device: the registers of a device profile with physics behind them, or of a register dump",
  example,
  help: `What it does:
  --profile  serves the points of a profile at their addresses. What the profile reads is measured on panels, a battery,
             a car or a house, and what its controls write is obeyed, with their timers and heartbeats. Read-only
             registers, other functions and parts of values are refused. A profile whose points come from SunSpec
             models runs as \`sim inverter\`, \`battery\` or \`meter\` does.
  --dump     serves the registers of a dump, and takes writes into them; nothing moves by itself.
  Writes that were taken are printed, with --json as objects with "event": "write".

Faults, for --fault NAME or --fault NAME=VALUE:
${helpOf(MODBUS_FAULTS)}

Examples:
  ${example}
  setpointd sim modbus --profile ./my-wallbox.yaml --pty /tmp/ttyWallbox --fault ignores
  setpointd sim modbus --dump inverter.json --unit 126 --json`,
  options: [
    { flags: "--profile <name|file>", description: "a profile of config/profiles, or a file" },
    { flags: "--dump <file>", description: "a register dump, as `setpointd modbus dump` writes it" },
    { flags: "--rating <kW>", description: "rated power; 11 for a charger and 5 for others unless told" },
    { flags: "--phases <number>", description: "of a device that asks: 1 or 3", defaultValue: "3" },
    { flags: "--soc <percent>", description: "of a battery or a car at the start", defaultValue: "50" },
    { flags: "--capacity <kWh>", description: "of a battery or a car" },
    { flags: "--hour <hour>", description: "of the day at the start, for the sun", defaultValue: "12" },
    { flags: "--day-speed <number>", description: "hours of the sun per hour", defaultValue: "1" },
    { flags: "--unit <id>", description: "Modbus unit id; as the profile or the dump says, else 1" },
    { flags: "--max-clients <number>", description: "one connection more is reset; as the profile says, else 4" },
    ...transportOptions.filter(({ flags }) => !OF_THE_DEVICE.includes(flags)),
    faultOption,
    seedOption,
  ],
  run: async (options: SimOptions, context: SimContext) => {
    const { runModbus } = await import("./program.ts");
    await runModbus(options, context);
  },
} as const;
