import { type AdapterCommand, OperationError } from "../../kind.ts";
import { openBus, operationErrorFrom } from "./field-bus.ts";
import { configLines, proposalFor } from "./proposal.ts";
import { type FoundUnit, scanUnits } from "./scan.ts";
import { BUS_OPTIONS, TARGET_ARGUMENT, targetFrom } from "./target.ts";

/** A silent id costs this long, unless --timeout says otherwise. */
const SCAN_TIMEOUT_MS = 300;
const DEVICE_UNREACHABLE = 5;

/** `setpointd modbus scan`: who is on the bus, and what would stand in the config for them. */
export const scanCommand: AdapterCommand = {
  name: "scan",
  summary: "find the units at an address or on a bus, and propose the config lines; writes nothing",
  examples: [
    "modbus scan 192.168.1.50",
    "modbus scan /dev/ttyUSB0 --baud 19200 --parity even --units 1-32",
    "modbus scan 192.168.1.50 --config site.yaml",
  ],
  arguments: [TARGET_ARGUMENT],
  options: [
    { flags: "--units <list>", description: "unit ids to ask, for example 1-10,126", defaultValue: "1-247" },
    ...BUS_OPTIONS,
  ],
  needs: "either",
  waitMs: 60_000,
  run: async ({ args, options }, context) => {
    const units = unitsFrom(String(options["units"] ?? "1-247"));
    const target = targetFrom(args[0] ?? "", options, context);
    const timeoutMs = options["timeout"] === undefined ? SCAN_TIMEOUT_MS : target.timeoutMs;
    await using bus = await openBus(target.endpoint, { ...target, timeoutMs }, context);
    const found = await scanUnits(bus, units, (done, unit, soFar) => {
      context.progress(`unit ${unit}: ${done} of ${units.length} asked, ${soFar.length} found`);
    }).catch((error: unknown) => {
      throw operationErrorFrom(error, `scan of ${bus.name}`);
    });
    const rows = [...found]
      .sort((a, b) => a.unit - b.unit)
      .map((one) => ({ ...one, proposal: proposalFor(one, target.endpoint) }));
    const lines = configLines(rows.map(({ proposal }) => proposal));
    const nobody = `nobody answers at ${bus.name} under ${units.length} unit ids within ${timeoutMs} ms`;
    return {
      json: { schemaVersion: 1, bus: bus.name, through: bus.through, units: rows, config: lines },
      ...(rows.length > 0 && {
        table: {
          heading: ["UNIT", "DEVICE", "SERIAL", "MODELS", "WHAT"],
          rows: rows.map((row) => [unitText(row), ...deviceCells(row), row.proposal.what]),
        },
      }),
      text: rows.length === 0 ? nobody : lines === "" ? "" : `\n${lines}`,
      ...(rows.length === 0 && { exitCode: DEVICE_UNREACHABLE }),
    };
  },
};

/** @throws OperationError where it is no list of unit ids */
function unitsFrom(text: string): readonly number[] {
  const units = new Set<number>();
  for (const part of text.split(",")) {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (!(from >= 1 && to <= 255 && from <= to)) {
      throw new OperationError("invalid", `--units must be ids from 1 to 255, for example 1-10,126; got "${text}"`);
    }
    for (let unit = from; unit <= to; unit++) units.add(unit);
  }
  return [...units];
}

function unitText({ unit, alsoUnits }: FoundUnit): string {
  if (alsoUnits.length === 0) return String(unit);
  return alsoUnits.length > 3 ? `${unit} and ${alsoUnits.length} more` : [unit, ...alsoUnits].join(", ");
}

function deviceCells({ sunspec, answer }: FoundUnit): readonly string[] {
  if (sunspec === undefined) return ["", "", answer];
  const { vendor, model, version, serial, models, complete } = sunspec;
  const name = [vendor, model, version].filter((part) => part !== "").join(" ");
  return [name, serial, `${models.join(" ")}${complete ? "" : " (no end mark)"}`];
}
