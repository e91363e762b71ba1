import { z } from "zod";
import { type AdapterCommand, type AdapterOperation, OperationError } from "../../kind.ts";
import { ModbusError } from "../link/modbus-error.ts";
import { MapMovedError } from "./model-block.ts";
import type { ModelValues } from "./model-values.ts";

const PointsRequest = z.strictObject({ era: z.string().max(128), model: z.int().min(1).max(0xffff).optional() });

const PointsAnswer = z.object({
  models: z.array(
    z.object({
      id: z.number(),
      address: z.number(),
      length: z.number(),
      values: z
        .array(
          z.object({ name: z.string(), value: z.union([z.number(), z.string()]), unit: z.string().exactOptional() }),
        )
        .exactOptional(),
      fault: z.string().exactOptional(),
    }),
  ),
});

/** A device that shows what its models say. */
export interface PointsSource {
  /** @param model one model; absent for all */
  points(model: number | undefined, signal: AbortSignal): Promise<readonly ModelValues[]>;
}

/** Reads the models of one device of the running daemon. */
export function pointsOperation(sources: ReadonlyMap<string, PointsSource>): AdapterOperation {
  return async (input, signal) => {
    const request = PointsRequest.safeParse(input);
    if (!request.success) throw new OperationError("invalid", z.prettifyError(request.error));
    const { era, model } = request.data;
    const source = sources.get(era);
    if (source === undefined) throw new OperationError("not-found", `no SunSpec device ${era} on this site`);
    try {
      const models = await source.points(model, signal);
      if (models.length > 0) return { models };
    } catch (error) {
      if (!(error instanceof ModbusError) && !(error instanceof MapMovedError)) throw error;
      throw new OperationError("not-found", `${era}: ${error.message}`);
    }
    throw new OperationError("not-found", `${era} has no model ${model}`);
  };
}

/** `setpointd modbus points`: everything that a device's SunSpec models say now. */
export const pointsCommand: AdapterCommand = {
  name: "points",
  summary: "show what the SunSpec models of a device say, with their units",
  examples: [
    "modbus points IN*SITE*PV*1 --config site.yaml",
    "modbus points IN*SITE*PV*1 --model 160 --config site.yaml",
  ],
  arguments: [{ name: "<era>", description: "the device, as the config names it" }],
  options: [{ flags: "--model <id>", description: "one model, for example 160" }],
  needs: "daemon",
  waitMs: 60_000,
  run: async ({ args, options }, context) => {
    const { model } = options;
    if (model !== undefined && !/^\d{1,5}$/.test(String(model))) {
      throw new OperationError("invalid", `--model must be a number such as 160, got "${model}"`);
    }
    const request = { era: args[0], ...(model !== undefined && { model: Number(model) }) };
    const { models } = PointsAnswer.parse(await context.ask("points", request));
    const rows = models.flatMap(({ id, address, length, values, fault }): (readonly string[])[] =>
      values === undefined
        ? [[String(id), `${length} registers at ${address}, ${fault ?? "not known here"}`, "", ""]]
        : values.map(({ name, value, unit }) => [String(id), name, String(value), unit ?? ""]),
    );
    return {
      json: { schemaVersion: 1, era: args[0], models },
      table: { heading: ["MODEL", "POINT", "VALUE", "UNIT"], rows },
    };
  },
};
