import { OCPP_VERSIONS, type OcppVersion } from "../version.ts";

/** What the URL of an upgrade request says. */
export type UrlVerdict =
  | { readonly kind: "identity"; readonly identity: string }
  | { readonly kind: "undecodable" }
  | { readonly kind: "elsewhere" };

/** Letters that OCPP allows in an identity, 48 at most (OCPP 2.0.1 part 4, 3.1.1). */
export const IDENTITY_PATTERN = /^[A-Za-z0-9*_=:+|@.-]{1,48}$/;

/** Reads the identity: the last part of the path, percent-decoded once. Never throws. */
export function identityFromUrl(url: string | undefined, path: string): UrlVerdict {
  const pathname = (url ?? "").split("?", 1)[0] ?? "";
  const prefix = `${withoutTrailingSlash(path)}/`;
  if (!pathname.startsWith(prefix)) return { kind: "elsewhere" };
  const rest = pathname.slice(prefix.length);
  if (rest === "" || rest.includes("/")) return { kind: "elsewhere" };
  try {
    return { kind: "identity", identity: decodeURIComponent(rest) };
  } catch {
    return { kind: "undecodable" };
  }
}

export function withoutTrailingSlash(path: string): string {
  return path.replace(/\/+$/, "");
}

/**
 * The version to speak: the newest of those offered. Absent when none of the offered is known.
 * @param whenNone what a charger is taken to speak that offers nothing; absent: it is refused
 */
export function chooseVersion(header: string | undefined, whenNone: OcppVersion | undefined): OcppVersion | undefined {
  const offered = (header ?? "")
    .split(",")
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== "");
  if (offered.length === 0) return whenNone;
  return OCPP_VERSIONS.find((version) => offered.includes(version));
}
