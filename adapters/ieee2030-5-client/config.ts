import { z } from "zod";
import { ERA_PATTERN } from "../../src/model/resource.ts";
import { isDiscovery } from "./version-discovery.ts";

const filePath = z.string().min(1);
const seconds = (least: number) => z.int().min(least).max(86_400);
const lfdi = z
  .string()
  .regex(/^[0-9A-Fa-f]{40}$/, "expected 40 hex digits, for example 3E4F45AB31EDFE5B67E343E5E4562E31984E23E5");
const boundKW = z.number().nonnegative("must be kW of 0 or more, for example 1.5").max(1_000_000);

export const sharedSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https$/, error: "expected an https address, for example https://utility.example.org/dcap" })
      .describe(
        "Address of the server's DeviceCapability, or of its /.well-known/csipaus. Everything else is found by its links.",
      ),
    certFile: filePath.describe("Own certificate, PEM, P-256; its LFDI is who the site is."),
    keyFile: filePath.describe("Key of the certificate, PEM."),
    caFile: filePath.describe("Authorities that sign the utility's certificate, PEM."),
    serverLfdi: lfdi
      .optional()
      .describe(
        "LFDI of the server's certificate. Given: no other certificate is taken, and its host name is not looked at.",
      ),
    pin: z
      .int()
      .min(0)
      .max(999_999)
      .optional()
      .describe("Registration PIN; where the server shows another one nothing more is asked of it."),
    registration: z
      .enum(["in-band", "out-of-band"])
      .default("out-of-band")
      .describe("in-band: we make our own EndDevice. out-of-band: the utility has made it, or will."),
    pollRateS: seconds(1).optional().describe("How often to poll, seconds, whatever the server says."),
    leastPollRateS: seconds(1).default(10).describe("The server may not make us poll more often than this, seconds."),
    postRateS: seconds(1).optional().describe("How often to post readings, seconds, whatever the server says."),
    revision: z
      .enum(["2018", "2023"])
      .default("2018")
      .describe("Edition whose response codes are used: a control that we do not have is 252 in 2018 and 251 in 2023."),
    csipAus: z
      .enum(["none", "1.2", "1.3"])
      .default("none")
      .describe("Which CSIP-AUS elements our own documents carry; in what comes they are always understood."),
    pen: z
      .int()
      .min(0)
      .max(99_999_999)
      .default(0)
      .describe("IANA enterprise number of the site's maker, in the last digits of the ids that we make."),
    connectionPointId: z
      .string()
      .min(1)
      .max(32)
      .optional()
      .describe("CSIP-AUS: the connection point (NMI) that is told to the server."),
    notifications: z
      .strictObject({
        host: z.string().min(1).max(253).describe("Address to listen on."),
        port: z.int().min(0).max(65_535).default(9443),
        uri: z
          .url({
            protocol: /^https$/,
            error: "expected an https address, for example https://site.example.org:9443/ntfy",
          })
          .optional()
          .describe("Where the server reaches it; default: host and port."),
      })
      .optional()
      .describe("Given: we subscribe, and the server tells us at once what it has changed."),
    devices: z
      .array(
        z.strictObject({
          era: z.string().regex(ERA_PATTERN, "expected the ERA of a device of this site"),
          lfdi: lfdi.describe("EndDevice at the utility's server that is this device."),
        }),
      )
      .max(100)
      .default([])
      .describe("Devices that have an EndDevice of their own at the utility's server; its controls bind them alone."),
    untilFirstContact: z
      .strictObject({
        importKW: boundKW.optional(),
        exportKW: boundKW.optional(),
        loadKW: boundKW.optional(),
        generationKW: boundKW.optional(),
      })
      .optional()
      .describe("Bounds that hold as long as no server has ever told its default."),
  })
  .refine(({ url, csipAus }) => csipAus !== "none" || !isDiscovery(url), {
    message: "must be 1.2 or 1.3 where the server is asked which editions of CSIP-AUS it speaks",
    path: ["csipAus"],
  })
  .refine((value) => value.notifications?.uri !== undefined || !isWildcard(value.notifications?.host), {
    message: "is needed where the host is no address that the server could reach",
    path: ["notifications", "uri"],
  });

export type Shared = z.output<typeof sharedSchema>;

export const deviceSchema = z.never();

function isWildcard(host: string | undefined): boolean {
  return host === "0.0.0.0" || host === "::";
}
