import { AskedProgram } from "../bench/asked-program.ts";
import { FuzzCampaign, type FuzzSender, SILENT_MS } from "./campaign.ts";
import { type Chance, chanceOf } from "./chance.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import type { Outcome } from "./outcome.ts";
import { type FuzzDevice, Sep2Device, type Sep2Input } from "./sep2-device.ts";
import {
  DEVICE_DOCUMENTS,
  DEVICE_LFDI,
  type DeviceDocument,
  EVENT_MRID,
  RECORD_DOCUMENTS,
  ROW_DOCUMENTS,
  USAGE_POINT,
} from "./sep2-documents.ts";
import { shownText } from "./shown-text.ts";
import { mutateXml } from "./xml-mutation.ts";

const DEVICES = 8;
const LOOK_EVERY = 50;
/** More than any row of a device holds. */
const LONGEST_ROW = 64;

const TYPES = ["application/sep+xml; level=-S1", "text/xml; charset=utf-16", "application/sep-exi", "", "x/y"] as const;
const QUERIES = [
  "?s=-1",
  "?s=0&l=99999999999999999999",
  "?a=NaN&l=1",
  "/../..",
  "/%00",
  "/",
  "%zz",
  "?".repeat(500),
] as const;

/** Documents of devices, right and wrong, to the real 2030.5 server over mutual TLS. */
export const sep2Target: FuzzTarget = {
  name: "2030.5",
  title: "documents of devices, to the IEEE 2030.5 server over mutual TLS",
  run: async (options) => {
    const { seed } = options;
    await using subject = await AskedProgram.start("fuzz/sep2-subject.js", [String(DEVICES)], ["--expose-gc"]);
    await using control = await AskedProgram.start("bench/ocpp-server.js", ["floor"]);
    const url = await subject.ask<string>("url");
    const devices = await subject.ask<FuzzDevice[]>("devices");
    const statuses = new Map<number, number>();
    let senders = 0;
    return await new FuzzCampaign(options, {
      name: sep2Target.name,
      subject,
      control,
      sender: () => {
        const device = devices[senders++ % devices.length];
        if (device === undefined) throw new Error("the subject has no devices");
        return new DocumentSender(new Sep2Device(url, device), seed, statuses);
      },
      settle: async () => {
        for (const device of devices) await new DocumentSender(new Sep2Device(url, device), seed, statuses).settle();
      },
      shown: (index) => shown(seed, index),
      figures: () => Object.fromEntries([...statuses].sort().map(([status, count]) => [`status_${status}`, count])),
    }).run();
  },
};

/** Sends as one device; looks now and then which events and usage points it has, so that some inputs are about them. */
class DocumentSender implements FuzzSender {
  readonly #device: Sep2Device;
  readonly #seed: number;
  readonly #statuses: Map<number, number>;
  #sent = 0;
  #mRID = EVENT_MRID;
  #usagePoint = "1";

  constructor(device: Sep2Device, seed: number, statuses: Map<number, number>) {
    this.#device = device;
    this.#seed = seed;
    this.#statuses = statuses;
  }

  async send(index: number, withinMs: number): Promise<Outcome> {
    if (this.#sent++ % LOOK_EVERY === 0) await this.#look();
    const { method, path, headers, bytes } = inputOf(this.#seed, index);
    const wanted = { method, path: this.#addressOf(path), headers, bytes: this.#own(bytes) };
    const { outcome, status, location } = await this.#device.ask(wanted, withinMs);
    if (status !== undefined) this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    const made = /^\/mup\/(\d+)$/.exec(location ?? "")?.[1];
    if (made !== undefined) this.#usagePoint = made;
    return outcome;
  }

  async close(): Promise<void> {
    this.#device.close();
  }

  /** What is kept of garbled documents is of any size up to the bound: right ones in their place, or none. */
  async settle(): Promise<void> {
    await this.#look();
    for (const document of RECORD_DOCUMENTS) await this.#sendRight(document);
    for (let row = 0; row < LONGEST_ROW; row++) {
      for (const document of ROW_DOCUMENTS) await this.#sendRight(document);
    }
    for (const list of ["/mup?l=255", `/edev/${this.#device.device.number}/sub?l=255`]) {
      const { body } = await this.#device.ask(get(list), SILENT_MS);
      for (const [, path = ""] of body.matchAll(/<(?:MirrorUsagePoint|Subscription) [^>]*href="([^"]+)"/g)) {
        await this.#device.ask({ ...get(path), method: "DELETE" }, SILENT_MS);
      }
    }
    this.#device.close();
  }

  async #sendRight({ method, path, xml }: DeviceDocument): Promise<void> {
    const headers = { "content-type": "application/sep+xml" };
    await this.#device.ask(
      { method, path: this.#addressOf(path), headers, bytes: this.#own(Buffer.from(xml)) },
      SILENT_MS,
    );
  }

  #addressOf(path: string): string {
    return path.replace("{n}", String(this.#device.device.number)).replace("{mup}", this.#usagePoint);
  }

  #own(bytes: Buffer): Buffer {
    return filled(bytes, { [EVENT_MRID]: this.#mRID, [DEVICE_LFDI]: this.#device.device.lfdi });
  }

  async #look(): Promise<void> {
    const { body } = await this.#device.ask(get(`/edev/${this.#device.device.number}/derp/1/derc?l=10`), SILENT_MS);
    const mRIDs = [...body.matchAll(/<mRID>(\w{32})<\/mRID>/g)];
    this.#mRID = mRIDs.at(-1)?.[1] ?? EVENT_MRID;
    await this.#sendRight(USAGE_POINT);
    const list = await this.#device.ask(get("/mup?l=1"), SILENT_MS);
    this.#usagePoint = /href="\/mup\/(\d+)"/.exec(list.body)?.[1] ?? "1";
  }
}

function get(path: string): Sep2Input {
  return { method: "GET", path, headers: {}, bytes: Buffer.alloc(0) };
}

function inputOf(seed: number, index: number): Sep2Input {
  const chance = chanceOf(seed, index);
  const { method, path, xml } = chance.pick(DEVICE_DOCUMENTS);
  const bytes = mutateXml(xml, chance);
  const odd = chance.integer(0, 39);
  return {
    method: odd === 0 ? chance.pick(["PUT", "POST", "DELETE", "PATCH", "GET"]) : method,
    path: odd === 1 ? path + chance.pick(QUERIES) : path,
    headers: headersOf(odd, bytes, chance),
    bytes,
  };
}

function headersOf(odd: number, bytes: Buffer, chance: Chance): Record<string, string> {
  return {
    "content-type": odd === 2 ? chance.pick(TYPES) : "application/sep+xml",
    ...(odd === 3 && { "content-encoding": "gzip" }),
    // A body without a length comes in chunks.
    ...(odd < 8 ? {} : { "content-length": String(bytes.length) }),
  };
}

/** Bytes with what only the sender knows; nothing else is touched, since they need not be text. */
function filled(bytes: Buffer, values: Readonly<Record<string, string>>): Buffer {
  let text = bytes.toString("latin1");
  for (const [placeholder, value] of Object.entries(values)) text = text.replaceAll(placeholder, value);
  return Buffer.from(text, "latin1");
}

function shown(seed: number, index: number): string {
  const { method, path, headers, bytes } = inputOf(seed, index);
  return `${method} ${path} ${JSON.stringify(headers)} ${shownText(bytes)}`;
}
