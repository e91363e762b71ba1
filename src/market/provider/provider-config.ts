import { z } from "zod";
import { duration } from "../../config/duration.ts";
import { isLoopback } from "../../config/loopback.ts";
import { curveFault } from "../../model/bid-curve.ts";
import { ERA_PATTERN } from "../../model/resource.ts";

const era = z.string().regex(ERA_PATTERN, 'must be an Energy Resource Address, for example "feeder-3"');
const price = z.number("must be a price per kWh, for example 0.12");
const magnitude = z.number("must be kW, 0 or more, for example 200").nonnegative("must be 0 or more kW");
const subscriber = z.string().min(1).max(128);
const httpUrl = z.url({
  protocol: /^https?$/,
  message: "must be an http or https URL, for example https://market.example.org/beckn",
});

const curve = z
  .strictObject({
    shape: z.enum(["LINEAR", "STEP"]).default("LINEAR"),
    points: z
      .array(z.strictObject({ price, powerKW: z.number("must be kW into the market, for example 50") }))
      .min(1)
      .max(1000),
  })
  .check((context) => {
    const points = context.value.points.map((point) => ({ pricePerKWh: point.price, powerKW: point.powerKW }));
    const fault = curveFault(points);
    if (fault === undefined) return;
    context.issues.push({ code: "custom", input: context.value, path: ["points", fault.index], message: fault.fault });
  });

const market = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code, for example "INR"')
      .default("INR"),
    sign: z
      .enum(["export-positive", "import-positive"])
      .default("export-positive")
      .describe("what a positive power means in this market's messages"),
    priceDiscovery: z
      .enum(["offerThenConfirm", "clearAtConfirm"])
      .default("offerThenConfirm")
      .describe("whether the price is found before the confirmation, or with it"),
    interval: duration("15m", { min: "1s", max: "24h" }).describe("length of a market interval"),
    gate: duration("1m", { min: "0s", max: "24h" }).describe("how long before its interval the bids are cleared"),
    confirmWithin: duration("45s", { min: "100ms", max: "24h" }).describe("how long an offer may be confirmed"),
    maxMissedOffers: z.int().min(1).max(1000).default(3),
    bidLifetime: duration("24h", { min: "1s", max: "30d" }).describe("how long a bid stands without a word"),
    maxTransactions: z.int().min(1).max(1_000_000).default(100_000),
    minPrice: price.optional(),
    maxPrice: price.optional(),
    basePrice: price.optional().describe("taken where any price of a band would do and there is no price before"),
    targetKW: z.number().default(0).describe("what all setpoints add up to, kW, generation positive"),
    rationing: z.enum(["PRO_RATA", "PRIORITY"]).default("PRO_RATA"),
    external: curve.optional().describe("what the market trades with the outside: kW into it at a price"),
  })
  .check((context) => {
    const { interval, gate, confirmWithin, minPrice, maxPrice } = context.value;
    const fault = (path: string, message: string) =>
      context.issues.push({ code: "custom", input: context.value, path: [path], message });
    if (gate >= interval) fault("gate", "must be shorter than `interval`: one gate at a time is open");
    if (confirmWithin > interval) fault("confirmWithin", "must not be longer than `interval`");
    if (minPrice !== undefined && maxPrice !== undefined && minPrice > maxPrice) {
      fault("minPrice", "must not be above `maxPrice`");
    }
  });

const node = z.strictObject({
  era,
  parent: era.optional().describe("the node above; absent for the root"),
  maxForwardFlowKW: magnitude.optional().describe("most that may flow down into it"),
  maxReverseFlowKW: magnitude.optional().describe("most that may flow up out of it"),
  uncontrolledKW: z.number().optional().describe("power here that takes no part, kW, generation positive"),
  offsetKW: z.number().optional().describe("what the grid operator wants to be moved here, kW injected"),
  adder: z
    .strictObject({
      priceAdderPerPercent: z.number().nonnegative(),
      congestionMultiplier: z.number().nonnegative().optional(),
      ratingKW: z.number().positive("must be kW above 0: what is 100 percent load"),
    })
    .optional()
    .describe("a price on its load"),
});

const grid = z.strictObject({
  nodes: z.array(node).max(10_000).default([]),
  resources: z
    .array(
      z.strictObject({
        era,
        node: era.optional().describe("where it hangs; absent: at the root"),
        bapId: subscriber.optional().describe("only this participant may bid for it"),
        priority: z.number().optional().describe("where `rationing` is PRIORITY: lower goes first; 0 unless given"),
      }),
    )
    .max(100_000)
    .default([]),
});

const instant = z.iso
  .datetime({ offset: true, message: 'must be a time with a zone, for example "2026-06-15T13:30:00Z"' })
  .transform((text) => Date.parse(text));

const flexNeed = z
  .strictObject({
    id: z.string().min(1).max(256),
    name: z.string().max(200).optional(),
    start: instant,
    interval: duration("1h", { min: "1m", max: "24h" }),
    requestedKW: z.array(magnitude).min(1).max(1000).describe("kW against the baseline, one for each interval"),
    clearingTime: instant.describe("when offers are cleared; later ones are refused"),
    offers: z
      .enum(["falling", "rising"])
      .default("falling")
      .describe("whether offered capacity falls or rises as the price rises"),
  })
  .refine((need) => need.clearingTime <= need.start, {
    message: "must not be after `start`",
    path: ["clearingTime"],
  });

const trustedKey = z.strictObject({
  subscriberId: subscriber,
  keyId: z.string().min(1).max(128),
  publicKey: z.base64("must be base64 of 32 bytes").length(44, "must be base64 of 32 bytes"),
  uri: httpUrl.optional().describe("callbacks to this participant go here and nowhere else"),
});

/** The schema of a provider's config file. */
export const providerConfigSchema = z
  .strictObject({
    $schema: z.string().optional(),
    subscriberId: subscriber.describe("our id on the network (bpp_id)"),
    subscriberUri: httpUrl
      .optional()
      .describe("where participants reach us (bpp_uri); default: the HTTP door's address"),
    data: z.string().min(1).default("./provider-data").describe("folder for the database; relative to this file"),
    log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") }).prefault({}),
    http: z
      .strictObject({
        host: z.string().default("127.0.0.1"),
        port: z.int("must be a port from 0 to 65535, for example 9090").min(0).max(65_535).default(9090),
        path: z.string().startsWith("/", 'must start with "/", for example "/beckn"').default("/beckn"),
      })
      .optional()
      .describe("where requests are POSTed: {path}/{action}"),
    mqtt: z
      .strictObject({
        url: z
          .string()
          .regex(/^(mqtt|mqtts|ws|wss):\/\//, "must be an MQTT URL, for example mqtts://broker.example.org:8883"),
        requestTopic: z
          .string()
          .min(1)
          .max(255)
          .regex(/^[^+#]*$/, "must be one topic, without + and #"),
        responsePrefix: z.string().max(255).default("").describe("answers go only to topics that begin with this"),
        clientId: z.string().min(1).max(64).optional().describe("given: the broker keeps requests while we are away"),
        username: z.string().optional(),
        passwordFile: z.string().optional(),
        caFile: z.string().optional(),
      })
      .optional()
      .describe("the same over a broker that speaks MQTT 5"),
    callbackUri: httpUrl
      .optional()
      .describe("all callbacks go here: the caller address of an ONIX adapter, which signs and routes them"),
    requireSignature: z.boolean().optional().describe("default: required unless all doors are on loopback"),
    trustedKeys: z.array(trustedKey).max(100_000).default([]).describe("pinned Ed25519 keys of the participants"),
    signingKey: z
      .strictObject({
        keyId: z.string().min(1),
        privateKeyFile: z.string().describe("base64, 32 or 64 bytes, mode 0600"),
      })
      .optional()
      .describe("our own Ed25519 key; without it callbacks go unsigned"),
    market: market.prefault({}),
    grid: grid.prefault({}),
    flexNeeds: z.array(flexNeed).max(1000).default([]),
    support: z
      .strictObject({
        name: z.string().max(200).optional(),
        phone: z.string().max(50).optional(),
        email: z.email().optional(),
        url: z.url().optional(),
      })
      .prefault({})
      .describe("what `support` answers"),
  })
  .check((context) => {
    for (const { path, message } of crossChecks(context.value)) {
      context.issues.push({ code: "custom", input: context.value, path: [...path], message });
    }
  });

export type ProviderConfig = z.output<typeof providerConfigSchema>;

/** Whether requests have to be signed. */
export function requiresSignature(config: Pick<ProviderConfig, "requireSignature" | "http" | "mqtt">): boolean {
  return config.requireSignature ?? isOpenToOthers(config);
}

function isOpenToOthers({ http, mqtt }: Pick<ProviderConfig, "http" | "mqtt">): boolean {
  const hosts = [http?.host, mqtt && URL.canParse(mqtt.url) ? new URL(mqtt.url).hostname : undefined];
  return hosts.some((host) => host !== undefined && !isLoopback(host));
}

interface Fault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What one field alone can't tell. */
function crossChecks(config: ProviderConfig): readonly Fault[] {
  const faults: Fault[] = [];
  const { http, mqtt, grid: network, flexNeeds } = config;
  if (http === undefined && mqtt === undefined) {
    faults.push({ path: ["http"], message: "needs `http` or `mqtt`, else no request can arrive" });
  }
  if (config.requireSignature === false && isOpenToOthers(config)) {
    const message = "can be false only while all doors are on loopback: others could bid in any name";
    faults.push({ path: ["requireSignature"], message });
  }
  const isLocal = http !== undefined && isLoopback(http.host);
  if (config.subscriberUri === undefined && !isLocal) {
    const message = "is needed where participants don't reach us at the HTTP door's own address";
    faults.push({ path: ["subscriberUri"], message });
  }
  const nodes = new Map(network.nodes.map((one, index) => [one.era, index]));
  for (const [index, one] of network.nodes.entries()) {
    if (nodes.get(one.era) !== index)
      faults.push({ path: ["grid", "nodes", index, "era"], message: `"${one.era}" is taken already` });
    if (one.parent !== undefined && !nodes.has(one.parent)) {
      faults.push({ path: ["grid", "nodes", index, "parent"], message: `there is no node "${one.parent}"` });
    }
  }
  const roots = network.nodes.filter((one) => one.parent === undefined);
  if (network.nodes.length > 0 && roots.length !== 1) {
    const message = `exactly one node has no parent, the root; here ${roots.length} have none`;
    faults.push({ path: ["grid", "nodes"], message });
  }
  for (const index of inCircles(network.nodes)) {
    faults.push({ path: ["grid", "nodes", index, "parent"], message: "the parents of this node lead back to it" });
  }
  const resources = new Set<string>();
  for (const [index, one] of network.resources.entries()) {
    if (resources.has(one.era)) {
      faults.push({ path: ["grid", "resources", index, "era"], message: `"${one.era}" is taken already` });
    }
    resources.add(one.era);
    if (one.node !== undefined && !nodes.has(one.node)) {
      faults.push({ path: ["grid", "resources", index, "node"], message: `there is no node "${one.node}"` });
    }
  }
  const needs = new Set<string>();
  for (const [index, need] of flexNeeds.entries()) {
    if (needs.has(need.id)) faults.push({ path: ["flexNeeds", index, "id"], message: `"${need.id}" is taken already` });
    needs.add(need.id);
  }
  return faults;
}

function inCircles(nodes: ProviderConfig["grid"]["nodes"]): readonly number[] {
  const parentOf = new Map(nodes.map((one) => [one.era, one.parent]));
  return nodes.flatMap((one, index) => {
    let at = one.parent;
    for (let steps = 0; at !== undefined && steps <= nodes.length; steps++) {
      if (at === one.era) return [index];
      at = parentOf.get(at);
    }
    return [];
  });
}
