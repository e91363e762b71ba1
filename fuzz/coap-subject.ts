import { setMaxListeners } from "node:events";
import { CoapHost } from "../adapters/coap/coap-host.ts";
import { coap } from "../adapters/coap/index.ts";
import { CoapError } from "../adapters/coap/link/coap-error.ts";
import { type CoapAnswer, CoapLink } from "../adapters/coap/link/coap-link.ts";
import { parseLinkFormat } from "../adapters/coap/link/link-format.ts";
import { FORMAT_NUMBERS, type Format, LINK_FORMAT, PayloadError } from "../adapters/coap/payload/format.ts";
import { readPayload, type ValuePlace, valueIn } from "../adapters/coap/payload/payload.ts";
import { pointSchema } from "../adapters/coap/profile/point-schema.ts";
import { baseValue, pointValue } from "../adapters/coap/profile/point-value.ts";
import type { AdapterMemory } from "../adapters/kind.ts";
import { answerQuestions } from "../bench/asked-program.ts";
import { silentLog } from "../src/log.ts";
import { DeviceError } from "../src/model/adapter.ts";
import type { Reading } from "../src/model/reading.ts";
import { type CoapAsk, type CoapOutcome, digestOf } from "./coap-truth.ts";
import { hastyClock } from "./hasty-clock.ts";
import { heapInUse } from "./heap-in-use.ts";

// The link and the adapter in a process of their own: a crash is seen from outside, and the memory is their own.

const clock = hastyClock(Number(process.argv[2]));
const deadlineMs = Number(process.argv[3]);
const BLOCK_BYTES = 64;
const DEVICE_PATIENCE_MS = 20_000;
/** How long notifications are listened to. */
const LISTEN_MS = 400;

const links = new Map<number, CoapLink>();
const forever = new AbortController().signal;
setMaxListeners(0, forever);

/** How the value of each resource is found. */
const PLACES: Readonly<Record<string, { readonly format: Format } & ValuePlace>> = {
  "/v/text": { format: "text" },
  "/v/json": { format: "json", at: "/meter/v" },
  "/v/rows": { format: "json", row: { list: "/G", where: { "1": 9999 }, take: "2" } },
  "/v/senml-json": { format: "senml-json", at: "urn:v" },
  "/v/cbor": { format: "cbor", at: "/meter/v" },
  "/v/senml-cbor": { format: "senml-cbor", at: "urn:v" },
};
const point = pointSchema().parse({ resource: "any", unit: "kW", sign: "generation" });

async function carriedOut(link: CoapLink, ask: CoapAsk): Promise<CoapOutcome> {
  if (ask.kind === "write") {
    await link.ask({ method: "PUT", path: ask.path, contentFormat: 0, payload: Buffer.from(ask.payload) }, forever);
    return { kind: "written" };
  }
  const { path, value, padding } = ask;
  const format = PLACES[path]?.format;
  const accept = format === undefined ? LINK_FORMAT : FORMAT_NUMBERS[format];
  const request = { method: "GET", path, query: [`v=${value}/${padding}`], accept } as const;
  if (ask.kind === "read") return readFrom(path, await link.ask(request, forever));
  const told: CoapAnswer[] = [];
  const observer = { onNotification: (answer: CoapAnswer) => void told.push(answer), onEnd: () => {} };
  const { answer, isObserved, stop } = await link.observe(request, observer, forever);
  if (isObserved) await clock.sleep(LISTEN_MS);
  stop();
  // Their payloads may be anything; what matters is that they are read to an end.
  for (const each of told) await readFrom(path, each);
  return await readFrom(path, answer);
}

async function readFrom(path: string, { payload }: CoapAnswer): Promise<CoapOutcome> {
  const digest = digestOf(payload);
  const place = PLACES[path];
  try {
    if (place === undefined) {
      parseLinkFormat(payload.toString("utf8"));
      return { kind: "read", digest };
    }
    const value = pointValue(point, valueIn(await readPayload(place.format, payload), place));
    // The unit makes W of kW; a number that grows beyond all numbers by that is none.
    const base = baseValue(point, value);
    return { kind: "read", digest, ...(base === undefined ? {} : { value: base / 1000 }) };
  } catch (error) {
    if (!(error instanceof PayloadError || error instanceof SyntaxError)) throw error;
    return { kind: "read", digest, fault: error.message };
  }
}

function failed(error: unknown): CoapOutcome {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const fault = error instanceof CoapError || error instanceof DeviceError ? error.fault : undefined;
  return fault === undefined ? { kind: "error", message } : { kind: "error", fault, message };
}

/** Keeps baselines as long as the device is in hand. */
function memoryOfOne(): AdapterMemory {
  const kept = new Map<string, unknown>();
  return {
    get: (key) => kept.get(key),
    keys: () => [...kept.keys()],
    set: async (key, value) => void kept.set(key, value),
    forget: async (key) => void kept.delete(key),
  };
}

/** Starts the whole adapter on a device, takes its first reading, tells it a power and takes that back. */
async function tryDevice({
  port,
  profile,
}: {
  port: number;
  profile: string;
}): Promise<{ reading?: Reading } | CoapOutcome> {
  const stop = new AbortController();
  const host = new CoapHost({}, { clock, log: silentLog, random: Math.random, memory: memoryOfOne() });
  const config = coap.deviceSchema.parse({ profile, host: "127.0.0.1", port, deadlineMs, pollMs: 1000, ratingKW: 3 });
  const adapter = host.adapter({ era: "fuzz", kind: "battery" }, config);
  const giveUp = clock.sleep(DEVICE_PATIENCE_MS, stop.signal).then(
    () => stop.abort(new DeviceError("timeout", "fuzz", "nothing was read in time")),
    () => {},
  );
  try {
    await adapter.start(stop.signal);
    const target = { setpointId: "1", powerKW: -1, untilMs: clock.now() + 60_000 };
    await adapter.apply(target, stop.signal).catch(allowed);
    await adapter.release(stop.signal).catch(allowed);
    for await (const report of adapter.reports(stop.signal)) {
      if (report.kind === "reading") return { reading: report.reading };
    }
    return {};
  } catch (error) {
    return failed(error);
  } finally {
    stop.abort(new DeviceError("timeout", "fuzz", "over"));
    await giveUp;
    await host[Symbol.asyncDispose]();
  }
}

function allowed(error: unknown): void {
  if (!(error instanceof DeviceError)) throw error;
}

answerQuestions({
  open: ({ line, port }: { line: number; port: number }) => {
    links.set(line, new CoapLink({ host: "127.0.0.1", port, deadlineMs, blockBytes: BLOCK_BYTES }, clock));
    return true;
  },
  ask: async ({ line, ask }: { line: number; ask: CoapAsk }) => {
    const link = links.get(line);
    if (link === undefined) throw new Error("no link");
    return await carriedOut(link, ask).catch(failed);
  },
  device: tryDevice,
  close: () => {
    for (const link of links.values()) link.close();
    links.clear();
    return true;
  },
  heap: heapInUse,
});
