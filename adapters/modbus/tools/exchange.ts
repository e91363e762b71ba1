import { z } from "zod";
import { type AdapterOperation, OperationError } from "../../kind.ts";
import { ModbusError } from "../link/modbus-error.ts";
import type { Manners, ModbusLink } from "../link/modbus-link.ts";
import { readSpace, writeSpace } from "./space-access.ts";

const space = z.enum(["holding", "input", "coil", "discrete"]);
const address = z.int().min(0).max(0xffff);

/** One request on a bus of the daemon. */
const ExchangeRequest = z
  .strictObject({
    bus: z.string().max(5000),
    unit: z.int().min(1).max(255),
    timeoutMs: z.int().min(10).max(30_000),
    read: z.strictObject({ space, address, count: z.int().min(1).max(2000) }).optional(),
    write: z
      .strictObject({
        space: z.enum(["holding", "coil"]),
        address,
        values: z.array(z.int().min(0).max(0xffff)).min(1).max(1968),
        mayTear: z.boolean(),
        fc: z.union([z.literal(6), z.literal(16)]).optional(),
      })
      .optional(),
  })
  .refine(({ read, write }) => (read === undefined) !== (write === undefined), "either read or write");
export type ExchangeRequest = z.infer<typeof ExchangeRequest>;

/** What came of it; a fault of the bus is an answer too, so that it keeps its code. */
export const ExchangeAnswer = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), values: z.array(z.number()) }),
  z.object({
    ok: z.literal(false),
    fault: z.enum(["timeout", "closed", "exception", "format", "argument", "busy", "resting"]),
    code: z.number().optional(),
    message: z.string(),
    outcomeUnknown: z.boolean(),
  }),
]);
type ExchangeAnswer = z.infer<typeof ExchangeAnswer>;

/** A bus that the daemon has open, and the silence that its devices need. */
export interface KnownBus {
  readonly link: ModbusLink;
  readonly gapMs: number;
}

/** What the field tools ask of the running daemon: which buses it has, and one request on one of them. */
export function busOperations(
  buses: ReadonlyMap<string, KnownBus>,
): Readonly<Record<"buses" | "exchange", AdapterOperation>> {
  return {
    buses: async () => ({ buses: [...buses.keys()] }),
    exchange: async (input, signal) => {
      const request = ExchangeRequest.safeParse(input);
      if (!request.success) throw new OperationError("invalid", z.prettifyError(request.error));
      const { bus: name, unit, timeoutMs } = request.data;
      const bus = buses.get(name);
      if (bus === undefined) throw new OperationError("not-found", `no device of this site is at ${name}`);
      return exchange(bus.link, { unit, timeoutMs, gapMs: bus.gapMs }, request.data, signal);
    },
  };
}

async function exchange(
  link: ModbusLink,
  manners: Manners,
  { read, write }: ExchangeRequest,
  signal: AbortSignal,
): Promise<ExchangeAnswer> {
  try {
    if (write !== undefined) {
      await writeSpace(link, manners, write.space, write.address, write.values, write, signal);
      return { ok: true, values: [] };
    }
    const values =
      read === undefined ? [] : await readSpace(link, manners, read.space, read.address, read.count, signal);
    return { ok: true, values: [...values] };
  } catch (error) {
    if (!(error instanceof ModbusError)) throw error;
    const { fault, code, message, outcomeUnknown } = error;
    return { ok: false, fault, message, outcomeUnknown, ...(code !== undefined && { code }) };
  }
}
