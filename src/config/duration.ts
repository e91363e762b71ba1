import { z } from "zod";

const SHORT = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;
const ISO = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds from "15m", "90s", "1h" or ISO 8601 "PT15M"; undefined if it is neither. */
export function durationMs(text: string): number | undefined {
  const short = SHORT.exec(text.trim());
  if (short) return Number(short[1]) * (UNIT_MS[short[2] ?? ""] ?? Number.NaN);
  const iso = ISO.exec(text.trim());
  if (!iso || text.trim() === "P" || text.trim().endsWith("T")) return undefined;
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = iso;
  return Number(days) * 86_400_000 + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000;
}

/** A duration in the config, read into milliseconds. */
export function duration(defaultText: string, options: { min: string; max: string }) {
  const minMs = durationMs(options.min) ?? 0;
  const maxMs = durationMs(options.max) ?? 0;
  return z
    .string()
    .default(defaultText)
    .describe(`a duration such as ${defaultText}, between ${options.min} and ${options.max}`)
    .transform((text, context) => {
      const ms = durationMs(text);
      if (ms === undefined || ms < minMs || ms > maxMs) {
        context.addIssue({
          code: "custom",
          message: `must be a duration between ${options.min} and ${options.max}, for example "${defaultText}"`,
        });
        return z.NEVER;
      }
      return ms;
    });
}
