import { z } from "zod";

const signedValue = z.object({
  data: z.string(),
  context: z.string().optional(),
  encoding: z.string().optional(),
  method: z.string().optional(),
  publicKey: z.string().optional(),
});

const sessionRecord = z.object({
  transactionId: z.union([z.string(), z.number()]),
  connector: z.int(),
  /** Wall time of the charger, epoch ms; absent where it did not say, or where the session was met half-way. */
  startedAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  /** Set when it is over, also where the charger never told its end. */
  isOver: z.boolean().optional(),
  /** Register of energy taken in, kWh. */
  startKWh: z.number().optional(),
  endKWh: z.number().optional(),
  /** Energy of the session, kWh; absent where either register is. */
  energyKWh: z.number().optional(),
  /** Why it ended, as the charger says it. */
  reason: z.string().optional(),
  /** Keyed hash of the card or key. */
  token: z.string().optional(),
  reservationId: z.number().optional(),
  /** True where it had begun before we knew of it, so that its start is missing. */
  isAdopted: z.boolean().optional(),
  /** Messages of it that never came, by the charger's own numbering. */
  missingMessages: z.number().optional(),
  /** What the meter signed: the first and the last of it, as it came. */
  signed: z.array(signedValue).optional(),
  /** Hash of what a StartTransaction said, to know a repeat. */
  startKey: z.string().optional(),
});

/** One charging session of a station, as it is kept. Each part only if the charger said it. */
export type SessionRecord = z.infer<typeof sessionRecord>;

/** Records as they were kept; what cannot be read any more is left out. */
export function recordsFrom(kept: unknown): readonly SessionRecord[] {
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((one) => {
    const parsed = sessionRecord.safeParse(one);
    return parsed.success ? [parsed.data] : [];
  });
}

/** Energy by the registers; nothing where one is missing or they do not fit. */
export function energyOf({ startKWh, endKWh }: SessionRecord): { energyKWh?: number } {
  if (startKWh === undefined || endKWh === undefined || endKWh < startKWh) return {};
  // Registers are whole Wh; the difference of two doubles is not.
  return { energyKWh: Math.round((endKWh - startKWh) * 1e6) / 1e6 };
}
