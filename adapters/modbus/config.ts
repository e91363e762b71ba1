import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Endpoint } from "./link/endpoint.ts";
import { profileFileOf } from "./profile/profile-files.ts";

/** Nothing is shared between Modbus devices apart from the connections, which need no setting. */
export const modbusShared = z.strictObject({});

/** A serial bus; all devices on it say the same. */
const serialLine = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(4096)
    .describe("Serial port, best by its lasting name, such as /dev/serial/by-id/usb-FTDI_RS485-if00-port0"),
  baudRate: z.int().min(300).max(3_000_000).optional().describe("Default 9600, or the profile's"),
  parity: z
    .enum(["none", "even", "odd"])
    .optional()
    .describe("Default none, or the profile's; none with 1 stop bit is what most devices ship with"),
  stopBits: z
    .union([z.literal(1), z.literal(2)])
    .optional()
    .describe("Default 1, or the profile's"),
  echo: z
    .boolean()
    .optional()
    .describe("The RS-485 adapter hears what it sends; found out by itself where it is not said"),
});

/** How to reach one device, and how to treat it. What a profile says counts where nothing stands here. */
export const modbusDevice = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe("Name or address of the device or of the gateway before it; this or `serial`"),
  profile: z
    .string()
    .max(48)
    .refine((id) => profileFileOf(id) !== undefined, "there is no such profile; `setpointd profile list` shows them")
    .optional()
    .describe("Device profile by its id; without one the device is a SunSpec device"),
  profileFile: z.string().min(1).max(4096).optional().describe("A device profile of one's own, in place of `profile`"),
  port: z.int().min(1).max(65_535).optional().describe("Default 502, or the profile's"),
  framing: z
    .enum(["tcp", "rtu"])
    .default("tcp")
    .describe("tcp: Modbus TCP. rtu: serial frames through a plain TCP bridge, as many RS-485 servers do"),
  serial: serialLine.optional().describe("The device is on a serial bus of this machine; this or `host`"),
  unit: z
    .int()
    .min(1)
    .max(255)
    .optional()
    .describe("Modbus unit id, default 1 or the profile's; SMA answers SunSpec under 126"),
  connector: z.int().min(1).max(100).default(1).describe("Connector of a charging station with several"),
  connectDelayMs: z
    .int()
    .min(0)
    .max(30_000)
    .optional()
    .describe("Pause after connecting that the device needs before the first request, default 0 or the profile's"),
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

/** Where a device is, for the link layer. @throws RangeError where `endpointFault` has something to say */
export function endpointOf(device: ModbusDevice): Endpoint {
  const { host, port = 502, framing, serial, connectDelayMs = 0 } = device;
  if (serial !== undefined) {
    const { path, baudRate = 9600, parity = "none", stopBits = 1, echo } = serial;
    return { serial: { path, baudRate, parity, stopBits, ...(echo !== undefined && { echo }) }, connectDelayMs };
  }
  if (host === undefined) throw new RangeError("a device needs host or serial");
  return { host, port, framing, connectDelayMs };
}

/** What the schema of the keys can't say: where the device is, once and only once, and that one bus has one setting. */
export function endpointFault(device: ModbusDevice, before: readonly ModbusDevice[]): string | undefined {
  const { host, serial, framing, unit = 1 } = device;
  if (host === undefined && serial === undefined) {
    return "needs `host` (a device or gateway on the network, for example host: 192.168.1.50) or `serial` (a bus of this machine)";
  }
  if (serial === undefined) return undefined;
  if (host !== undefined) return "has both `host` and `serial`; a device is at one of them";
  if (framing === "rtu") return "`framing` belongs to `host`; a serial bus is always RTU";
  // Modbus over Serial Line V1.02, 2.2
  if (unit > 247) return `\`unit\` is 1 to 247 on a serial bus, not ${unit}`;
  const other = before.find((one) => one.serial?.path === serial.path && !isDeepStrictEqual(one.serial, serial));
  if (other === undefined) return undefined;
  return `\`serial\` differs from that of another device on ${serial.path}; all devices on a bus have one speed, parity and stop bits`;
}
