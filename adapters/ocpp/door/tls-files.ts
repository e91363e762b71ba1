import { constants } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { Clock } from "../../../src/clock.ts";
import type { Log } from "../../../src/log.ts";

export interface TlsFilePaths {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string | undefined;
}

/** A connection that comes sooner after the last look is served with what was seen then. */
const LOOK_EVERY_MS = 1000;

/** Certificate, key and authority of the TLS port, read again when their files change. */
export class TlsFiles {
  readonly #paths: TlsFilePaths;
  readonly #clock: Clock;
  readonly #log: Log;
  #options: SecureContextOptions;
  #stamp: string;
  #lookedAtMs: number;

  /** @throws Error that names the file */
  constructor(paths: TlsFilePaths, clock: Clock, log: Log) {
    this.#paths = paths;
    this.#clock = clock;
    this.#log = log;
    this.#stamp = this.#currentStamp();
    this.#options = this.#read();
    this.#lookedAtMs = clock.elapsedMs();
  }

  /** Without an authority of ours no certificate is asked for, since the system's own would vouch for anyone. */
  get knowsChargers(): boolean {
    return this.#paths.clientCaFile !== undefined;
  }

  get options(): SecureContextOptions {
    return this.#options;
  }

  /** @returns what is new since the last look, or nothing; a file that cannot be used leaves what was there in force */
  renewed(): SecureContextOptions | undefined {
    const nowMs = this.#clock.elapsedMs();
    if (nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return undefined;
    this.#lookedAtMs = nowMs;
    try {
      const stamp = this.#currentStamp();
      if (stamp === this.#stamp) return undefined;
      const options = this.#read();
      this.#stamp = stamp;
      this.#options = options;
      this.#log.info("the certificates of the OCPP port were read again");
      return options;
    } catch (error) {
      // Certificate and key are seldom replaced in the same moment, so it is tried again at the next connection.
      this.#log.warn("the certificates of the OCPP port cannot be read again; the ones before stay in use", {
        err: error,
      });
      return undefined;
    }
  }

  #read(): SecureContextOptions {
    const { certFile, keyFile, clientCaFile } = this.#paths;
    const options: SecureContextOptions = {
      cert: readPem(certFile, "certFile"),
      key: readPem(keyFile, "keyFile"),
      ...(clientCaFile === undefined ? {} : { ca: readPem(clientCaFile, "clientCaFile") }),
      minVersion: "TLSv1.2",
      // Every connection shows its certificate anew, and none is taken on an older one's word.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
    try {
      createSecureContext(options);
    } catch (error) {
      // The words of OpenSSL name no file, and never hold what is in it.
      throw new Error(`ocpp.tls: ${certFile} and ${keyFile} cannot be used: ${(error as Error).message}`);
    }
    return options;
  }

  #currentStamp(): string {
    const { certFile, keyFile, clientCaFile } = this.#paths;
    return [certFile, keyFile, clientCaFile]
      .map((file) => {
        if (file === undefined) return "";
        const { mtimeMs, size, ino } = stat(file);
        return `${mtimeMs} ${size} ${ino}`;
      })
      .join(" ");
  }
}

function stat(file: string) {
  try {
    return statSync(file);
  } catch (error) {
    throw new Error(`ocpp.tls: ${file} cannot be read`, { cause: error });
  }
}

function readPem(file: string, key: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`ocpp.tls.${key}: ${file} cannot be read`, { cause: error });
  }
}
