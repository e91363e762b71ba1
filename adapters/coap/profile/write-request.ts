import type { CoapRequest } from "../link/coap-link.ts";
import { FORMAT_NUMBERS } from "../payload/format.ts";
import { writePayload } from "../payload/payload.ts";
import type { PlannedWrite } from "./power-plan.ts";
import type { Profile } from "./profile-schema.ts";

/** The request that carries a planned write; undefined where the profile has no such resource. */
export async function writeRequest(
  { resource, parts }: PlannedWrite,
  { resources, points }: Profile,
): Promise<CoapRequest | undefined> {
  const spec = resources[resource];
  if (spec === undefined) return undefined;
  const { method, path, query, format } = spec;
  const payload = await writePayload(format, new Map(parts.map(({ point, raw }) => [points[point]?.at ?? "", raw])));
  const contentFormat = FORMAT_NUMBERS[format];
  return { method, path, contentFormat, payload, ...(query.length > 0 ? { query } : {}) };
}

/** The same for a person. */
export function writeText({ resource, parts }: PlannedWrite, { resources, points }: Profile): string {
  const { method = "PUT", path = resource } = resources[resource] ?? {};
  const values = parts.map(
    ({ point, value }) => `${point} ${value}${points[point]?.unit ? ` ${points[point]?.unit}` : ""}`,
  );
  return `${method} ${path} ${values.join(" ")}`;
}
