import { z } from "zod";
import { CONTROL_MODES, isCsipausMode } from "./controls/control-power.ts";

const hostName = z.string().min(1).max(253);
const filePath = z.string().min(1);

/** A Registration needs a PIN even where nobody types it in; this is the one CSIP uses for that. */
const CSIP_PIN = 111_115;

const sharedShape = z.strictObject({
  host: hostName
    .default("127.0.0.1")
    .describe("Address to listen on. Inverters on the LAN need one that they can reach."),
  port: z.int().min(0).max(65_535).default(8443).describe("TCP port; 0 takes any free one."),
  certFile: filePath.optional().describe("Server certificate, PEM, P-256. Needed as soon as a device is configured."),
  keyFile: filePath.optional().describe("Key of the server certificate, PEM."),
  caFile: filePath.optional().describe("Certificates of the authorities that sign device certificates, PEM."),
  pollRateS: z
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .describe(
      "How often devices are told to poll, seconds; as late may a setpoint come. Absent: a fifth of market.interval, 5 to 60.",
    ),
  primacy: z
    .int()
    .min(0)
    .max(255)
    .default(1)
    .describe(
      "Rank of our program beside others that a device follows; the lower the stronger. 0: a system in the house.",
    ),
  operatorPrimacy: z
    .int()
    .min(0)
    .max(254)
    .optional()
    .describe(
      "Rank of a program of its own for what an operator orders and sets as default, less than primacy. Absent: it " +
        "stands in the one program.",
    ),
  registration: z
    .enum(["out-of-band", "in-band"])
    .default("out-of-band")
    .describe(
      "out-of-band: a configured device finds itself in the list. in-band: it first has to put itself there, and nobody " +
        "else can.",
    ),
  postRateS: z
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .describe("How often devices are told to post readings, seconds. Absent: as pollRateS would be if absent."),
});

export const sharedSchema = sharedShape.refine(
  ({ primacy, operatorPrimacy }) => operatorPrimacy === undefined || operatorPrimacy < primacy,
  { path: ["operatorPrimacy"], message: "an operator goes before the market, so it must be less than primacy" },
);

export type Shared = z.output<typeof sharedSchema>;

const ratedKW = z.number().positive().max(10_000);
const settleS = z
  .number()
  .positive()
  .max(3600)
  .optional()
  .describe("Seconds from the device's acceptance until its meter shows the new power.");

const randomizeS = z.int().min(-3600).max(3600).default(0);
const boundKW = z.number().min(0).max(10_000).optional();

export const defaultControlSchema = z
  .strictObject({
    maxPercent: z.number().min(0).max(100).optional().describe("opModMaxLimW, percent of setMaxW."),
    generationKW: boundKW.describe("opModGenLimW of CSIP-AUS."),
    loadKW: boundKW.describe("opModLoadLimW of CSIP-AUS."),
    exportKW: boundKW.describe("opModExpLimW of CSIP-AUS, of the whole connection."),
    importKW: boundKW.describe("opModImpLimW of CSIP-AUS, of the whole connection."),
    rampPercentPerS: z.number().min(0).max(655.35).optional().describe("setGradW, percent of setMaxW per second."),
  })
  .describe("What holds while no control does, and when this gateway is gone. Magnitudes. Absent: no bound of ours.");

export type DefaultControl = z.output<typeof defaultControlSchema>;

/** Bounds that only CSIP-AUS has a control for. */
export const CSIPAUS_BOUNDS = ["generationKW", "loadKW", "exportKW", "importKW"] as const;

const deviceShape = z.strictObject({
  lfdi: z
    .string()
    .regex(/^[0-9A-Fa-f]{40}$/, "expected 40 hex digits, for example 3E4F45AB31EDFE5B67E343E5E4562E31984E23E5")
    .describe("Long form device identifier: SHA-256 of the device certificate, first 40 hex digits."),
  ratingKW: ratedKW.optional().describe("Rated power. Absent: what the device says."),
  maxChargeKW: ratedKW
    .optional()
    .describe("Largest charging power, as a positive number. Absent: what the device says."),
  control: z
    .enum(["auto", ...CONTROL_MODES])
    .default("auto")
    .describe(
      "How power is ordered. auto: watts where the device says it takes them, else percent, else bounds. The pairs and " +
        "opModStorageTargetW are of CSIP-AUS; opModConnect and opModEnergize only switch on and off.",
    ),
  csipaus: z
    .enum(["none", "1.2", "1.3"])
    .default("1.2")
    .describe(
      "Version of CSIP-AUS that the device speaks; it decides the namespace of its controls and of the link to its " +
        "ConnectionPoint. none: nothing but the standard is written to it.",
    ),
  rampS: z
    .number()
    .min(0)
    .max(655.35)
    .optional()
    .describe("Seconds in which the device is to move from one power to the next (rampTms). Absent: its own way."),
  randomizeStartS: randomizeS.describe("Seconds by which the device moves the start of a control, at random."),
  randomizeDurationS: randomizeS.describe("Seconds by which the device changes the duration of a control, at random."),
  defaultControl: defaultControlSchema.optional(),
  notificationHost: hostName
    .optional()
    .describe("Where the device wants to be told of changes, if not at the address from which it asks."),
  responses: z
    .enum(["2018", "2023"])
    .default("2018")
    .describe("Edition of the standard by which the device's Responses 11 to 14 are read."),
  pin: z
    .int()
    .min(0)
    .max(999_999)
    .default(CSIP_PIN)
    .describe("Registration PIN, five digits and their check digit, as the device was given it."),
  settleS,
});

export const deviceSchema = deviceShape.superRefine(({ csipaus, control, defaultControl }, context) => {
  if (csipaus !== "none") return;
  const fault = (path: string[], what: string) =>
    context.addIssue({ code: "custom", path, message: `${what} is of CSIP-AUS, and csipaus is none` });
  if (isCsipausMode(control)) fault(["control"], control);
  for (const bound of CSIPAUS_BOUNDS) {
    if (defaultControl?.[bound] !== undefined) fault(["defaultControl", bound], bound);
  }
});

export type Device = z.output<typeof deviceSchema>;

export const pushSharedSchema = z.strictObject({});

export type PushShared = z.output<typeof pushSharedSchema>;

const webUrl = z
  .url({
    protocol: /^https?$/,
    error: "expected an http or https address, for example https://192.0.2.7/edev/1/der/dc",
  })
  .describe("http or https.");

export const pushDeviceSchema = z.strictObject({
  url: webUrl.describe("Where orders go: a DERControl's own address, a DERControlList's, or a DefaultDERControl's."),
  method: z
    .enum(["put-control", "post-control", "put-default"])
    .default("put-control")
    .describe(
      "put-control: PUT of a DERControl. post-control: POST of a DERControl to its list. put-default: PUT of the " +
        "DefaultDERControl, which carries no end, so that only this gateway ends it.",
    ),
  meterUrl: webUrl.optional().describe("Where a Reading or MeterReading is fetched. Absent: no measurement."),
  pollMs: z.int().min(100).max(3_600_000).default(5000).describe("How often the meter is read, ms."),
  ratingKW: ratedKW.describe("What 100 % is when generating."),
  maxChargeKW: ratedKW
    .optional()
    .describe("What 100 % is when charging, as a positive number. Absent: it can't charge."),
  control: z.enum(["opModFixedW", "opModTargetW"]).default("opModFixedW"),
  deviceCategory: z
    .string()
    .regex(/^([0-9A-Fa-f]{2}){1,4}$/, "expected 2 to 8 hex digits, for example 00200000 for photovoltaics")
    .optional(),
  certFile: filePath.optional().describe("Own certificate, PEM, where the device asks for one."),
  keyFile: filePath.optional(),
  caFile: filePath.optional().describe("Authority of the device's certificate, PEM. Absent: the system's own."),
  deadlineMs: z.int().min(100).max(120_000).default(10_000).describe("Longest wait for an answer, ms."),
  settleS,
});

export type PushDevice = z.output<typeof pushDeviceSchema>;
