/** What the process says to a script when it ends. */
export const EXIT = {
  ok: 0,
  /** A check was negative. */
  failed: 1,
  /** Wrong use, or a config that can't be used. */
  usage: 2,
  daemonUnreachable: 3,
  permission: 4,
  deviceUnreachable: 5,
  deviceRefused: 6,
  notEffective: 7,
  notFound: 8,
  temporary: 75,
  interrupted: 130,
} as const;

/** An error that a person reads on stderr and a script by its code. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const EXIT_CODES_HELP = `
Exit codes:
  0 ok · 1 check failed · 2 usage or config invalid · 3 daemon not reachable · 4 permission
  5 device not reachable · 6 device refused · 7 accepted but not effective · 8 not found
  75 temporary failure · 130 interrupted`;
