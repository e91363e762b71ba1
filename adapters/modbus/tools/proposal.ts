import { stringify } from "yaml";
import type { ResourceKind } from "../../../src/model/resource.ts";
import type { Endpoint } from "../link/endpoint.ts";
import { KIND_OF } from "../profile/profile-of-device.ts";
import type { FoundUnit, LikelyProfile } from "./scan.ts";

const INVERTERS = new Set([101, 102, 103, 111, 112, 113, 701]);
const METERS = new Set([201, 202, 203, 204, 211, 212, 213, 214]);
/** State of charge and the like; 124 alone also stands in inverters without a battery. */
const BATTERIES = new Set([713, 802, 803]);
const CONTROLS = [704, 123, 124];

/** What a unit probably is, and the lines for it in the config. */
export interface Proposal {
  readonly what: string;
  /** The device's part, as it would stand in the config; absent where nothing can be said. */
  readonly device?: ProposedDevice;
}

interface ProposedDevice {
  readonly era: string;
  readonly kind: ResourceKind;
  readonly modbus: Readonly<Record<string, unknown>>;
}

/** Made from what a scan saw; a person looks at it before it goes into a config. */
export function proposalFor({ unit, sunspec, profiles = [] }: FoundUnit, endpoint: Endpoint): Proposal {
  if (sunspec === undefined) return proposalByProfiles(unit, profiles, endpoint);
  const has = (ids: ReadonlySet<number>) => sunspec.models.some((id) => ids.has(id));
  const control = CONTROLS.find((id) => sunspec.models.includes(id));
  const isBattery = has(BATTERIES);
  const controlled = control === undefined ? "measured only" : `controlled by ${control}`;
  const era = eraOf([sunspec.vendor, sunspec.model, sunspec.serial], unit);
  const modbus = { ...placeOf(endpoint), ...(unit !== 1 && { unit }) };
  if (isBattery)
    return {
      what: `SunSpec battery, ${controlled}`,
      device: { era, kind: "battery", modbus: { ...modbus, profile: "sunspec-storage" } },
    };
  if (has(INVERTERS))
    return {
      what: `SunSpec inverter, ${controlled}`,
      device: { era, kind: "solar", modbus: { ...modbus, profile: "sunspec-inverter" } },
    };
  if (!has(METERS)) return { what: "SunSpec, without a model that measures power" };
  return { what: "SunSpec meter", device: { era, kind: "load", modbus: { ...modbus, profile: "sunspec-meter" } } };
}

function proposalByProfiles(unit: number, profiles: readonly LikelyProfile[], endpoint: Endpoint): Proposal {
  const [first, ...others] = profiles;
  if (first === undefined) return { what: "answers, is like no profile: needs one of your own (profileFile)" };
  const titles = profiles.map(({ title }) => title).join(", or ");
  const what = `looks like ${titles}${others.length > 0 ? ": see its name plate" : ""}`;
  const modbus = { ...placeOf(endpoint), ...(unit !== 1 && { unit }), profile: first.id };
  return { what, device: { era: eraOf([first.id], unit), kind: KIND_OF[first.kind], modbus } };
}

/** The lines for a config; empty where nothing is proposed. */
export function configLines(proposals: readonly Proposal[]): string {
  const devices = proposals.flatMap(({ device }) => (device === undefined ? [] : [device]));
  const lines = devices.flatMap(({ era, kind, modbus }) => [
    `  - era: ${stringify(era).trim()}`,
    `    kind: ${kind}`,
    `    modbus: ${stringify(modbus, { collectionStyle: "flow", lineWidth: 0 }).trim()}`,
  ]);
  return lines.length === 0 ? "" : ["devices:", ...lines].join("\n");
}

function placeOf(endpoint: Endpoint): Readonly<Record<string, unknown>> {
  if ("serial" in endpoint) {
    const { path, baudRate, parity, stopBits } = endpoint.serial;
    return { serial: { path, baudRate, parity, stopBits } };
  }
  const { host, port, framing } = endpoint;
  return { host, ...(port !== 502 && { port }), ...(framing === "rtu" && { framing }) };
}

function eraOf(parts: readonly string[], unit: number): string {
  const slug = parts
    .map((part) =>
      part
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-+|-+$/g, ""),
    )
    .filter((part) => part !== "")
    .join("-");
  return slug === "" ? `unit-${unit}` : slug;
}
