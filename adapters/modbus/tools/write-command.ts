import { type AdapterCommand, OperationError } from "../../kind.ts";
import { ModbusError } from "../link/modbus-error.ts";
import { addressCells, addressFrom, hexOf } from "./address.ts";
import { type FieldBus, openBus, operationErrorFrom } from "./field-bus.ts";
import { VALUE_OPTIONS } from "./read-command.ts";
import { BUS_OPTIONS, oneOf, TARGET_ARGUMENT, targetFrom, UNIT_OPTION } from "./target.ts";
import { decodedValue, ORDERS, registersFor, sizeOf, VALUE_TYPES } from "./value-type.ts";

const USAGE = 2;
const NOT_EFFECTIVE = 7;

/** `setpointd modbus write`: shows what stands there, writes only with --yes, and reads back. */
export const writeCommand: AdapterCommand = {
  name: "write",
  summary: "write holding registers or coils; without --yes it only shows what would be written",
  examples: [
    "modbus write 192.168.1.50 40242 5000 --unit 126",
    "modbus write roof 0x9C4A -2500 --type i32 --order CDAB --yes --config site.yaml",
  ],
  arguments: [
    TARGET_ARGUMENT,
    { name: "<address>", description: "first address, decimal or 0x..." },
    { name: "<values...>", description: "one or more values, next to each other; coils are 0 and 1" },
  ],
  options: [
    { flags: "--yes", description: "really write" },
    UNIT_OPTION,
    { flags: "--space <space>", description: "table: holding, coil", defaultValue: "holding" },
    ...VALUE_OPTIONS,
    { flags: "--fc <function>", description: "6 or 16; default: 16, and 6 for a single register where 16 is refused" },
    ...BUS_OPTIONS,
  ],
  needs: "either",
  waitMs: 60_000,
  run: async ({ args, options }, context) => {
    const space = oneOf("--space", options["space"], ["holding", "coil"]);
    const type = oneOf("--type", options["type"], VALUE_TYPES);
    const order = oneOf("--order", options["order"], ORDERS);
    const fc = options["fc"] === undefined ? undefined : (Number(oneOf("--fc", options["fc"], ["6", "16"])) as 6 | 16);
    const [where = "", at = "", ...texts] = args;
    const address = addressFrom(at, options["base"]);
    const values = space === "coil" ? texts.map(coilFrom) : texts.flatMap((text) => registersFor(text, type, order));
    const target = targetFrom(where, options, context);
    const size = space === "coil" ? 1 : sizeOf(type);

    await using bus = await openBus(target.endpoint, target, context);
    const doing = `write of ${values.length} at ${address} (unit ${target.unit}, ${space})`;
    const before = await seen(bus, target.unit, space, address, values.length);
    if (options["yes"] === true) {
      await bus.write(target.unit, space, address, values, { fc, mayTear: size === 1 }).catch((error: unknown) => {
        throw operationErrorFrom(error, doing);
      });
    }
    const now = options["yes"] === true ? await seen(bus, target.unit, space, address, values.length) : undefined;
    const shown = (registers: readonly number[] | undefined, index: number) => {
      const raw = registers?.slice(index * size, (index + 1) * size);
      if (raw === undefined) return "not readable";
      return space === "coil" ? String(raw[0]) : `${hexOf(raw)} = ${decodedValue(raw, type, order)}`;
    };
    const rows = texts.map((_, index) => [
      ...addressCells(address + index * size),
      shown(before, index),
      shown(values, index),
      ...(options["yes"] === true ? [shown(now, index)] : []),
    ]);
    const isThere = now?.every((register, index) => register === values[index]);
    return {
      json: {
        schemaVersion: 1,
        bus: bus.name,
        through: bus.through,
        unit: target.unit,
        space,
        address,
        before,
        values,
        written: options["yes"] === true,
        now,
      },
      table: {
        heading: [
          "FROM 0",
          "FROM 1",
          "BEFORE",
          ...(options["yes"] === true ? ["WRITTEN", "NOW"] : ["WOULD BE WRITTEN"]),
        ],
        rows,
      },
      ...outcome(options["yes"] === true, isThere),
    };
  },
};

function outcome(isWritten: boolean, isThere: boolean | undefined): { text: string; exitCode: number } {
  if (!isWritten) return { text: "nothing was written; say --yes to write it", exitCode: USAGE };
  if (isThere === undefined) return { text: "the device accepted it and does not let it be read back", exitCode: 0 };
  if (isThere) return { text: "the device accepted it, and it reads back", exitCode: 0 };
  return { text: "the device accepted it, and something else stands there", exitCode: NOT_EFFECTIVE };
}

/** What stands there; nothing where a register can only be written. */
async function seen(
  bus: FieldBus,
  unit: number,
  space: "holding" | "coil",
  address: number,
  count: number,
): Promise<readonly number[] | undefined> {
  try {
    return await bus.read(unit, space, address, count);
  } catch (error) {
    if (error instanceof ModbusError && error.fault === "exception" && (error.code ?? 0) <= 4) return undefined;
    throw operationErrorFrom(error, `read of ${count} at ${address} (unit ${unit}, ${space})`);
  }
}

function coilFrom(text: string): number {
  if (text !== "0" && text !== "1") throw new OperationError("invalid", `a coil is 0 or 1, got "${text}"`);
  return Number(text);
}
