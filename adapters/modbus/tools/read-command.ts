import { type AdapterCommand, OperationError } from "../../kind.ts";
import type { Space } from "../link/modbus-link.ts";
import { addressCells, addressFrom, hexOf } from "./address.ts";
import { openBus, operationErrorFrom } from "./field-bus.ts";
import { BUS_OPTIONS, numberOption, oneOf, TARGET_ARGUMENT, targetFrom, UNIT_OPTION } from "./target.ts";
import { decodedValue, ORDERS, sizeOf, VALUE_TYPES } from "./value-type.ts";

const SPACES: readonly Space[] = ["holding", "input", "coil", "discrete"];
const MOST_VALUES = 1000;

export const VALUE_OPTIONS: NonNullable<AdapterCommand["options"]> = [
  { flags: "--type <type>", description: `type of the values: ${VALUE_TYPES.join(", ")}`, defaultValue: "u16" },
  {
    flags: "--order <order>",
    description: `byte order: ${ORDERS.join(", ")} (CDAB: low register first)`,
    defaultValue: "ABCD",
  },
  { flags: "--base <base>", description: "0 or 1: how your manual counts addresses", defaultValue: "0" },
];

/** `setpointd modbus read`: what stands in registers, coils or inputs. */
export const readCommand: AdapterCommand = {
  name: "read",
  summary: "read registers, coils or inputs; addresses are shown counted from 0 and from 1",
  examples: [
    "modbus read 192.168.1.50 40000 4 --unit 126",
    "modbus read /dev/ttyUSB0 0x34 --space input --type f32",
    "modbus read roof 40233 --type i16 --config site.yaml",
  ],
  arguments: [
    TARGET_ARGUMENT,
    { name: "<address>", description: "first address, decimal or 0x..." },
    { name: "[count]", description: "how many values; default 1" },
  ],
  options: [
    UNIT_OPTION,
    { flags: "--space <space>", description: `table: ${SPACES.join(", ")}`, defaultValue: "holding" },
    ...VALUE_OPTIONS,
    { flags: "--scale <factor>", description: "what a value is multiplied with, for example 0.1" },
    ...BUS_OPTIONS,
  ],
  needs: "either",
  waitMs: 60_000,
  run: async ({ args, options }, context) => {
    const space = oneOf("--space", options["space"], SPACES);
    const isBits = space === "coil" || space === "discrete";
    const type = oneOf("--type", options["type"], VALUE_TYPES);
    const order = oneOf("--order", options["order"], ORDERS);
    const scale = scaleFrom(options["scale"]);
    const address = addressFrom(args[1] ?? "", options["base"]);
    const count = numberOption("count", args[2], 1, MOST_VALUES) ?? 1;
    const target = targetFrom(args[0] ?? "", options, context);
    const size = isBits ? 1 : sizeOf(type);

    await using bus = await openBus(target.endpoint, target, context);
    const registers = await bus.read(target.unit, space, address, count * size).catch((error: unknown) => {
      throw operationErrorFrom(error, `read of ${count * size} at ${address} (unit ${target.unit}, ${space})`);
    });
    const values = Array.from({ length: count }, (_, index) => {
      const raw = registers.slice(index * size, (index + 1) * size);
      const value = isBits ? (raw[0] ?? 0) : decodedValue(raw, type, order);
      return { address: address + index * size, raw, value: scaled(value, scale) };
    });
    return {
      json: { schemaVersion: 1, bus: bus.name, through: bus.through, unit: target.unit, space, type, order, values },
      table: {
        heading: ["FROM 0", "FROM 1", "RAW", "VALUE"],
        rows: values.map(({ address: at, raw, value }) => [...addressCells(at), hexOf(raw), String(value)]),
      },
    };
  },
};

function scaleFrom(text: string | boolean | undefined): number | undefined {
  if (text === undefined) return undefined;
  const scale = Number(text);
  if (typeof text !== "string" || text.trim() === "" || !Number.isFinite(scale) || scale === 0) {
    throw new OperationError("invalid", `--scale must be a number other than 0, got "${text}"`);
  }
  return scale;
}

/** Long whole numbers stay exact, as text, since JSON has no room for them. */
function scaled(value: number | bigint, scale: number | undefined): number | string {
  const isExact = typeof value === "number" || (value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER);
  if (!isExact && scale === undefined) return String(value);
  const number = Number(value) * (scale ?? 1);
  if (!Number.isFinite(number)) return String(number);
  // Without the tail of a binary fraction: 0.1 times 3 is 0.3 here.
  return scale === undefined ? number : Number(number.toPrecision(12));
}
