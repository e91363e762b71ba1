import type { OcppDevice } from "../config.ts";
import type { Dialect, Request } from "../messages/dialect.ts";
import { type ConnectorRating, importKWFrom, possibleImportKW, wireLimit } from "./import-limit.ts";
import type { Way } from "./way.ts";

export type VendorVia = Exclude<Way["via"], "profile">;

/** A limit in a vendor's own form. It has no end: the charger keeps it until it is told another. */
export interface VendorOrder {
  readonly request: (dialect: Dialect) => Request;
  /** kW of import that it stands for, after the vendor's own rounding. */
  readonly importKW: number;
  /** For a person. */
  readonly text: string;
}

/** Names that a template may hold, each with how it is made of a limit. All powers are rounded down. */
const POWERS: Readonly<Record<string, (limit: Powers) => number>> = {
  A: ({ amps }) => Math.floor(amps + 1e-6),
  "A.1": ({ amps }) => amps,
  mA: ({ amps }) => Math.round(amps * 1000),
  W: ({ watts }) => watts,
  kW: ({ watts }) => Math.floor(watts / 100 + 1e-6) / 10,
};

interface Powers {
  readonly amps: number;
  readonly watts: number;
}

const PLACEHOLDER = /\{(A\.1|A|mA|W|kW|phases|connector|identity)\}/g;

/** True for a template that says a power somewhere. */
export function namesPower(template: string): boolean {
  return [...template.matchAll(PLACEHOLDER)].some(([, name = ""]) => Object.hasOwn(POWERS, name));
}

/** The vendor's ways that are configured, in the order in which they are tried. */
export function vendorWaysOf(device: OcppDevice): readonly VendorVia[] {
  const { changeConfiguration, dataTransfer } = device.vendor ?? {};
  return [
    ...(changeConfiguration === undefined ? [] : (["changeConfiguration"] as const)),
    ...(dataTransfer === undefined ? [] : (["dataTransfer"] as const)),
  ];
}

/** True where the order names the connector, so that it cannot bind its neighbours. */
export function namesConnector(device: OcppDevice, via: VendorVia): boolean {
  const { changeConfiguration, dataTransfer } = device.vendor ?? {};
  const text = via === "changeConfiguration" ? changeConfiguration?.key : JSON.stringify(dataTransfer);
  return text?.includes("{connector}") ?? false;
}

/** @throws Error when the way is not configured, which is a slip of ours */
export function vendorOrder(
  via: VendorVia,
  device: OcppDevice,
  importKW: number,
  rating: ConnectorRating,
): VendorOrder {
  const powers = {
    amps: wireLimit(importKW, rating, "A").value,
    watts: wireLimit(importKW, rating, "W").value,
  };
  const fill = (template: string) =>
    template.replace(PLACEHOLDER, (_all, name: string) => {
      if (name === "phases") return String(rating.phases);
      if (name === "connector") return String(device.connector);
      return name === "identity" ? device.identity : String(POWERS[name]?.(powers) ?? "");
    });
  if (via === "changeConfiguration" && device.vendor?.changeConfiguration !== undefined) {
    const { key, unit } = device.vendor.changeConfiguration;
    const name = fill(key);
    const value = fill(`{${unit}}`);
    return {
      request: (dialect) => dialect.change(name, value),
      importKW: impliedKW(`{${unit}}`, powers, rating),
      text: `ChangeConfiguration ${name}=${value}`,
    };
  }
  if (via === "dataTransfer" && device.vendor?.dataTransfer !== undefined) {
    const { vendorId, messageId, data } = device.vendor.dataTransfer;
    const filled = fill(data);
    return {
      request: (dialect) => dialect.dataTransfer(vendorId, messageId, filled),
      importKW: impliedKW(data, powers, rating),
      text: `DataTransfer ${[vendorId, messageId].filter((part) => part !== undefined).join(" ")} ${filled}`,
    };
  }
  throw new Error(`${via} is not configured for ${device.identity}`);
}

/** kW of import that the first power of a template stands for; nothing that is below the least makes a car charge. */
function impliedKW(template: string, powers: Powers, rating: ConnectorRating): number {
  const name = [...template.matchAll(PLACEHOLDER)]
    .map(([, found = ""]) => found)
    .find((one) => Object.hasOwn(POWERS, one));
  const said = name === undefined ? 0 : (POWERS[name]?.(powers) ?? 0);
  if (name === "W") return said / 1000;
  if (name === "kW") return said;
  const limit = { unit: "A", value: name === "mA" ? said / 1000 : said } as const;
  return possibleImportKW(importKWFrom(limit, rating), { ...rating, belowMin: "pause" });
}
