import type { AdapterCommand, CommandContext } from "../../kind.ts";
import { OperationError } from "../../kind.ts";
import { endpointOf, type ModbusDevice } from "../config.ts";
import { settingsOf } from "../device-settings.ts";
import { type Endpoint, endpointName } from "../link/endpoint.ts";
import { profileOf } from "../profile/profile-of-device.ts";

type Options = Readonly<Record<string, string | boolean | undefined>>;

/** Where a tool is pointed at. */
export interface Target {
  readonly endpoint: Endpoint;
  readonly unit: number;
  readonly timeoutMs: number;
  readonly gapMs: number;
}

export const TARGET_ARGUMENT = {
  name: "<target>",
  description:
    "HOST[:PORT], rtu://HOST:PORT (serial frames through TCP), a serial port such as /dev/ttyUSB0, or a device of the config",
} as const;

/** Options that all tools share. */
export const BUS_OPTIONS: NonNullable<AdapterCommand["options"]> = [
  { flags: "--timeout <ms>", description: "longest wait for one answer" },
  { flags: "--baud <rate>", description: "speed of a serial port", defaultValue: "9600" },
  { flags: "--parity <parity>", description: "none, even or odd", defaultValue: "none" },
  { flags: "--stop-bits <count>", description: "1 or 2", defaultValue: "1" },
];

export const UNIT_OPTION = {
  flags: "--unit <id>",
  description: "unit id, 1 to 255; default: that of the config, else 1",
} as const;

const DEFAULT_PORT = 502;
const DEFAULT_TIMEOUT_MS = 1000;

/** @throws OperationError that says what can't be understood */
export function targetFrom(text: string, options: Options, context: CommandContext): Target {
  const unit = numberOption("--unit", options["unit"], 1, 255);
  const timeoutMs = numberOption("--timeout", options["timeout"], 10, 30_000);
  const device = context.devices().find(({ era, name }) => era === text || name === text)?.part as
    | ModbusDevice
    | undefined;
  if (device !== undefined) {
    const settings = settingsOf(device, profileOf(device));
    return {
      endpoint: endpointOf(settings),
      unit: unit ?? settings.unit,
      timeoutMs: timeoutMs ?? settings.timeoutMs,
      gapMs: settings.gapMs,
    };
  }
  const written = endpointFrom(text, options);
  // A device of the config at the same place knows how the bus is set up, and how it wants to be treated.
  const neighbour = context
    .devices()
    .map(({ part }) => part as ModbusDevice)
    .find((one) => endpointName(endpointOf(one)) === endpointName(written));
  return {
    endpoint: neighbour === undefined ? written : endpointOf(neighbour),
    unit: unit ?? 1,
    timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    gapMs: neighbour?.gapMs ?? 0,
  };
}

function endpointFrom(text: string, options: Options): Endpoint {
  if (/^(\/|\.\.?\/|COM\d+$)/i.test(text)) {
    return {
      serial: {
        path: text,
        baudRate: numberOption("--baud", options["baud"], 300, 3_000_000) ?? 9600,
        parity: oneOf("--parity", options["parity"], ["none", "even", "odd"]),
        stopBits: Number(oneOf("--stop-bits", options["stopBits"], ["1", "2"])) as 1 | 2,
      },
    };
  }
  const [, scheme, rest = ""] = /^(?:(tcp|rtu):\/\/)?(.*)$/.exec(text) ?? [];
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:/[\]\s]+))(?::(\d+))?$/.exec(rest) ?? [];
  const host = bracketed ?? plain;
  const port = portText === undefined ? DEFAULT_PORT : Number(portText);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new OperationError(
      "invalid",
      `"${text}" is no HOST[:PORT], rtu://HOST:PORT or serial port such as /dev/ttyUSB0, and no device of a config (--config)`,
    );
  }
  return { host, port, framing: scheme === "rtu" ? "rtu" : "tcp" };
}

/** @throws OperationError where it is no whole number in the range */
export function numberOption(
  flag: string,
  text: string | boolean | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = typeof text === "string" && /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value < least || value > most) {
    throw new OperationError("invalid", `${flag} must be a whole number from ${least} to ${most}, got "${text}"`);
  }
  return value;
}

/** @throws OperationError with the words that may stand there */
export function oneOf<T extends string>(flag: string, text: string | boolean | undefined, words: readonly T[]): T {
  const [first] = words;
  if (text === undefined && first !== undefined) return first;
  const found = words.find((word) => word === text);
  if (found === undefined) throw new OperationError("invalid", `${flag} must be ${words.join(", ")}; got "${text}"`);
  return found;
}
