/** Numbers of the CoAP content-formats that the simulated devices write. */
export const CONTENT_FORMAT = { text: 0, linkFormat: 40, json: 50, cbor: 60, senmlJson: 110 } as const;

/** Why a write was not taken, as a CoAP response code. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: "4.00" | "4.04" | "4.05" | "4.06" | "4.15";

  constructor(code: Refusal["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** One resource of a simulated device. */
export interface SimResource {
  readonly format: number;
  /** Resource type for `/.well-known/core`. */
  readonly type?: string;
  readonly observable?: boolean;
  read(): Buffer;
  /** Absent: it is only read. @throws Refusal */
  write?(payload: Buffer): void;
}

/** A simulated device without its network. */
export interface SimDevice {
  readonly resources: ReadonlyMap<string, SimResource>;
  /** kW, export positive. */
  powerKW(): number;
  /** True while it obeys an order of somebody else. */
  underControl(): boolean;
  /** Power was off: orders are forgotten. */
  restart(): void;
}

export function text(read: () => string | number, write?: (text: string) => void): SimResource {
  return {
    format: CONTENT_FORMAT.text,
    read: () => Buffer.from(String(read())),
    ...(write === undefined ? {} : { write: (payload) => write(payload.toString("utf8")) }),
  };
}
