import { type AdapterCommand, OperationError } from "../../kind.ts";
import type { Space } from "../link/modbus-link.ts";
import type { RegisterRange } from "../link/register-range.ts";
import { type DumpedRun, dumpSpace, dumpText, type RegisterDump, sunspecRanges, writeDump } from "./dump.ts";
import { type FieldBus, openBus, operationErrorFrom } from "./field-bus.ts";
import { BUS_OPTIONS, oneOf, TARGET_ARGUMENT, targetFrom, UNIT_OPTION } from "./target.ts";

const SPACES: readonly Space[] = ["holding", "input", "coil", "discrete"];

/** `setpointd modbus dump`: what a device shows, as a file for `profile test` and for a simulator. */
export const dumpCommand: AdapterCommand = {
  name: "dump",
  summary: "write a device's registers to a file; without --range the whole SunSpec map; writes nothing to the device",
  examples: [
    "modbus dump 192.168.1.50 --unit 126 -o inverter.json",
    "modbus dump /dev/ttyUSB0 --space input --range 0-399 -o meter.json",
  ],
  arguments: [TARGET_ARGUMENT],
  options: [
    { flags: "-o, --output <file>", description: "where to; default: standard output" },
    UNIT_OPTION,
    { flags: "--range <list>", description: "addresses counted from 0, for example 0-199,1000-1010" },
    { flags: "--space <list>", description: `tables: ${SPACES.join(", ")}, with commas`, defaultValue: "holding" },
    ...BUS_OPTIONS,
  ],
  needs: "either",
  waitMs: 60_000,
  run: async ({ args, options }, context) => {
    const target = targetFrom(args[0] ?? "", options, context);
    const spaces = String(options["space"] ?? "holding")
      .split(",")
      .map((word) => oneOf("--space", word.trim(), SPACES));
    const asked = rangesFrom(options["range"]);
    if (asked === undefined && spaces.some((space) => space !== "holding")) {
      throw new OperationError("invalid", "a SunSpec map is in the holding registers; say --range for other tables");
    }
    await using bus = await openBus(target.endpoint, target, context);
    const { unit } = target;
    const dumped: Partial<Record<Space, readonly DumpedRun[]>> = {};
    try {
      const ranges = asked ?? (await mapOf(bus, unit));
      const total = ranges.reduce((sum, { count }) => sum + count, 0);
      for (const space of spaces) {
        dumped[space] = await dumpSpace(bus, unit, space, ranges, (done) => {
          context.progress(`unit ${unit}, ${space}: ${done} of ${total}`);
        });
      }
    } catch (error) {
      throw operationErrorFrom(error, `dump of unit ${unit} at ${bus.name}`);
    }
    const takenAt = new Date(context.clock.now()).toISOString();
    const dump: RegisterDump = { format: "setpointd-register-dump-1", unit, takenAt, spaces: dumped };
    const file = options["output"];
    if (typeof file === "string") await writeDump(file, dump);
    const counts = countsOf(dump);
    return {
      json: typeof file === "string" ? { schemaVersion: 1, file, ...counts } : dump,
      text:
        typeof file === "string"
          ? `${counts.readable} registers, ${counts.unreadable} not readable, in ${file}`
          : dumpText(dump),
    };
  },
};

async function mapOf(bus: FieldBus, unit: number): Promise<readonly RegisterRange[]> {
  const ranges = await sunspecRanges(bus, unit);
  if (ranges !== undefined) return ranges;
  throw new OperationError(
    "not-found",
    `unit ${unit} at ${bus.name} has no SunSpec map; say --range, for example 0-199`,
  );
}

/** @throws OperationError where it is no list of ranges */
function rangesFrom(text: string | boolean | undefined): readonly RegisterRange[] | undefined {
  if (text === undefined) return undefined;
  return String(text)
    .split(",")
    .map((part) => {
      const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
      const [from, to] = [Number(first), Number(last)];
      if (!(from <= to && to <= 0xffff)) {
        throw new OperationError(
          "invalid",
          `--range must be addresses from 0 to 65535, for example 0-199; got "${text}"`,
        );
      }
      return { address: from, count: to - from + 1 };
    })
    .sort((a, b) => a.address - b.address);
}

function countsOf({ spaces }: RegisterDump): { readable: number; unreadable: number } {
  const all = Object.values(spaces).flatMap((runs) => runs.flatMap(({ registers }) => registers));
  const unreadable = all.filter((register) => register === null).length;
  return { readable: all.length - unreadable, unreadable };
}
