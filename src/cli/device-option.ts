import type { Config, DeviceConfig } from "../config/schema.ts";
import { CliError, EXIT } from "./exit-code.ts";

/** The device of the config that a person named. @throws CliError `notFound` with the names that there are */
export function deviceNamed(config: Config, name: string): DeviceConfig {
  const known = config.devices.find((one) => one.era === name || one.name === name);
  if (known !== undefined) return known;
  const names = config.devices.map((one) => one.era).join(", ");
  throw new CliError(EXIT.notFound, `there is no device "${name}"; the config has: ${names}`);
}

/** @throws CliError `usage` where it is no number */
export function numberOf(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new CliError(EXIT.usage, `${flag} must be a number, got "${text}"`);
  return value;
}
