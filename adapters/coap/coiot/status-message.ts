import { rawMessage } from "../link/raw-message.ts";

/** What a Shelly of the first generation says of itself unasked (CoIoT). */
export interface StatusMessage {
  /** The resource whose payload this is: `/cit/s`. */
  readonly path: string;
  /** Model, id and version of the protocol, for example `SHEM#B9E9C6#2`. */
  readonly deviceId: string;
  readonly payload: Buffer;
}

/** CoIoT has a method of its own, 0.30, for a status that nobody asked for. */
const PUBLISH = 30;
const URI_PATH = 11;
/** CoIoT's own option that says who speaks. */
const DEVICE_ID = 3332;
const LONGEST_ID = 64;

/** Reads a datagram; undefined where it is no status. */
export function statusMessage(datagram: Buffer): StatusMessage | undefined {
  const message = rawMessage(datagram);
  if (message === undefined || message.code !== PUBLISH) return undefined;
  const { options, payload } = message;
  const deviceId = options.get(DEVICE_ID)?.[0]?.toString("latin1") ?? "";
  const path = (options.get(URI_PATH) ?? []).map((part) => `/${part.toString("utf8")}`).join("");
  if (deviceId === "" || deviceId.length > LONGEST_ID || payload.length === 0) return undefined;
  return { path, deviceId, payload };
}
