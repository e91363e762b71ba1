import { z } from "zod";
import { ERA_PATTERN } from "../model/resource.ts";
import { type OcpiConfig, ocpiConfig } from "../ocpi/ocpi-config.ts";
import {
  type ChargingConfig,
  charging,
  currency,
  marketBidding,
  type ObjectiveConfig,
  objective,
  priceBand,
  type StorageConfig,
  storage,
  type TariffConfig,
  tariff,
} from "./bidding-schema.ts";
import { duration } from "./duration.ts";
import { isLoopback } from "./loopback.ts";
import { withPaths } from "./with-paths.ts";

/** What the config needs to know of a protocol: where its part stands and what may stand there. */
export interface ProtocolSchema {
  readonly name: string;
  readonly title: string;
  readonly sharedSchema: z.ZodType;
  readonly deviceSchema: z.ZodType;
  // biome-ignore lint/suspicious/noExplicitAny: each kind's own schema has checked its part of the config
  deviceFault?(shared: any, device: any, before: readonly any[], role: DeviceConfig): string | undefined;
}

const era = z
  .string()
  .regex(
    ERA_PATTERN,
    'must be an Energy Resource Address of letters, digits and * _ . : @ / -, for example "ev-garage"',
  )
  .describe("Energy Resource Address: the name under which the market knows this resource");

const port = z.int("must be a port from 0 to 65535, for example 9080").min(0).max(65_535);

const limit = z
  .strictObject({
    minPowerKW: z.number().max(0, "must be 0 or negative: consumption is negative, for example -7.4").optional(),
    maxPowerKW: z.number().min(0, "must be 0 or positive: generation is positive, for example 5").optional(),
  })
  .describe("bounds set by the operator, kW, generation positive");

const site = z.strictObject({
  name: z.string().min(1).max(80).default("site"),
  maxImportKW: z.number().positive().optional().describe("what the connection may draw in sum, kW"),
  maxExportKW: z.number().nonnegative().optional().describe("what the connection may feed in, kW"),
  reserveKW: z.number().nonnegative().optional().describe("load that no device here meters, kept free, kW"),
  tariff: tariff.optional(),
});

const api = z.strictObject({
  host: z.string().default("127.0.0.1"),
  port: port.default(9464).describe("health, metrics and status, read only"),
  socket: z
    .string()
    .optional()
    .describe("Unix socket for the command line; default: setpointd.sock in the data folder"),
});

const powerSign = z.enum(["export-positive", "import-positive"]);

const dialectSigns = z.strictObject({
  seed: powerSign.optional().describe("setpointKW; default export-positive"),
  branch: powerSign.optional().describe("clearedPower; default export-positive"),
  deg: z
    .enum(["reduction", "export-positive", "import-positive"])
    .optional()
    .describe(
      "CAPACITY_CLEARED; reduction (default): less consumption than the baseline, a positive magnitude; else the device's own power",
    ),
});

const market = z
  .strictObject({
    subscriberId: z.string().min(1).max(255).describe("our id on the network (bap_id)"),
    subscriberUri: z
      .url("must be a URL, for example https://relay.example.org/site-42")
      .optional()
      .describe("where the network reaches us (bap_uri); default: the webhook's own address"),
    bppId: z.string().min(1).max(255).describe("the market's id (bpp_id)"),
    bppUri: z
      .url("must be a URL, for example https://market.example.org/beckn")
      .describe("where messages to the market go"),
    domain: z.string().max(128).default("beckn.one:deg:energy-coordination:*"),
    networkId: z.string().min(1).max(255).optional().describe("name of the network, in the camel envelope"),
    currency: currency.default("INR"),
    defaultHold: duration("15m", { min: "1s", max: "24h" }).describe(
      "how long a setpoint holds if the market gives no end",
    ),
    interval: duration("15m", { min: "1s", max: "24h" }).describe("length of a market interval"),
    telemetryInterval: duration("60s", { min: "1s", max: "1h" }),
    offerTimeout: duration("15m", { min: "1s", max: "24h" }).describe(
      "how long to wait for the market's answer to a bid",
    ),
    telemetryRole: z
      .enum(["bap", "bpp"])
      .default("bap")
      .describe("bap: telemetry goes as `update`; bpp: as `on_status`"),
    mapBy: z
      .array(z.enum(["transaction", "order", "era", "meter"]))
      .min(1)
      .default(["era", "meter", "transaction", "order"])
      .describe("how a setpoint finds its resource, in this order"),
    dialect: z
      .enum(["seed", "branch", "deg"])
      .default("seed")
      .describe("what we send; what comes in is told apart by its shape"),
    sign: z
      .union([powerSign, dialectSigns])
      .default("export-positive")
      .describe(
        "what a positive power means in this market's messages: one word for powers (the seed's own rule is export-positive), or one for each dialect",
      ),
    sources: z
      .array(
        z.strictObject({
          bppId: z.string().min(1).max(255),
          sign: z.union([powerSign, dialectSigns]),
        }),
      )
      .max(100)
      .default([])
      .describe("markets whose sign differs from `sign`"),
    need: z
      .strictObject({
        resourceId: z.string().min(1).max(255).describe("the need for flexibility that is answered"),
        offerId: z.string().min(1).max(255).describe("the buyer's offer for it"),
        buyerId: z.string().min(1).max(255).optional().describe("default: bppId"),
        intervals: z.int().min(1).max(96).default(1).describe("market intervals that one bid covers"),
      })
      .optional()
      .describe("dialect deg: what our bids answer"),
    ...marketBidding,
    participate: z.boolean().default(true).describe("false: take setpoints and send telemetry, but no bids"),
    requireSignature: z.boolean().optional().describe("default: required unless webhook and broker are on loopback"),
    webhook: z
      .strictObject({
        host: z.string().default("127.0.0.1"),
        port: port.default(9080),
        path: z.string().startsWith("/", 'must start with "/", for example "/beckn"').default("/beckn"),
      })
      .optional()
      .describe("where on_confirm and the other callbacks are POSTed"),
    mqtt: z
      .strictObject({
        url: z
          .string()
          .regex(/^(mqtt|mqtts|ws|wss):\/\//, "must be an MQTT URL, for example mqtts://broker.example.org:8883"),
        topicIn: z.string().min(1).max(255),
        topicOut: z.string().min(1).max(255),
        requestTopic: z
          .string()
          .min(1)
          .max(255)
          .regex(/^[^+#]*$/, "must be one topic, without + and #")
          .optional()
          .describe("given: our messages go to the market here and not to bppUri; its answers come to topicIn"),
        username: z.string().optional(),
        passwordFile: z.string().optional(),
        caFile: z.string().optional(),
        protocolVersion: z
          .union([z.literal(4), z.literal(5)])
          .optional()
          .describe("4 for MQTT 3.1.1 (default), or 5: answers then carry the correlation data of the message"),
      })
      .refine((value) => value.requestTopic === undefined || value.protocolVersion === 5, {
        message: "must be 5 with `requestTopic`: requests over MQTT need response topics",
        path: ["protocolVersion"],
      })
      .optional()
      .describe("the same messages from a broker, for a site behind NAT"),
    trustedKeys: z
      .array(
        z.strictObject({
          subscriberId: z.string(),
          keyId: z
            .string()
            .describe("as in the signature: a name, or a registry's record such as namespace/registry/record"),
          publicKey: z.base64("must be base64 of 32 bytes").length(44, "must be base64 of 32 bytes"),
        }),
      )
      .max(1000)
      .default([])
      .describe("pinned Ed25519 keys of the market"),
    signingKey: z
      .strictObject({ keyId: z.string(), privateKeyFile: z.string().describe("base64, 32 or 64 bytes, mode 0600") })
      .optional()
      .describe("our own Ed25519 key; without it messages go out unsigned"),
  })
  .refine((value) => value.webhook !== undefined || value.mqtt !== undefined, {
    message: "needs `webhook` or `mqtt`, else no setpoint can arrive",
  })
  .refine((value) => value.requireSignature !== false || !isOpenToOthers(value), {
    message: "can be false only while the webhook and the broker are on loopback: others could command the devices",
    path: ["requireSignature"],
  })
  .refine((value) => value.dialect !== "deg" || !value.participate || value.need !== undefined, {
    message: "is needed to bid in the dialect deg, else there is nothing that a bid answers",
    path: ["need"],
  });

function isOpenToOthers(value: {
  webhook?: { host: string } | undefined;
  mqtt?: { url: string } | undefined;
}): boolean {
  const hosts = [value.webhook?.host, value.mqtt && new URL(value.mqtt.url).hostname];
  return hosts.some((host) => host !== undefined && !isLoopback(host));
}

/** The schema of one device, for the protocols that this program has. */
export function deviceSchema(protocols: readonly ProtocolSchema[]) {
  const names = protocols.map((protocol) => protocol.name);
  return z
    .strictObject({
      era,
      name: z.string().max(80).optional().describe("for people; default: the ERA"),
      kind: z.enum(["charger", "battery", "solar", "load"]),
      limit: limit.optional(),
      rampRateKWPerMin: z
        .number("must be kW per minute above 0, for example 1")
        .positive()
        .optional()
        .describe("how fast its power may grow, kW per minute: commands grow in steps, reductions go at once"),
      prices: priceBand.optional(),
      storage: storage.optional(),
      charging: charging.optional(),
      objective: objective.optional(),
      tariff: tariff.optional().describe("default: the one of the site"),
      baseKW: z
        .number("must be kW of 0 or more, for example 1.5")
        .nonnegative("must be 0 or more")
        .optional()
        .describe("what a load takes at any price, kW"),
      orders: z.array(z.string().max(255)).max(100).optional().describe("order ids that mean this device"),
      transactions: z.array(z.string().max(255)).max(100).optional().describe("transaction ids that mean this device"),
      meters: z
        .array(z.string().min(1).max(255))
        .max(100)
        .optional()
        .describe("meter and resource ids under which the market knows this device"),
      ...Object.fromEntries(
        protocols.map((protocol) => [protocol.name, protocol.deviceSchema.optional().describe(protocol.title)]),
      ),
    })
    .check((context) => {
      const given = names.filter((name) => (context.value as Record<string, unknown>)[name] !== undefined);
      if (given.length === 1) return;
      context.issues.push({
        code: "custom",
        input: context.value,
        path: [],
        message: `needs exactly one protocol of ${names.join(", ")}${given.length > 1 ? `, got ${given.join(" and ")}` : ""}`,
      });
    });
}

/**
 * The schema of the whole config, for the protocols that this program has.
 * @param folder that files which the config names are relative to
 */
export function configSchema(protocols: readonly ProtocolSchema[], folder = ".") {
  return z
    .strictObject({
      $schema: z.string().optional(),
      site: site.prefault({}),
      data: z.string().min(1).default("./data").describe("folder for the databases; relative to the config file"),
      log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") }).prefault({}),
      api: api.prefault({}),
      market: market.optional(),
      ocpi: ocpiConfig.optional(),
      ...Object.fromEntries(
        protocols.map((protocol) => [protocol.name, protocol.sharedSchema.prefault({}).describe(protocol.title)]),
      ),
      devices: z.array(deviceSchema(protocols)).max(1000).default([]),
      groups: z
        .array(
          z.strictObject({
            era,
            name: z.string().max(80).optional(),
            members: z.array(era).min(1).max(1000),
          }),
        )
        .max(100)
        .default([]),
    })
    .check((context) => {
      const issues = [
        ...crossChecks(context.value as unknown as CheckedConfig),
        ...deviceFaults(context.value as unknown as Config, protocols, folder),
      ];
      for (const { path, message } of issues) {
        context.issues.push({ code: "custom", input: context.value, path: [...path], message });
      }
    });
}

/** What only a device, the part that its protocol's devices share and the devices before it say together. */
function deviceFaults(config: Config, protocols: readonly ProtocolSchema[], folder: string) {
  return config.devices.flatMap((device, index) =>
    protocols.flatMap(({ name, deviceFault }) => {
      const part = device[name];
      if (part === undefined) return [];
      const before = config.devices.slice(0, index).flatMap((one) => (one[name] === undefined ? [] : [one[name]]));
      const message = deviceFault?.(config[name], withPaths(part, folder), before, device);
      return message === undefined ? [] : [{ path: ["devices", index, name], message }];
    }),
  );
}

interface CheckedConfig {
  readonly devices: readonly { readonly era: string; readonly meters?: readonly string[] | undefined }[];
  readonly groups: readonly { readonly era: string; readonly members: readonly string[] }[];
  readonly market?: { readonly currency: string } | undefined;
  readonly ocpi?: OcpiConfig | undefined;
}

/** What one field alone can't tell: names that are taken twice, members that don't exist. */
function crossChecks(config: CheckedConfig): { path: (string | number)[]; message: string }[] {
  const issues: { path: (string | number)[]; message: string }[] = [];
  const seen = new Set<string>();
  for (const [list, resources] of [
    ["devices", config.devices],
    ["groups", config.groups],
  ] as const) {
    for (const [index, resource] of resources.entries()) {
      if (seen.has(resource.era))
        issues.push({ path: [list, index, "era"], message: `"${resource.era}" is taken already` });
      seen.add(resource.era);
    }
  }
  const meters = new Map<string, string>();
  for (const [index, device] of config.devices.entries()) {
    for (const [place, meter] of (device.meters ?? []).entries()) {
      const owner = meters.get(meter);
      if (owner !== undefined) {
        issues.push({
          path: ["devices", index, "meters", place],
          message: `"${meter}" is the meter of "${owner}" already`,
        });
      }
      meters.set(meter, device.era);
    }
  }
  const devices = new Set(config.devices.map((device) => device.era));
  for (const [index, group] of config.groups.entries()) {
    for (const [place, member] of group.members.entries()) {
      if (!devices.has(member)) {
        issues.push({ path: ["groups", index, "members", place], message: `there is no device "${member}"` });
      }
    }
  }
  return [...issues, ...ocpiFaults(config, devices)];
}

/** Each EVSE is of one device that is there, and prices are in the market's currency. */
function ocpiFaults({ ocpi, market }: CheckedConfig, devices: ReadonlySet<string>) {
  const issues: { path: (string | number)[]; message: string }[] = [];
  const seen = new Set<string>();
  for (const [index, { era: one, uid }] of (ocpi?.location?.evses ?? []).entries()) {
    const path = ["ocpi", "location", "evses", index];
    if (!devices.has(one)) issues.push({ path: [...path, "era"], message: `there is no device "${one}"` });
    for (const [name, value] of Object.entries({ era: one, uid })) {
      if (seen.has(`${name} ${value}`)) issues.push({ path: [...path, name], message: `"${value}" is taken already` });
      seen.add(`${name} ${value}`);
    }
  }
  const currency = ocpi?.location?.tariff.currency;
  if (currency !== undefined && market !== undefined && currency !== market.currency) {
    const message = `must be the market's, ${market.currency}: a charge has one currency, and nothing is converted`;
    issues.push({ path: ["ocpi", "location", "tariff", "currency"], message });
  }
  return issues;
}

type Section<T> = T extends z.ZodType ? z.output<T> : never;

export type MarketConfig = Section<typeof market>;

export interface DeviceConfig {
  readonly era: string;
  readonly name?: string | undefined;
  readonly kind: "charger" | "battery" | "solar" | "load";
  readonly limit?: z.output<typeof limit> | undefined;
  readonly rampRateKWPerMin?: number | undefined;
  readonly prices?: z.output<typeof priceBand> | undefined;
  readonly storage?: StorageConfig | undefined;
  readonly charging?: ChargingConfig | undefined;
  readonly objective?: ObjectiveConfig | undefined;
  readonly tariff?: TariffConfig | undefined;
  readonly baseKW?: number | undefined;
  readonly orders?: readonly string[] | undefined;
  readonly transactions?: readonly string[] | undefined;
  readonly meters?: readonly string[] | undefined;
  /** The part of the one protocol that is given, under its name. */
  readonly [protocol: string]: unknown;
}

/** The config as the program uses it: all defaults filled in, durations in ms. */
export interface Config {
  readonly site: z.output<typeof site>;
  readonly data: string;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" };
  readonly api: z.output<typeof api>;
  readonly market?: MarketConfig | undefined;
  readonly ocpi?: OcpiConfig | undefined;
  readonly devices: readonly DeviceConfig[];
  readonly groups: readonly {
    readonly era: string;
    readonly name?: string | undefined;
    readonly members: readonly string[];
  }[];
  /** Names of the parts that the file has, and that are not there by their defaults alone. */
  readonly given: readonly string[];
  /** What a protocol's devices share, under its name. */
  readonly [protocol: string]: unknown;
}
