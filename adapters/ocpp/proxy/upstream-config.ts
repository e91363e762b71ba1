import { z } from "zod";

/** The backend of the charge point operator that a charger also belongs to. */
export const upstreamSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^wss?$/, error: "a ws:// or wss:// URL, for example wss://csms.example.org/ocpp" })
      .describe("Address of the backend without the identity, which is appended"),
    identity: z
      .string()
      .min(1)
      .max(48)
      .optional()
      .describe("Identity under which the backend knows the charger; the charger's own unless given"),
    password: z.string().min(8).max(100).optional().describe("Basic authentication towards the backend"),
    passwordFile: z.string().min(1).optional().describe("File that holds the password, in place of `password`"),
    caFile: z
      .string()
      .min(1)
      .optional()
      .describe("Authorities of the backend's certificate, PEM; the system's unless given"),
    answerWithinS: z
      .number()
      .min(0.1)
      .max(60)
      .default(8)
      .describe("How long a charger waits for the backend's word on a card or a start before ours counts, seconds"),
  })
  .refine((upstream) => upstream.password === undefined || upstream.passwordFile === undefined, {
    error: "give password or passwordFile, not both",
    path: ["passwordFile"],
  })
  .describe("Backend that the charger is passed on to: its messages go up, the backend's commands come down");

export type UpstreamConfig = z.output<typeof upstreamSchema>;
