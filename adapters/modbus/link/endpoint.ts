/** A device or gateway on the network. */
export interface TcpEndpoint {
  readonly host: string;
  readonly port: number;
  /** How frames are cut: `tcp` is Modbus TCP (the default), `rtu` is the serial framing sent through a plain TCP bridge. */
  readonly framing?: "tcp" | "rtu";
  /** Pause after connecting that the device needs before the first request. */
  readonly connectDelayMs?: number;
}

/** A serial bus. Modbus RTU always has 8 data bits (Modbus over Serial Line V1.02, 2.5.1). */
export interface SerialEndpoint {
  readonly serial: SerialLine;
  readonly connectDelayMs?: number;
}

export interface SerialLine {
  /** For example `/dev/ttyUSB0`, or better a name under `/dev/serial/by-id`, which stays after a restart. */
  readonly path: string;
  readonly baudRate: number;
  readonly parity: "none" | "even" | "odd";
  readonly stopBits: 1 | 2;
  /** Whether the adapter hears what it sends; absent: it is found out by listening. */
  readonly echo?: boolean;
}

export type Endpoint = TcpEndpoint | SerialEndpoint;

/** Where it is, for a person: `192.168.1.5:502`, `rtu://192.168.1.5:4001`, `/dev/ttyUSB0`. */
export function endpointName(endpoint: Endpoint): string {
  if ("serial" in endpoint) return endpoint.serial.path;
  const at = `${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
  return endpoint.framing === "rtu" ? `rtu://${at}` : at;
}

/** True where frames carry no number, so that an answer is known only by who sends it and when. */
export function isRtu(endpoint: Endpoint): boolean {
  return "serial" in endpoint || endpoint.framing === "rtu";
}

/** Bits of one character on the line: start, 8 data, parity, stop. */
function bitsPerCharacter(line: SerialLine): number {
  return 1 + 8 + (line.parity === "none" ? 0 : 1) + line.stopBits;
}

/** Time that so many bytes take on a serial line, ms; nothing on a network. */
export function lineTimeMs(endpoint: Endpoint, bytes: number): number {
  if (!("serial" in endpoint)) return 0;
  return (bytes * bitsPerCharacter(endpoint.serial) * 1000) / endpoint.serial.baudRate;
}

/**
 * Silence that ends a frame on a serial line: 3.5 characters, and 1.75 ms where the line is faster than 19200 baud
 * (Modbus over Serial Line V1.02, 2.5.1.1).
 */
export function frameGapMs(endpoint: Endpoint): number {
  if (!("serial" in endpoint)) return 0;
  return endpoint.serial.baudRate > 19_200 ? 1.75 : lineTimeMs(endpoint, 3.5);
}
