import { AskedProgram } from "../bench/asked-program.ts";
import { FuzzCampaign, type FuzzSender, SILENT_MS } from "./campaign.ts";
import { type Chance, chanceOf } from "./chance.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import type { Outcome } from "./outcome.ts";
import { type FuzzDevice, Sep2Device, type Sep2Input } from "./sep2-device.ts";
import { DEVICE_DOCUMENTS, DEVICE_LFDI, EVENT_MRID, RECORD_DOCUMENTS, USAGE_POINT } from "./sep2-documents.ts";
import { shownText } from "./shown-text.ts";
import { mutateXml } from "./xml-mutation.ts";

const DEVICES = 8;
const LOOK_EVERY = 50;

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
        for (const device of devices) await settle(new Sep2Device(url, device));
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
    const { number, lfdi } = this.#device.device;
    const own = filled(bytes, { [EVENT_MRID]: this.#mRID, [DEVICE_LFDI]: lfdi });
    const at = path.replace("{n}", String(number)).replace("{mup}", this.#usagePoint);
    const { outcome, status, location } = await this.#device.ask({ method, path: at, headers, bytes: own }, withinMs);
    if (status !== undefined) this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    const made = /^\/mup\/(\d+)$/.exec(location ?? "")?.[1];
    if (made !== undefined) this.#usagePoint = made;
    return outcome;
  }

  async close(): Promise<void> {
    this.#device.close();
  }

  async #look(): Promise<void> {
    const { body } = await this.#device.ask(get(`/edev/${this.#device.device.number}/derp/1/derc?l=10`), SILENT_MS);
    const mRIDs = [...body.matchAll(/<mRID>(\w{32})<\/mRID>/g)];
    this.#mRID = mRIDs.at(-1)?.[1] ?? EVENT_MRID;
    const { lfdi } = this.#device.device;
    const bytes = filled(Buffer.from(USAGE_POINT.xml), { [DEVICE_LFDI]: lfdi });
    await this.#device.ask(
      { method: "POST", path: USAGE_POINT.path, headers: { "content-type": "application/sep+xml" }, bytes },
      SILENT_MS,
    );
    const list = await this.#device.ask(get("/mup?l=1"), SILENT_MS);
    this.#usagePoint = /href="\/mup\/(\d+)"/.exec(list.body)?.[1] ?? "1";
  }
}

/** The right record, and no usage points: what is kept of garbled ones is of any size up to the bound. */
async function settle(device: Sep2Device): Promise<void> {
  for (const { method, path, xml } of RECORD_DOCUMENTS) {
    const headers = { "content-type": "application/sep+xml" };
    await device.ask(
      { method, path: path.replace("{n}", String(device.device.number)), headers, bytes: Buffer.from(xml) },
      SILENT_MS,
    );
  }
  const { body } = await device.ask(get("/mup?l=100"), SILENT_MS);
  for (const [, path = ""] of body.matchAll(/<MirrorUsagePoint href="([^"]+)"/g)) {
    await device.ask({ ...get(path), method: "DELETE" }, SILENT_MS);
  }
  device.close();
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
