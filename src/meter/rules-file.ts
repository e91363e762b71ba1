import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { ERA_PATTERN } from "../model/resource.ts";
import { scaledFromDecimal } from "../settlement/decimal.ts";
import { minorDigits, PRICE_DIGITS } from "../settlement/money.ts";
import { checkRules, type FlowRule, type SettlementRules } from "../settlement/settlement-rules.ts";

/** Rules larger than this are a mistake, bytes. */
const MAX_RULES_BYTES = 256 * 1024;
const MAX_FLOWS = 100;
const PERCENT_DIGITS = 6;

/** Rules for a settlement, and which resources they are for. */
export interface RulesFile {
  readonly rules: SettlementRules;
  /** Absent: all that the log has. */
  readonly eras?: readonly string[];
}

/** A rules file that can't be used; the message has a line for each fault, with the key and what was expected. */
export class RulesError extends Error {
  override readonly name = "RulesError";
}

const decimal = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => /^-?\d{1,12}(\.\d{1,9})?$/.test(text), 'must be a decimal number, for example "0.12"');

const era = z.string().regex(ERA_PATTERN, 'must be an Energy Resource Address, for example "grid-operator"');
const party = z.strictObject({
  era,
  role: z.string().regex(/^[A-Z][A-Z0-9_]{0,31}$/, "must be a role in capitals, for example GRID_OPERATOR"),
});

const common = {
  name: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, "must be a name such as wheelingCharges"),
  description: z.string().min(1).max(120).optional(),
  to: party,
};
const base = z.enum(["energy", "net", "gross"], 'must be "energy", "net" or "gross"');

const flow = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("energy"), ...common, pricePerKWh: decimal.optional() }),
  z.strictObject({ kind: z.literal("perKWh"), ...common, ratePerKWh: decimal }),
  z.strictObject({ kind: z.literal("congestion"), ...common }),
  z.strictObject({ kind: z.literal("percent"), ...common, percent: decimal, of: base }),
  z.strictObject({
    kind: z.literal("tax"),
    ...common,
    percent: decimal,
    of: base,
    mode: z.enum(["EXCLUSIVE", "INCLUSIVE"], 'must be "EXCLUSIVE" or "INCLUSIVE"'),
  }),
  z.strictObject({ kind: z.literal("fixed"), ...common, amount: decimal }),
  z.strictObject({ kind: z.literal("residual"), ...common, weight: z.int().positive().max(1_000_000).default(1) }),
  z.strictObject({ kind: z.literal("imbalance"), ...common, from: party, pricePerKWh: decimal }),
  z.strictObject({ kind: z.literal("penalty"), ...common, from: party, ratePerKWh: decimal }),
]);

const rulesSchema = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code, for example "INR"'),
  rounding: z.enum(["HALF_EVEN", "HALF_UP"], 'must be "HALF_EVEN" or "HALF_UP"').default("HALF_EVEN"),
  direction: z.enum(["IMPORT", "EXPORT"], 'must be "IMPORT" or "EXPORT"'),
  quantity: z.enum(["METERED", "CLEARED"], 'must be "METERED" or "CLEARED"').default("METERED"),
  eras: z.array(era).min(1).max(10_000).optional(),
  payer: party,
  flows: z.array(flow).min(1).max(MAX_FLOWS),
  reverse: z.strictObject({ payer: party, flows: z.array(flow).min(1).max(MAX_FLOWS) }).optional(),
});

/** @throws RulesError */
export function loadRules(file: string): RulesFile {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new RulesError(`${file}: can't be read: ${(error as Error).message}`, { cause: error });
  }
  return parseRules(text, file);
}

/** @throws RulesError */
export function parseRules(text: string, file: string): RulesFile {
  if (text.length > MAX_RULES_BYTES) throw new RulesError(`${file}: is larger than ${MAX_RULES_BYTES} bytes`);
  try {
    const parsed = rulesSchema.safeParse(parse(text, { maxAliasCount: 100, uniqueKeys: true }));
    if (!parsed.success) throw new RulesError(faultsOf(parsed.error, file));
    const { eras, flows, reverse, ...rest } = parsed.data;
    const rulesFrom = (list: typeof flows) => list.map((one) => ruleOf(one, rest.currency));
    const rules = {
      ...rest,
      flows: rulesFrom(flows),
      ...(reverse && { reverse: { payer: reverse.payer, flows: rulesFrom(reverse.flows) } }),
    };
    checkRules(rules);
    return { rules, ...(eras && { eras }) };
  } catch (error) {
    if (error instanceof RulesError) throw error;
    throw new RulesError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

function ruleOf(flow: z.infer<typeof rulesSchema>["flows"][number], currency: string): FlowRule {
  const { name, to } = flow;
  const head = { name, description: flow.description ?? name, to };
  const micro = (text: string) => scaledFromDecimal(text, PRICE_DIGITS, `flows "${name}"`);
  const microPercent = (text: string) => scaledFromDecimal(text, PERCENT_DIGITS, `flows "${name}" percent`);
  switch (flow.kind) {
    case "energy":
      return {
        ...head,
        kind: "energy",
        ...(flow.pricePerKWh !== undefined && { microPerKWh: micro(flow.pricePerKWh) }),
      };
    case "perKWh":
      return { ...head, kind: "perKWh", microPerKWh: micro(flow.ratePerKWh) };
    case "congestion":
      return { ...head, kind: "congestion" };
    case "percent":
      return { ...head, kind: "percent", microPercent: microPercent(flow.percent), of: flow.of };
    case "tax":
      return { ...head, kind: "tax", microPercent: microPercent(flow.percent), of: flow.of, mode: flow.mode };
    case "fixed":
      return {
        ...head,
        kind: "fixed",
        amountMinor: scaledFromDecimal(flow.amount, minorDigits(currency), `flows "${name}" amount in ${currency}`),
      };
    case "residual":
      return { ...head, kind: "residual", weight: BigInt(flow.weight) };
    case "imbalance":
      return { ...head, kind: "imbalance", from: flow.from, microPerKWh: micro(flow.pricePerKWh) };
    case "penalty":
      return { ...head, kind: "penalty", from: flow.from, microPerKWh: micro(flow.ratePerKWh) };
  }
}

function faultsOf(error: z.ZodError, file: string): string {
  return error.issues
    .map((issue) => {
      const path = issue.path.reduce<string>(
        (text, part) =>
          typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
        "",
      );
      return `${file}: ${path === "" ? "" : `${path}: `}${issue.message}`;
    })
    .join("\n");
}
