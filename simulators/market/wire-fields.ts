import { z } from "zod";
import { Refusal } from "./answer.ts";

export const MAX_POWER_KW = 1_000_000;
const MAX_PRICE_PER_KWH = 10_000;

export const id = z.string().regex(/^[\x21-\x7e]{1,128}$/, "expected 1 to 128 visible ASCII letters");
// It becomes one level of an MQTT topic, so no slash and no wildcard.
export const subscriber = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$/, "expected a subscriber id such as bap.example.com");
export const era = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9*_.:@/-]{0,127}$/, "expected an Energy Resource Address");
export const instant = z.iso.datetime({ offset: true });
export const participantUrl = z.url({ protocol: /^(https?|mqtt)$/ }).max(512);
export const powerKW = z.number().min(-MAX_POWER_KW).max(MAX_POWER_KW);
export const pricePerKWh = z.number().min(-MAX_PRICE_PER_KWH).max(MAX_PRICE_PER_KWH);
export const currency = z.string().regex(/^[A-Z]{3}$/, "expected a currency of three letters such as INR");
export const energyKWh = z.number().nonnegative().max(1e9);

/** Reads a message of a known shape. @throws Refusal naming the first field that is wrong */
export function read<T>(
  schema: z.ZodType<T>,
  body: unknown,
  code: "CONTEXT_INVALID" | "MESSAGE_INVALID" = "MESSAGE_INVALID",
): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal(400, code, issue?.path.join(".") ?? "", issue?.message ?? "not of the expected shape");
}
