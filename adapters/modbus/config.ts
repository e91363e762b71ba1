import { z } from "zod";
import { profileFileOf } from "./profile/profile-files.ts";

/** Nothing is shared between Modbus devices apart from the connections, which need no setting. */
export const modbusShared = z.strictObject({});

/** How to reach one device, and how to treat it. What a profile says counts where nothing stands here. */
export const modbusDevice = z.strictObject({
  host: z.string().min(1).max(253).describe("Name or address of the inverter or of the gateway before it"),
  profile: z
    .string()
    .max(48)
    .refine((id) => profileFileOf(id) !== undefined, "there is no such profile; `setpointd profile list` shows them")
    .optional()
    .describe("Device profile by its id; without one the device is a SunSpec device"),
  profileFile: z.string().min(1).max(4096).optional().describe("A device profile of one's own, in place of `profile`"),
  port: z.int().min(1).max(65_535).optional().describe("Default 502, or the profile's"),
  unit: z
    .int()
    .min(1)
    .max(255)
    .optional()
    .describe("Modbus unit id, default 1 or the profile's; SMA answers SunSpec under 126"),
  connector: z.int().min(1).max(100).default(1).describe("Connector of a charging station with several"),
  pollMs: z.int().min(100).max(60_000).optional().describe("Time between two readings, default 1000"),
  timeoutMs: z.int().min(50).max(30_000).optional().describe("Longest wait for one answer, default 2000"),
  gapMs: z.int().min(0).max(5000).optional().describe("Silence that the device needs between two requests, default 0"),
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
  settleS: z
    .number()
    .min(0)
    .max(600)
    .optional()
    .describe("Time from a command until the meter is expected to show it, default 6 or the profile's"),
  phases: z
    .union([z.literal(1), z.literal(2), z.literal(3)])
    .optional()
    .describe("Phases that a charger is wired to, for a profile that counts in amps"),
  maxA: z.number().min(1).max(500).optional().describe("Greatest current of a charger, A, for a profile that asks"),
  ratingKW: z
    .number()
    .positive()
    .max(100_000)
    .optional()
    .describe("Rating in kW, for a device that does not say its own"),
});

export type ModbusShared = z.infer<typeof modbusShared>;
export type ModbusDevice = z.infer<typeof modbusDevice>;
