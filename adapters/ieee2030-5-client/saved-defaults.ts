import { z } from "zod";
import type { Lfdi } from "../ieee2030-5/identity.ts";
import type { AdapterMemory } from "../kind.ts";
import { MODES } from "./control-values.ts";
import type { DefaultControl } from "./utility-event.ts";

const saved = z.array(
  z.object({
    primacy: z.number(),
    values: z.partialRecord(z.enum(MODES), z.number()),
    rampS: z.number().optional(),
    gradient: z.number().optional(),
  }),
);

/** The defaults that a server told before the last restart: they hold until it is reached again. */
export function loadDefaults(memory: AdapterMemory, lfdi: Lfdi): readonly DefaultControl[] | undefined {
  const parsed = saved.safeParse(memory.get(keyOf(lfdi)));
  return parsed.success ? (parsed.data as readonly DefaultControl[]) : undefined;
}

export async function saveDefaults(
  memory: AdapterMemory,
  lfdi: Lfdi,
  defaults: readonly DefaultControl[],
): Promise<void> {
  if (JSON.stringify(memory.get(keyOf(lfdi))) === JSON.stringify(defaults)) return;
  await memory.set(keyOf(lfdi), defaults);
}

function keyOf(lfdi: Lfdi): string {
  return `defaults/${lfdi}`;
}
