import { z } from "zod";
import { profileFileOf, profileIds } from "./profile/profile-files.ts";

/** What CoAP devices share. */
export const coapShared = z.strictObject({
  coiot: z
    .strictObject({
      port: z.int().min(0).max(65_535).default(5683).describe("UDP port"),
      group: z.ipv4().default("224.0.1.187").describe("Multicast group of devices that send to everybody"),
      interface: z
        .ipv4()
        .optional()
        .describe(
          "Address of this machine in the network of the devices, where it has several; else the system chooses",
        ),
    })
    .optional()
    .describe("Hears the status that Shelly devices of the first generation send unasked. Absent: they are only asked"),
});

const psk = z.strictObject({
  identity: z.string().min(1).max(128).describe("Name under which the device knows the key"),
  keyFile: z
    .string()
    .min(1)
    .describe("File of mode 0600 with the key: as it is, or after `hex:` in hexadecimal digits"),
});

/** How to reach one CoAP device, and how to treat it. */
export const coapDevice = z.strictObject({
  profile: z
    .string()
    .refine(
      (id) => profileFileOf(id) !== undefined,
      `there is no such CoAP profile; there are ${profileIds().join(", ")}`,
    )
    .optional()
    .describe("Device profile by its id, for example shelly-em"),
  profileFile: z.string().min(1).max(4096).optional().describe("A device profile of one's own, in place of `profile`"),
  host: z.string().min(1).max(253).describe("Name or address of the device"),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe("UDP port; unless given the profile's, else 5683, or 5684 with psk"),
  psk: psk.optional().describe("Pre-shared key for DTLS (coaps). Absent: without encryption"),
  pollMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .optional()
    .describe("Time between two readings; unless given the profile's, else 5000"),
  deadlineMs: z
    .int()
    .min(100)
    .max(120_000)
    .optional()
    .describe("Longest time for one exchange with its retransmissions; unless given the profile's, else 10000"),
  settleS: z
    .number()
    .min(0)
    .max(600)
    .optional()
    .describe("Time from a command until the meter is expected to show it; unless given the profile's, else 6"),
  coiotId: z
    .string()
    .regex(/^[A-Za-z0-9-]+#[A-Za-z0-9]+(#\d+)?$/, "must be model#id as the device sends it, for example SHEM#B9E9C6")
    .optional()
    .describe(
      "Whose status is heard, with `coap.coiot`; unless given, that of whoever sends from the device's address",
    ),
  ratingKW: z
    .number()
    .positive()
    .max(100_000)
    .optional()
    .describe("Rating in kW, for a device that does not say its own"),
});

export type CoapShared = z.output<typeof coapShared>;
export type CoapDeviceConfig = z.output<typeof coapDevice>;
