import { z } from "zod";
import { namesPower } from "./control/vendor-way.ts";
import { IDENTITY_PATTERN } from "./door/handshake.ts";
import { deviceSecurity, isOnePassword, ONE_PASSWORD, sharedSecurity } from "./door/security-config.ts";
import { upstreamSchema } from "./proxy/upstream-config.ts";
import { tagSchema } from "./sessions/tag.ts";
import { OCPP_VERSIONS, type OcppVersion } from "./version.ts";

const idTags = z.array(tagSchema).max(10_000);

/** The port that chargers dial in to. */
export const sharedSchema = z
  .strictObject({
    host: z.string().min(1).default("127.0.0.1").describe("Address to listen on; 0.0.0.0 for chargers on the network"),
    port: z.int().min(0).max(65_535).default(9220).describe("TCP port; 0 takes a free one"),
    path: z
      .string()
      .regex(/^\/[A-Za-z0-9_./-]*$/, "a path such as /ocpp")
      .default("/ocpp")
      .describe("Path before the charger's identity, for example ws://gateway:9220/ocpp/CP-1"),
    heartbeatIntervalS: z.int().min(1).max(86_400).default(60).describe("Interval given to chargers at boot, seconds"),
    callTimeoutMs: z.int().min(100).max(120_000).default(10_000).describe("Time a charger has to answer a call"),
    meterIntervalS: z
      .int()
      .min(1)
      .max(3600)
      .default(10)
      .describe("Interval of meter values asked of chargers, seconds"),
    idleMeterIntervalS: z
      .int()
      .min(0)
      .max(3600)
      .default(60)
      .describe("Interval of meter values while no car charges (clock-aligned), seconds; 0 leaves it as it is"),
    pingIntervalS: z.int().min(0).max(3600).default(30).describe("WebSocket ping, seconds; 0 turns it off"),
    allowNoSubprotocol: z
      .boolean()
      .default(false)
      .describe("Take chargers that offer no WebSocket subprotocol, as OCPP 1.6, unless a charger says otherwise"),
    idTags: idTags.default([]).describe("Cards and keys that may charge, for chargers with authorization: list"),
    ...sharedSecurity,
  })
  .describe("OCPP 1.6J, 2.0.1 and 2.1 on one port");

const v2gSchema = z
  .strictObject({
    maxDischargeKW: z.number().positive().max(1000).describe("Most that a car may give back here, kW, magnitude"),
    leaseS: z
      .int()
      .min(3)
      .max(3600)
      .default(120)
      .describe("A charger that hears nothing of the gateway for so long ends a setpoint by itself, seconds"),
    capacityKWh: z
      .number()
      .positive()
      .max(10_000)
      .optional()
      .describe("Usable energy of the car that parks here, kWh, where it does not say so itself"),
  })
  .describe("Lets cars at this connector give energy back; OCPP 2.1");

const vendorSchema = z
  .strictObject({
    when: z
      .enum(["last", "first", "only"])
      .default("last")
      .describe("Before the charging profiles, after them, or instead of them"),
    changeConfiguration: z
      .strictObject({
        key: z
          .string()
          .min(1)
          .max(200)
          .describe("Key (1.6) or Component.Variable (2.x); {connector} is filled in, for example MaxAvailableCurrent"),
        unit: z
          .enum(["A", "A.1", "mA", "W", "kW"])
          .describe("What the value counts: whole amps, amps with one decimal, milliamps, watts, kW with one decimal"),
      })
      .optional()
      .describe("A setting that limits the charger"),
    dataTransfer: z
      .strictObject({
        vendorId: z.string().min(1).max(255),
        messageId: z.string().min(1).max(50).optional(),
        data: z
          .string()
          .max(1000)
          .refine(namesPower, "must say the power: one of {A} {A.1} {mA} {W} {kW}, for example value={A}")
          .describe("Text with {A}, {A.1}, {mA}, {W} or {kW}, and {phases}, {connector}, {identity} where needed"),
      })
      .optional()
      .describe("A vendor's own message that limits the charger"),
  })
  .refine((vendor) => vendor.changeConfiguration !== undefined || vendor.dataTransfer !== undefined, {
    error: "must have changeConfiguration or dataTransfer",
  })
  .describe("The vendor's own way to limit; it has no end, so only a running gateway ends it");

/** One connector of a charger. */
export const deviceSchema = z
  .strictObject({
    identity: z
      .string()
      .regex(IDENTITY_PATTERN, "1 to 48 of the letters A-Z a-z 0-9 * _ = : + | @ . - (for example CP-GARAGE-1)")
      .describe("Identity under which the charger dials in"),
    connector: z.int().min(1).max(99).default(1).describe("Connector (1.6) or EVSE (2.0.1, 2.1)"),
    current: z
      .enum(["AC", "DC"])
      .default("AC")
      .describe("What the car gets; direct current is told in watts, without phases and without a least current"),
    phases: z.literal([1, 2, 3]).default(3).describe("Lines the connector is wired to"),
    voltageV: z.number().min(100).max(300).default(230).describe("Line to neutral, volts"),
    maxA: z.number().positive().max(500).default(32).describe("Most current on each line, amps"),
    minA: z.number().min(0).max(100).default(6).describe("Least current at which a car charges, amps"),
    maxKW: z.number().positive().max(2000).optional().describe("Most power, kW; needed for direct current"),
    minKW: z.number().min(0).max(100).optional().describe("Least power at which a car charges, kW, beside minA"),
    carPhases: z
      .enum(["measured", "wired"])
      .default("measured")
      .describe(
        "Lines that a limit in amps counts on: those on which the meter shows the car to draw, or all that are wired",
      ),
    phaseSwitching: z
      .enum(["off", "auto", "on"])
      .default("off")
      .describe("One line instead of three where three cannot carry so little; auto where the charger says it can"),
    phaseSwitchSpacingS: z.int().min(60).max(86_400).default(600).describe("Least time between two switches, seconds"),
    phaseToUse: z.literal([1, 2, 3]).optional().describe("Line for one-phase charging (2.x)"),
    unit: z
      .enum(["auto", "A", "W"])
      .default("auto")
      .describe("Unit of limits; auto takes what the charger says, else A"),
    belowMin: z
      .enum(["pause", "min"])
      .default("pause")
      .describe("What becomes of a power between 0 and the least: no charging, or the least"),
    pause: z
      .enum(["auto", "zero", "below-min", "stop"])
      .default("auto")
      .describe(
        "How no power is said: a limit of 0, one below the least current, auto for the first that is taken, " +
          "or stop, which ends the transaction where neither is taken",
      ),
    commandSpacingS: z
      .number()
      .min(0)
      .max(300)
      .default(2)
      .describe("Least time between two limits, seconds; a lower limit never waits"),
    vendor: vendorSchema.optional(),
    foreignProfiles: z
      .enum(["report", "clear"])
      .default("report")
      .describe("Charging profiles of somebody else: shown in the status, or also cleared when they stand against us"),
    profileKind: z
      .enum(["Absolute", "Relative"])
      .default("Absolute")
      .describe("Kind of charging profile; Relative for chargers that refuse Absolute"),
    stackLevel: z
      .union([z.literal("auto"), z.int().min(0).max(1000)])
      .default("auto")
      .describe("Stack level of our profiles; auto takes the highest that the charger allows"),
    fallbackKW: z
      .number()
      .max(0, "consumption is negative: -3.7 lets the car draw 3.7 kW")
      .optional()
      .describe("Power that holds when no setpoint does, kW, negative; kept by the charger even if the gateway dies"),
    ...deviceSecurity,
    upstream: upstreamSchema.optional(),
    authorization: z
      .enum(["open", "list", "deny"])
      .default("open")
      .describe("Who may charge: everybody, who is in idTags, or only what is started from here"),
    idTags: idTags.optional().describe("This charger's own list, in place of the shared one"),
    remoteIdTag: z
      .string()
      .min(1)
      .max(20)
      .default("SETPOINTD")
      .describe("What the charger is told of who charges when a session is started from here"),
    sessionStartTimeoutS: z
      .int()
      .min(5)
      .max(3600)
      .default(120)
      .describe("Time from the charger's yes until a session has begun, seconds; the driver plugs in meanwhile"),
    reserveForOrders: z
      .boolean()
      .default(false)
      .describe("Keep the connector free for a market's order of mode RESERVATION until it begins, and 15 min longer"),
    v2g: v2gSchema.optional(),
    withoutSubprotocol: z
      .enum(["refuse", ...OCPP_VERSIONS])
      .optional()
      .describe("What this charger is taken to speak if it offers no WebSocket subprotocol, or refuse"),
    settleS: z
      .number()
      .min(0)
      .max(600)
      .default(8)
      .describe("Time from acceptance until the meter should show it, seconds"),
  })
  .refine((device) => device.current === "AC" || device.maxKW !== undefined, {
    error: "is needed for direct current, for example maxKW: 50",
    path: ["maxKW"],
  })
  .refine((device) => device.current === "AC" || device.unit !== "A", {
    error: "direct current is told in watts: leave unit out, or W",
    path: ["unit"],
  })
  .refine((device) => (device.minKW ?? 0) <= (device.maxKW ?? Number.POSITIVE_INFINITY), {
    error: "minKW must not be above maxKW",
    path: ["minKW"],
  })
  .refine(isOnePassword, ONE_PASSWORD)
  .refine((device) => device.minA <= device.maxA, { error: "minA must not be above maxA", path: ["minA"] })
  .describe("A charger's connector behind OCPP");

export type OcppShared = z.output<typeof sharedSchema>;
export type OcppDevice = z.output<typeof deviceSchema>;

/** What a charger is taken to speak that offers no subprotocol: its own setting, else that of the port. */
export function versionWithoutSubprotocol(device: OcppDevice, shared: OcppShared): OcppVersion | undefined {
  const { withoutSubprotocol } = device;
  if (withoutSubprotocol === undefined) return shared.allowNoSubprotocol ? "ocpp1.6" : undefined;
  return withoutSubprotocol === "refuse" ? undefined : withoutSubprotocol;
}
