import { CoapError } from "../link/coap-error.ts";
import type { CoapAnswer, CoapAsker, CoapRequest } from "../link/coap-link.ts";
import { FORMAT_NUMBERS, PayloadError } from "../payload/format.ts";
import { type Payload, readPayload, valueIn } from "../payload/payload.ts";
import type { ResourceSpec } from "./point-schema.ts";
import { baseValue, exportW, type PointValue, pointValue } from "./point-value.ts";
import type { Profile } from "./profile-schema.ts";

/** Reads a device's resources by its profile, and knows what they last said. */
export class DeviceReader {
  readonly #link: CoapAsker;
  #profile: Profile;
  readonly #payloads = new Map<string, Payload>();
  /** Optional resources that the device does not have. */
  readonly #missing = new Set<string>();

  constructor(link: CoapAsker, profile: Profile) {
    this.#link = link;
    this.#profile = profile;
  }

  /** Reads by another profile from now on, and trusts nothing that was read by the one before. */
  use(profile: Profile): void {
    this.#profile = profile;
    this.forget();
  }

  /** Asks again for resources that the device did not have, and trusts nothing that it said. */
  forget(): void {
    this.#payloads.clear();
    this.#missing.clear();
  }

  isMissing(resource: string): boolean {
    return this.#missing.has(resource);
  }

  /** Reads the resources that carry these points. @throws CoapError */
  async readPoints(names: Iterable<string>, signal: AbortSignal): Promise<void> {
    const resources = [...names].map((name) => this.#profile.points[name]?.resource);
    await this.readResources(
      resources.filter((name): name is string => name !== undefined),
      signal,
    );
  }

  /** @throws CoapError */
  async readResources(names: Iterable<string>, signal: AbortSignal): Promise<void> {
    for (const name of new Set(names)) {
      const spec = this.#profile.resources[name];
      if (spec === undefined || this.#missing.has(name)) continue;
      try {
        await this.take(name, await this.#link.ask(requestFor(spec), signal));
      } catch (error) {
        this.#noteMissing(name, spec, error);
      }
    }
  }

  /** What an answer or a notification says. @throws CoapError `protocol` where it is not as the profile says */
  async take(name: string, answer: CoapAnswer): Promise<void> {
    const spec = this.#profile.resources[name];
    if (spec === undefined) return;
    const { contentFormat, payload } = answer;
    const wanted = FORMAT_NUMBERS[spec.format];
    if (contentFormat !== undefined && contentFormat !== wanted) {
      const fault = `GET ${spec.path}: answered in content-format ${contentFormat}, and ${spec.format} (${wanted}) was expected`;
      throw new CoapError("protocol", fault);
    }
    try {
      this.#payloads.set(name, await readPayload(spec.format, payload));
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      throw new CoapError("protocol", `GET ${spec.path}: ${error.message}`, { cause: error });
    }
  }

  /** The present value of a point in its unit; undefined where the device has none. */
  look(name: string): PointValue | undefined {
    const spec = this.#profile.points[name];
    const payload = spec && this.#payloads.get(spec.resource);
    return payload === undefined
      ? undefined
      : pointValue(spec as NonNullable<typeof spec>, valueIn(payload, spec ?? {}));
  }

  /** The same in W, Wh, V, A, Hz, % or °C. */
  base(name: string): number | undefined {
    const spec = this.#profile.points[name];
    return spec && baseValue(spec, this.look(name));
  }

  /** A power in W, export positive. */
  exportW(name: string): number | undefined {
    const spec = this.#profile.points[name];
    return spec && exportW(spec, this.look(name));
  }

  #noteMissing(name: string, spec: ResourceSpec, error: unknown): void {
    const isMissing = error instanceof CoapError && (error.code === "4.04" || error.code === "4.05");
    if (!isMissing) throw error;
    this.#payloads.delete(name);
    if (!spec.optional) throw new CoapError("protocol", `${error.message}; the profile says that it is there`);
    this.#missing.add(name);
  }
}

/** What asks for a resource. */
export function requestFor({ path, query, format, accept }: ResourceSpec): CoapRequest {
  return {
    method: "GET",
    path,
    ...(query.length > 0 ? { query } : {}),
    ...(accept ? { accept: FORMAT_NUMBERS[format] } : {}),
  };
}
