import { readFileSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isMap, isSeq, parseDocument } from "yaml";
import { z } from "zod";
import { ConfigError, parseYaml } from "./load.ts";
import { type Config, type DeviceConfig, deviceSchema, type ProtocolSchema } from "./schema.ts";

const FILE = "accepted.yaml";

const HEADING = ` Devices that were accepted while the daemon ran; they belong to the site like those of its config.
 Written by the daemon. A change by hand counts from the next start; what you add to an entry is kept.`;

/** A device as a person would have written it into the config. */
export type WrittenDevice = Readonly<Record<string, unknown>> & { readonly era: string };

/**
 * The devices of a site that are not in its config file: they were accepted on the running daemon, and stand in a file of
 * the data folder that looks as `devices` of the config does. Where the config has the same ERA, the config counts.
 */
export class AcceptedDevices {
  readonly file: string;
  readonly #schema: z.ZodType<{ devices: DeviceConfig[] }>;
  #devices: readonly DeviceConfig[] = [];

  /**
   * Reads the file, if there is one.
   * @throws ConfigError
   */
  constructor(dataFolder: string, protocols: readonly ProtocolSchema[]) {
    this.file = join(dataFolder, FILE);
    this.#schema = z.strictObject({
      devices: z.array(deviceSchema(protocols)).max(1000).default([]),
    }) as unknown as z.ZodType<{ devices: DeviceConfig[] }>;
    const text = this.#text();
    if (text !== undefined) this.#devices = this.#parse(text);
  }

  get devices(): readonly DeviceConfig[] {
    return this.#devices;
  }

  /** Those that the config does not name itself. */
  beside(config: Config): readonly DeviceConfig[] {
    const taken = new Set([...config.devices, ...config.groups].map((resource) => resource.era));
    return this.#devices.filter((device) => !taken.has(device.era));
  }

  /**
   * What would be kept.
   * @throws ConfigError where it is not as the schema wants it
   */
  checked(devices: readonly WrittenDevice[]): readonly DeviceConfig[] {
    const parsed = this.#schema.safeParse({ devices });
    if (parsed.success) return parsed.data.devices;
    throw new ConfigError(
      parsed.error.issues.map((issue) => ({ file: this.file, path: issue.path.join("."), fault: issue.message })),
    );
  }

  /** Resolves when the disk has them. */
  async add(devices: readonly WrittenDevice[]): Promise<void> {
    await this.#change((document) => {
      if (!isSeq(document.get("devices"))) document.set("devices", document.createNode([]));
      const list = document.get("devices");
      if (!isSeq(list)) return;
      // One entry under the other, so that a person can write into it.
      list.flow = false;
      for (const device of devices) list.add(document.createNode(device));
    });
  }

  async remove(eras: readonly string[]): Promise<void> {
    await this.#change((document) => {
      const list = document.get("devices");
      if (!isSeq(list)) return;
      list.items = list.items.filter((item) => !(isMap(item) && eras.includes(String(item.get("era")))));
    });
  }

  /** What a person has written into the file stays as it is. */
  async #change(edit: (document: ReturnType<typeof parseDocument>) => void): Promise<void> {
    const document = parseDocument(this.#text() ?? "devices:\n");
    document.commentBefore ??= HEADING;
    edit(document);
    const text = document.toString({ lineWidth: 0 });
    const devices = this.#parse(text);
    await writeDurably(this.file, text);
    this.#devices = devices;
  }

  #parse(text: string): readonly DeviceConfig[] {
    return parseYaml(text, this.file, this.#schema).value.devices;
  }

  #text(): string | undefined {
    try {
      return readFileSync(this.file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new ConfigError([{ file: this.file, path: "", fault: String(error) }]);
    }
  }
}

/** The old file or the new one, and never half of it, also when the power goes. It holds hashes of passwords. */
async function writeDurably(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.new`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  const folder = await open(dirname(file), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
