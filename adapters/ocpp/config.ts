import { z } from "zod";
import { IDENTITY_PATTERN } from "./door/handshake.ts";
import { deviceSecurity, isOnePassword, ONE_PASSWORD, sharedSecurity } from "./door/security-config.ts";

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
    pingIntervalS: z.int().min(0).max(3600).default(30).describe("WebSocket ping, seconds; 0 turns it off"),
    allowNoSubprotocol: z
      .boolean()
      .default(false)
      .describe("Take chargers that offer no WebSocket subprotocol, as OCPP 1.6"),
    ...sharedSecurity,
  })
  .describe("OCPP 1.6J and 2.0.1 on one port");

/** One connector of a charger. */
export const deviceSchema = z
  .strictObject({
    identity: z
      .string()
      .regex(IDENTITY_PATTERN, "1 to 48 of the letters A-Z a-z 0-9 * _ = : + | @ . - (for example CP-GARAGE-1)")
      .describe("Identity under which the charger dials in"),
    connector: z.int().min(1).max(99).default(1).describe("Connector (1.6) or EVSE (2.0.1)"),
    phases: z.literal([1, 2, 3]).default(3).describe("Lines the connector is wired to"),
    voltageV: z.number().min(100).max(300).default(230).describe("Line to neutral, volts"),
    maxA: z.number().positive().max(500).default(32).describe("Most current on each line, amps"),
    minA: z.number().min(0).max(100).default(6).describe("Least current at which a car charges, amps"),
    unit: z
      .enum(["auto", "A", "W"])
      .default("auto")
      .describe("Unit of limits; auto takes what the charger says, else A"),
    belowMin: z
      .enum(["pause", "min"])
      .default("pause")
      .describe("What becomes of a power between 0 and the least: no charging, or the least"),
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
    settleS: z
      .number()
      .min(0)
      .max(600)
      .default(8)
      .describe("Time from acceptance until the meter should show it, seconds"),
  })
  .refine(isOnePassword, ONE_PASSWORD)
  .refine((device) => device.minA <= device.maxA, { error: "minA must not be above maxA", path: ["minA"] })
  .describe("A charger's connector behind OCPP");

export type OcppShared = z.output<typeof sharedSchema>;
export type OcppDevice = z.output<typeof deviceSchema>;
