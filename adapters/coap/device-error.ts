import { DeviceError } from "../../src/model/adapter.ts";
import type { Era } from "../../src/model/resource.ts";
import { CoapError } from "./link/coap-error.ts";

/** The core's error for whatever went wrong while the device was asked for something. */
export function deviceErrorFrom(error: unknown, era: Era, attempted: string): DeviceError {
  if (error instanceof DeviceError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DeviceError(error instanceof CoapError ? error.fault : "protocol", era, `${attempted}: ${message}`, {
    cause: error,
  });
}
