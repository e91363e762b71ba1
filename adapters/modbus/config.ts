import { z } from "zod";

/** Nothing is shared between Modbus devices apart from the connections, which need no setting. */
export const modbusShared = z.strictObject({});

/** How to reach one SunSpec device, and how to treat it. */
export const modbusDevice = z.strictObject({
  host: z.string().min(1).max(253).describe("Name or address of the inverter or of the gateway before it"),
  port: z.int().min(1).max(65_535).default(502),
  unit: z.int().min(1).max(255).default(1).describe("Modbus unit id; SMA answers SunSpec under 126"),
  pollMs: z.int().min(100).max(60_000).default(1000).describe("Time between two readings"),
  timeoutMs: z.int().min(50).max(30_000).default(2000).describe("Longest wait for one answer"),
  gapMs: z.int().min(0).max(5000).default(0).describe("Silence that the device needs between two requests"),
  revertS: z
    .int()
    .min(5)
    .max(3600)
    .default(60)
    .describe("Reversion time armed with every write: the device falls back this long after we are gone"),
  minPercent: z
    .number()
    .min(0)
    .max(20)
    .default(1)
    .describe("Least limit written to model 123; some inverters lock up at 0 %"),
  control: z
    .enum(["auto", "704", "123", "124", "none"])
    .default("auto")
    .describe("Model that carries the commands: 704, else 123 (solar) or 124 (battery); none only measures"),
  settleS: z.number().min(0).max(600).default(6).describe("Time from a command until the meter is expected to show it"),
  meter: z
    .strictObject({
      number: z.int().min(1).max(20).default(1).describe("Which of the device's meters, in the order of its map"),
      positiveIs: z
        .enum(["import", "export"])
        .default("import")
        .describe("What the meter counts as positive power; Fronius import, SolarEdge export"),
    })
    .optional()
    .describe("Measure with a SunSpec meter (models 201-204, 211-214); a device of kind load always does"),
  ratingKW: z
    .number()
    .positive()
    .max(100_000)
    .optional()
    .describe("Rating in kW, for a device that does not say its own"),
});

export type ModbusShared = z.infer<typeof modbusShared>;
export type ModbusDevice = z.infer<typeof modbusDevice>;
