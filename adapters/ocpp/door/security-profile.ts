import type { Credential } from "./credential.ts";

/**
 * Security profiles of OCPP (1.6 security white paper, 2.0.1 part 2, A00): 0 none, 1 Basic authentication over ws,
 * 2 Basic authentication over TLS, 3 TLS with a certificate of the charger.
 */
export type SecurityProfile = 0 | 1 | 2 | 3;

/** What one charger must show. */
export interface StationSecurity {
  /** The least profile that it may come with; it never changes by what the charger does. */
  readonly least: SecurityProfile;
  readonly credential?: Credential;
}

export const NEEDS: Readonly<Record<SecurityProfile, string>> = {
  0: "nothing",
  1: "a password",
  2: "TLS and a password",
  3: "TLS and a certificate of its own",
};

/** What of the config decides what a charger must show. */
export interface ProfileChoice {
  readonly own: SecurityProfile | undefined;
  /** Of the port. */
  readonly usual: SecurityProfile | undefined;
  readonly hasPassword: boolean;
  readonly hasTls: boolean;
  readonly hasClientCa: boolean;
}

/**
 * The least profile of one charger: its own, else the port's, and never less than its password says.
 * @throws Error for what cannot be, for the person who writes the config
 */
export function leastProfile(choice: ProfileChoice): SecurityProfile {
  const fromPassword = choice.hasPassword ? 1 : 0;
  const least = choice.own ?? choice.usual ?? fromPassword;
  if (least === 0 && choice.hasPassword) throw new Error("securityProfile 0 asks for no password, and one is given");
  if ((least === 1 || least === 2) && !choice.hasPassword) {
    throw new Error(`securityProfile ${least} needs a password: password, passwordHex, passwordFile or passwordHash`);
  }
  if (least >= 2 && !choice.hasTls)
    throw new Error(`securityProfile ${least} needs TLS: ocpp.tls with its certificate`);
  if (least === 3 && !choice.hasClientCa) {
    throw new Error("securityProfile 3 needs ocpp.tls.clientCaFile, the authority of the chargers' certificates");
  }
  return least;
}
