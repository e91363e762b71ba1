import { z } from "zod";

const topic = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^#+]+$/, "must be one topic, without + and #");

/** The config of `setpointd relay`. */
export const relayConfig = z.strictObject({
  http: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: z.int().min(0).max(65_535).default(9090),
      path: z.string().startsWith("/", 'must start with "/", for example "/beckn"').default("/beckn"),
    })
    .prefault({})
    .describe("where the market POSTs: {path}/{site}/{action}"),
  broker: z.strictObject({
    url: z
      .string()
      .regex(/^(mqtt|mqtts|ws|wss):\/\//, "must be an MQTT URL, for example mqtts://broker.example.org:8883"),
    protocolVersion: z
      .union([z.literal(4), z.literal(5)])
      .default(5)
      .describe("5, or 4 for a broker that knows 3.1.1 only: then messages do not expire in it"),
    clientId: z.string().min(1).max(128).optional(),
    username: z.string().optional(),
    passwordFile: z.string().optional(),
    caFile: z.string().optional(),
  }),
  answerTimeout: z
    .number()
    .min(0.1)
    .max(30)
    .default(4.5)
    .describe("seconds to wait for a site's answer; ONIX waits 5 for ours"),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") }).prefault({}),
  sites: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[A-Za-z0-9._-]{1,64}$/, "must be 1 to 64 letters, digits, dots, dashes or underscores"),
        topicIn: topic.describe("the site's market.mqtt.topicIn"),
        topicOut: topic.describe("the site's market.mqtt.topicOut"),
      }),
    )
    .min(1)
    .max(10_000)
    .refine((sites) => new Set(sites.map((site) => site.name)).size === sites.length, "a site stands here twice")
    .refine((sites) => new Set(sites.map((site) => site.topicOut)).size === sites.length, "two sites share a topicOut"),
});

export type RelayConfig = z.infer<typeof relayConfig>;
