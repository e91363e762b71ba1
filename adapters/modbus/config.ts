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
    .optional()
    .describe("Least limit that is written, percent; unless given, 1 in model 123, where some inverters lock up at 0"),
  rampS: z
    .int()
    .min(0)
    .max(3600)
    .optional()
    .describe("Time in which the device moves to a new power by itself (RmpTms of 123 and 124); unset leaves its own"),
  maxWritesPerDay: z
    .int()
    .min(4)
    .max(1_000_000)
    .optional()
    .describe("Writes of one register in one day (UTC), for a device whose maker says how many its memory stands"),
  vendorFallback: z
    .boolean()
    .default(false)
    .describe("The device's own fallback for a lost gateway is set up, outside of SunSpec (SMA and others have one)"),
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
  batteryInputs: z
    .strictObject({ charge: z.int().min(1).max(64), discharge: z.int().min(1).max(64) })
    .optional()
    .describe(
      "DC inputs (model 160) behind which a hybrid shows its battery, so that its panels are not measured; Fronius GEN24: charge 3, discharge 4",
    ),
  ratingKW: z
    .number()
    .positive()
    .max(100_000)
    .optional()
    .describe("Rating in kW, for a device that does not say its own"),
});

export type ModbusShared = z.infer<typeof modbusShared>;
export type ModbusDevice = z.infer<typeof modbusDevice>;
