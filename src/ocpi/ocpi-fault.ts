/** OCPI status codes that are used here (status_codes chapter). */
export const OCPI_STATUS = {
  success: 1000,
  clientError: 2000,
  invalidParameters: 2001,
  unknownLocation: 2003,
  serverError: 3000,
  cannotUseClientApi: 3001,
  unsupportedVersion: 3002,
  missingEndpoints: 3003,
} as const;

export type OcpiStatusCode = (typeof OCPI_STATUS)[keyof typeof OCPI_STATUS];

/** A request that is not done, with what goes into the answer. The message is for the other side's technician. */
export class OcpiFault extends Error {
  override readonly name = "OcpiFault";
  readonly statusCode: OcpiStatusCode;
  /** 200 once a request has reached the OCPI layer: there the status code alone tells (status_codes chapter). */
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    statusCode: OcpiStatusCode,
    message: string,
    options: {
      readonly httpStatus?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.statusCode = statusCode;
    this.httpStatus = options.httpStatus ?? 200;
    this.headers = options.headers ?? {};
  }
}

/** Something in the request is missing or wrong: 2001. */
export function invalidParameters(message: string): OcpiFault {
  return new OcpiFault(OCPI_STATUS.invalidParameters, message);
}
