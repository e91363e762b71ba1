import { parse } from "yaml";
import { z } from "zod";
import type { Utility } from "./utility.ts";

const watts = z.number().min(-1e9).max(1e9);
const limitW = watts.min(0);
const seconds = z.number().min(0).max(31_536_000);

const values = {
  opModConnect: z.boolean().optional(),
  opModEnergize: z.boolean().optional(),
  opModFixedW: z.number().min(-100).max(100).optional(),
  opModMaxLimW: z.number().min(0).max(100).optional(),
  opModTargetW: watts.optional(),
  rampS: z.number().min(0).max(655).optional(),
  opModImpLimW: limitW.optional(),
  opModExpLimW: limitW.optional(),
  opModGenLimW: limitW.optional(),
  opModLoadLimW: limitW.optional(),
  opModStorageTargetW: watts.optional(),
};

const defaultSchema = z.strictObject({ ...values, setGradW: z.int().min(0).max(65_535).optional() });

const eventSchema = z.strictObject({
  ...values,
  startAfterS: seconds,
  durationS: z.int().min(1).max(31_536_000),
  /** Published that long before its start; else from the beginning. */
  noticeS: seconds.optional(),
  /** Cancelled that long after the server began. */
  cancelAfterS: seconds.optional(),
  randomizeStartS: z.int().min(-3600).max(3600).optional(),
  randomizeDurationS: z.int().min(-3600).max(3600).optional(),
});

const programFileSchema = z.strictObject({
  registration: z.enum(["in-band", "out-of-band"]).default("in-band"),
  devices: z
    .array(
      z.strictObject({
        lfdi: z.string().regex(/^[0-9A-Fa-f]{40}$/, "expected 40 hex digits"),
        pin: z.int().min(0).max(999_999).optional(),
      }),
    )
    .max(100)
    .default([]),
  pollRateS: z.int().min(1).max(86_400).default(60),
  postRateS: z.int().min(1).max(86_400).default(60),
  programs: z
    .array(
      z.strictObject({
        primacy: z.int().min(0).max(255),
        default: defaultSchema.optional(),
        events: z.array(eventSchema).max(500).default([]),
      }),
    )
    .min(1)
    .max(20),
  outages: z
    .array(z.strictObject({ startAfterS: seconds, durationS: seconds }))
    .max(100)
    .default([]),
});

/** What a utility does by itself from its start on; all times are seconds after it. */
export type ProgramFile = z.output<typeof programFileSchema>;

/** @throws Error that names the file, the field and what is wrong with it */
export function parseProgramFile(text: string, file: string): ProgramFile {
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = programFileSchema.safeParse(raw);
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** One thing that the utility does at its time. */
interface Deed {
  readonly afterS: number;
  readonly act: () => void;
}

/** Publishes programs and defaults at once, and returns what is to be done later, in order. */
export function stageProgram(utility: Utility, file: ProgramFile): Deed[] {
  const deeds: Deed[] = [];
  const beganS = utility.nowS();
  for (const { lfdi, pin } of file.devices)
    utility.registerDevice({ lfdi: lfdi.toUpperCase(), ...(pin !== undefined && { pin }) });
  for (const { primacy, default: fallback, events } of file.programs) {
    const program = utility.addProgram({ primacy });
    if (fallback !== undefined) utility.setDefault(program, fallback);
    for (const event of events) {
      const { startAfterS, durationS, noticeS, cancelAfterS, randomizeStartS, randomizeDurationS, ...ordered } = event;
      const startS = Math.round(beganS + startAfterS);
      const afterS = noticeS === undefined ? 0 : Math.max(startAfterS - noticeS, 0);
      deeds.push({
        afterS,
        act: () => {
          const order = { values: ordered, startS, durationS, randomizeStartS, randomizeDurationS };
          const control = utility.addControl(program, order);
          if (cancelAfterS === undefined) return;
          deeds.push({ afterS: cancelAfterS, act: () => utility.cancelControl(control) });
          deeds.sort(byTime);
        },
      });
    }
  }
  for (const { startAfterS, durationS } of file.outages) {
    deeds.push({ afterS: startAfterS, act: () => setOut(utility, true) });
    deeds.push({ afterS: startAfterS + durationS, act: () => setOut(utility, false) });
  }
  return deeds.sort(byTime);
}

function byTime(one: Deed, other: Deed): number {
  return one.afterS - other.afterS;
}

function setOut(utility: Utility, isOut: boolean): void {
  utility.isOut = isOut;
}
