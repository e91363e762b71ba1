import { z } from "zod";
import { backoffMs, type Clock, withDeadline } from "../clock.ts";
import { isSafeUrl } from "./ocpi-config.ts";
import { type HttpAnswer, type HttpSend, sendOverHttp } from "./ocpi-http.ts";
import { nextPageUrl } from "./ocpi-paging.ts";
import { checkObject, type OcpiObject } from "./ocpi-schemas.ts";
import { ocpiTimeFromMs } from "./ocpi-time.ts";
import { authorizationOf } from "./ocpi-token.ts";
import { isSameText, type OcpiModule, type OcpiParty, type OcpiVersion } from "./ocpi-version.ts";

const REQUEST_TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_ATTEMPTS = 5;
const RETRY_BASE_MS = 1000;
const RETRY_CAP_MS = 60_000;
const MAX_PAGES = 1000;
const MAX_ENDPOINTS = 200;

/** Why a request to another party did not succeed. `refused` won't get better by asking again. */
export class OcpiClientError extends Error {
  override readonly name = "OcpiClientError";
  readonly fault: "unreachable" | "refused" | "protocol";
  /** OCPI status code, if the answer had one. */
  readonly statusCode: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    fault: "unreachable" | "refused" | "protocol",
    message: string,
    options: {
      readonly statusCode?: number | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.fault = fault;
    this.statusCode = options.statusCode;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Where the modules of a party are. */
export interface OcpiEndpoint {
  readonly identifier: string;
  readonly role: "SENDER" | "RECEIVER";
  readonly url: string;
}

export interface OcpiClientOptions {
  /** The other party's versions endpoint. */
  readonly versionsUrl: string;
  /** What we send to that party; goes into the header as base64. */
  readonly token: string;
  readonly version: OcpiVersion;
  readonly us: OcpiParty;
  /** For the routing headers; absent in a request whose receiver a hub is to find. */
  readonly them?: OcpiParty;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  /** How often a request is tried, 5 unless given. */
  readonly attempts?: number;
  readonly send?: HttpSend;
}

export interface PullOptions {
  /** Only what was updated at or after this instant, epoch ms. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Objects of a page that are asked for; the other side may give less. */
  readonly pageSize?: number;
  /** An object that is not valid; it is left out and the others are taken. */
  readonly onInvalid?: (reason: string) => void;
}

const envelope = z.looseObject({
  status_code: z.int(),
  status_message: z.string().nullish(),
  data: z.unknown().optional(),
});
const versionList = z.array(z.looseObject({ version: z.string().max(16), url: z.string().max(255) })).max(50);
const versionDetails = z.looseObject({
  endpoints: z
    .array(
      z.looseObject({
        identifier: z.string().max(64),
        role: z.enum(["SENDER", "RECEIVER"]),
        url: z.string().max(255),
      }),
    )
    .max(MAX_ENDPOINTS),
});

/** Asks another party and tells it things. Every wait ends with the signal that is passed in. */
export class OcpiClient {
  readonly #options: OcpiClientOptions;
  #endpoints: readonly OcpiEndpoint[] | undefined;

  constructor(options: OcpiClientOptions) {
    this.#options = options;
  }

  /** Which versions the other party speaks, with the address of each one's details. */
  async versions(signal: AbortSignal): Promise<readonly { readonly version: string; readonly url: string }[]> {
    const { data } = await this.#ask("GET", this.#options.versionsUrl, undefined, signal, false);
    return parsed(versionList, data, this.#options.versionsUrl);
  }

  /**
   * Where the modules of our version are; asked once and kept.
   * @throws OcpiClientError `refused` with 3002 if the other party does not speak our version
   */
  async endpoints(signal: AbortSignal): Promise<readonly OcpiEndpoint[]> {
    if (this.#endpoints !== undefined) return this.#endpoints;
    const versions = await this.versions(signal);
    const ours = versions.find(({ version }) => version === this.#options.version);
    if (ours === undefined) {
      const theirs = versions.map(({ version }) => version).join(", ");
      throw new OcpiClientError("refused", `they speak ${theirs}, not ${this.#options.version}`, { statusCode: 3002 });
    }
    const { data } = await this.#ask("GET", ours.url, undefined, signal, false);
    this.#endpoints = parsed(versionDetails, data, ours.url).endpoints;
    return this.#endpoints;
  }

  /**
   * All objects of a module, page after page.
   *
   * Pages are followed on the host of the endpoint only. A page that grows no further or an endless list is cut off
   * after 1000 pages with an error.
   */
  async *pull(module: OcpiModule, options: PullOptions, signal: AbortSignal): AsyncGenerator<OcpiObject> {
    const endpoint = await this.#endpointOf(module, "SENDER", signal);
    const first = new URL(endpoint);
    if (options.fromMs !== undefined) first.searchParams.set("date_from", ocpiTimeFromMs(options.fromMs));
    if (options.toMs !== undefined) first.searchParams.set("date_to", ocpiTimeFromMs(options.toMs));
    if (options.pageSize !== undefined) first.searchParams.set("limit", String(options.pageSize));
    let url: string | undefined = first.href;
    const seen = new Set<string>();
    while (url !== undefined) {
      if (seen.has(url) || seen.size >= MAX_PAGES) {
        throw new OcpiClientError("protocol", `${endpoint}: the pages do not come to an end`);
      }
      seen.add(url);
      const { data, answer } = await this.#ask("GET", url, undefined, signal, true);
      for (const value of parsed(z.array(z.unknown()), data, url)) {
        const object = this.#checked(module, value, options.onInvalid);
        if (object !== undefined) yield object;
      }
      url = nextPageUrl(answer.headers["link"]);
      if (url !== undefined && (!URL.canParse(url) || new URL(url).origin !== first.origin)) {
        throw new OcpiClientError("protocol", `${endpoint}: the next page is elsewhere, at ${url.slice(0, 200)}`);
      }
    }
  }

  /** Tells a location, tariff or session, new or changed. */
  async put(module: Exclude<OcpiModule, "cdrs">, object: object, signal: AbortSignal): Promise<void> {
    await this.#ask("PUT", await this.#objectUrl(module, object, signal), object, signal, true);
  }

  /** Tells a change of a session or location; `patch` has `last_updated`. Not for what must not come twice. */
  async patch(
    module: "locations" | "sessions",
    owner: OcpiParty,
    ids: readonly string[],
    patch: object,
    signal: AbortSignal,
  ): Promise<void> {
    const endpoint = await this.#endpointOf(module, "RECEIVER", signal);
    await this.#ask("PATCH", joined(endpoint, [owner.countryCode, owner.partyId, ...ids]), patch, signal, true);
  }

  async deleteTariff(owner: OcpiParty, id: string, signal: AbortSignal): Promise<void> {
    const endpoint = await this.#endpointOf("tariffs", "RECEIVER", signal);
    await this.#ask("DELETE", joined(endpoint, [owner.countryCode, owner.partyId, id]), undefined, signal, true);
  }

  /** What the other party has of ours. @returns undefined if it has nothing */
  async stored(module: Exclude<OcpiModule, "cdrs">, object: object, signal: AbortSignal): Promise<unknown> {
    const { data, answer } = await this.#ask(
      "GET",
      await this.#objectUrl(module, object, signal),
      undefined,
      signal,
      true,
      [404],
    );
    return answer.status === 404 ? undefined : data;
  }

  /**
   * Sends a CDR. After a broken connection the same one is sent again under the same id.
   * @returns where the other party keeps it, if it says so
   */
  async postCdr(cdr: object, signal: AbortSignal): Promise<string | undefined> {
    const endpoint = await this.#endpointOf("cdrs", "RECEIVER", signal);
    const { answer } = await this.#ask("POST", endpoint, cdr, signal, true);
    return answer.headers["location"];
  }

  /** The credentials module: `POST` to register, `PUT` to renew, `DELETE` to end. @returns their credentials */
  async credentials(
    method: "GET" | "POST" | "PUT" | "DELETE",
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    const endpoints = await this.endpoints(signal);
    const endpoint = endpoints.find(({ identifier }) => identifier === "credentials");
    if (endpoint === undefined) throw new OcpiClientError("protocol", "they have no credentials endpoint");
    // Not repeated: the first try may have changed the token already.
    const { data } = await this.#askOnce(method, endpoint.url, body, signal, false, []);
    return data;
  }

  #checked(module: OcpiModule, value: unknown, onInvalid: PullOptions["onInvalid"]): OcpiObject | undefined {
    try {
      return checkObject(this.#options.version, module, value);
    } catch (error) {
      // The good objects of a list are to be taken even if others are not (transport chapter, GET).
      onInvalid?.(`${module}: ${error instanceof Error ? error.message : "not valid"}`);
      return undefined;
    }
  }

  async #objectUrl(module: OcpiModule, object: object, signal: AbortSignal): Promise<string> {
    const endpoint = await this.#endpointOf(module, "RECEIVER", signal);
    const { country_code, party_id, id } = object as OcpiObject & Record<"country_code" | "party_id" | "id", unknown>;
    return joined(endpoint, [country_code, party_id, id].map(String));
  }

  async #endpointOf(module: OcpiModule, role: "SENDER" | "RECEIVER", signal: AbortSignal): Promise<string> {
    const endpoints = await this.endpoints(signal);
    const found = endpoints.find((endpoint) => isSameText(endpoint.identifier, module) && endpoint.role === role);
    if (found === undefined) throw new OcpiClientError("refused", `they have no ${role} endpoint for ${module}`);
    return found.url;
  }

  async #ask(
    method: string,
    url: string,
    body: object | undefined,
    signal: AbortSignal,
    isRouted: boolean,
    alsoFine: readonly number[] = [],
  ): Promise<{ data: unknown; answer: HttpAnswer }> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#askOnce(method, url, body, signal, isRouted, alsoFine);
      } catch (error) {
        const isLast = attempt + 1 >= (this.#options.attempts ?? MAX_ATTEMPTS);
        if (signal.aborted || isLast || !(error instanceof OcpiClientError) || error.fault !== "unreachable")
          throw error;
        const waitMs = error.retryAfterMs ?? backoffMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS, this.#options.random);
        await this.#options.clock.sleep(Math.min(waitMs, RETRY_CAP_MS), signal);
      }
    }
  }

  async #askOnce(
    method: string,
    url: string,
    body: object | undefined,
    signal: AbortSignal,
    isRouted: boolean,
    alsoFine: readonly number[],
  ): Promise<{ data: unknown; answer: HttpAnswer }> {
    const what = `${method} ${url.slice(0, 200)}`;
    if (!isSafeUrl(url))
      throw new OcpiClientError("refused", `${what}: not https, the token would travel in the clear`);
    const { clock, send = sendOverHttp } = this.#options;
    let answer: HttpAnswer;
    try {
      answer = await withDeadline(clock, REQUEST_TIMEOUT_MS, signal, (deadline) =>
        send({
          method,
          url,
          headers: this.#headers(isRouted),
          ...(body !== undefined && { body: JSON.stringify(body) }),
          maxBytes: MAX_ANSWER_BYTES,
          signal: deadline,
        }),
      );
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const reason = error instanceof Error ? error.message : String(error);
      throw new OcpiClientError("unreachable", `${what}: ${reason}`, { cause: error });
    }
    if (alsoFine.includes(answer.status)) return { data: undefined, answer };
    return { data: dataOf(answer, what), answer };
  }

  #headers(isRouted: boolean): Record<string, string> {
    const { token, us, them, newId } = this.#options;
    return {
      authorization: authorizationOf(token),
      "X-Request-ID": newId(),
      "X-Correlation-ID": newId(),
      ...(isRouted && { "OCPI-from-country-code": us.countryCode, "OCPI-from-party-id": us.partyId }),
      ...(isRouted && them && { "OCPI-to-country-code": them.countryCode, "OCPI-to-party-id": them.partyId }),
    };
  }
}

function dataOf(answer: HttpAnswer, what: string): unknown {
  const body = bodyOf(answer.text);
  const said = body?.status_message ? `: ${body.status_message.slice(0, 300)}` : "";
  const statusCode = body?.status_code;
  if (answer.status === 429 || answer.status >= 500 || (statusCode !== undefined && statusCode >= 3000)) {
    const retryAfterS = Number(answer.headers["retry-after"]);
    // 3001 to 3003 are about the connection between two parties and don't pass by waiting.
    const fault = statusCode !== undefined && statusCode > 3000 && statusCode < 4000 ? "refused" : "unreachable";
    throw new OcpiClientError(fault, `${what}: answered ${answer.status}, ${statusCode ?? "no status code"}${said}`, {
      statusCode,
      ...(Number.isFinite(retryAfterS) && retryAfterS > 0 && { retryAfterMs: retryAfterS * 1000 }),
    });
  }
  if (answer.status >= 400 || (statusCode !== undefined && statusCode >= 2000)) {
    const code = statusCode === undefined ? "" : `, status code ${statusCode}`;
    throw new OcpiClientError("refused", `${what}: answered ${answer.status}${code}${said}`, { statusCode });
  }
  if (body === undefined)
    throw new OcpiClientError("protocol", `${what}: answered ${answer.status} without an OCPI envelope`);
  return body.data;
}

function bodyOf(text: string): z.output<typeof envelope> | undefined {
  try {
    return envelope.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function parsed<T>(schema: z.ZodType<T>, data: unknown, url: string): T {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw new OcpiClientError("protocol", `${url}: ${z.prettifyError(result.error).slice(0, 300)}`);
}

/** Endpoints are given with and without a slash at the end. */
function joined(endpoint: string, ids: readonly string[]): string {
  return [endpoint.replace(/\/+$/, ""), ...ids.map(encodeURIComponent)].join("/");
}
