import { randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { MemoryOcpiStore } from "../../src/ocpi/memory-ocpi-store.ts";
import { OcpiClient } from "../../src/ocpi/ocpi-client.ts";
import { type OcpiConfig, ocpiConfig } from "../../src/ocpi/ocpi-config.ts";
import { OcpiServer } from "../../src/ocpi/ocpi-server.ts";
import type { OcpiStore } from "../../src/ocpi/ocpi-store.ts";
import { authorizationOf } from "../../src/ocpi/ocpi-token.ts";
import type { OcpiVersion } from "../../src/ocpi/ocpi-version.ts";
import type { OcpiChange } from "../../src/ocpi/received-objects.ts";

/** Tokens of the two peers of the bench. */
export const EMSP_TOKEN = "emsp-token-0123456789";
export const CPO_TOKEN = "cpo-token-0123456789+/";

/** Our party is IN*ECO; peers are an eMSP NL*EMP and an operator BE*BEC. */
export function benchConfig(changes: object = {}): OcpiConfig {
  return ocpiConfig.parse({
    port: 0,
    countryCode: "IN",
    partyId: "ECO",
    roles: ["CPO", "EMSP"],
    peers: [
      { name: "emsp", token: EMSP_TOKEN, parties: [{ countryCode: "NL", partyId: "EMP", role: "EMSP" }] },
      { name: "cpo", token: CPO_TOKEN, parties: [{ countryCode: "BE", partyId: "BEC", role: "CPO" }] },
    ],
    ...changes,
  });
}

/** A running server with what it was told, and how to reach it. */
export interface OcpiBench extends AsyncDisposable {
  readonly server: OcpiServer;
  readonly store: OcpiStore;
  readonly changes: OcpiChange[];
  readonly versionsUrl: string;
  client(token: string, version: OcpiVersion, party?: { countryCode: string; partyId: string }): OcpiClient;
  ask(method: string, path: string, options?: AskOptions): Promise<Answered>;
}

interface AskOptions {
  readonly token?: string;
  readonly authorization?: string;
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Record<string, string>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly json: { data?: unknown; status_code?: number; status_message?: string; timestamp?: string };
}

export async function openBench(
  options: { config?: OcpiConfig; store?: OcpiStore; clock?: Clock } = {},
): Promise<OcpiBench> {
  const config = options.config ?? benchConfig();
  const store = options.store ?? new MemoryOcpiStore();
  const changes: OcpiChange[] = [];
  const parts = { clock: options.clock ?? systemClock, random: () => 0.5, newId: () => randomUUID() };
  const server = new OcpiServer({
    ...parts,
    config,
    store,
    log: silentLog,
    changed: (change) => changes.push(change),
  });
  const { port, versionsUrl } = await server.start(new AbortController().signal);
  return {
    server,
    store,
    changes,
    versionsUrl,
    client: (token, version, us = { countryCode: "BE", partyId: "BEC" }) =>
      new OcpiClient({ ...parts, versionsUrl, token, version, us, them: { countryCode: "IN", partyId: "ECO" } }),
    ask: (method, path, asked = {}) => ask(port, method, path, asked),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A request by hand, with nothing of the client that is under test. */
function ask(port: number, method: string, path: string, options: AskOptions): Promise<Answered> {
  const text = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const authorization = options.authorization ?? (options.token && authorizationOf(options.token));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        agent: false,
        headers: {
          ...(authorization && { authorization }),
          ...(text !== undefined && {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(text),
          }),
          ...options.headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const json = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Answered["json"];
          resolve({ status: response.statusCode ?? 0, headers: response.headers, json });
        });
      },
    );
    request.on("error", reject);
    request.end(text);
  });
}
