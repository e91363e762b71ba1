import type { OcpiConfig } from "./ocpi-config.ts";
import type { CredentialsModule } from "./ocpi-credentials.ts";
import { OCPI_STATUS, OcpiFault } from "./ocpi-fault.ts";
import type { OcpiReply, OcpiRequest } from "./ocpi-message.ts";
import type { Caller } from "./ocpi-peers.ts";
import type { OcpiStore } from "./ocpi-store.ts";
import { isOcpiModule, isOcpiVersion, OCPI_MODULES, type OcpiModule, type OcpiVersion } from "./ocpi-version.ts";
import { methodNotAllowed, offer } from "./offered-objects.ts";
import type { ReceivedObjects } from "./received-objects.ts";

/** Where a request goes. */
export type OcpiRoute =
  | { readonly kind: "versions" }
  | { readonly kind: "details"; readonly version: OcpiVersion }
  | { readonly kind: "credentials"; readonly version: OcpiVersion }
  | {
      readonly kind: "module";
      readonly version: OcpiVersion;
      readonly module: OcpiModule;
      readonly role: "sender" | "receiver";
      readonly ids: readonly string[];
    };

/** `versions`, `2.2.1`, `2.2.1/credentials`, `2.2.1/sender/cdrs`, `2.2.1/receiver/cdrs/...` @throws OcpiFault 404 */
export function routeOf(segments: readonly string[], versions: readonly OcpiVersion[]): OcpiRoute {
  const [first, second, third, ...ids] = segments;
  if (first === "versions" && second === undefined) return { kind: "versions" };
  if (!isOcpiVersion(first) || !versions.includes(first)) throw noSuchEndpoint();
  if (second === undefined) return { kind: "details", version: first };
  if (second === "credentials" && third === undefined) return { kind: "credentials", version: first };
  if ((second === "sender" || second === "receiver") && isOcpiModule(third)) {
    return { kind: "module", version: first, module: third, role: second, ids };
  }
  throw noSuchEndpoint();
}

function noSuchEndpoint(): OcpiFault {
  return new OcpiFault(OCPI_STATUS.clientError, "there is no such endpoint", { httpStatus: 404 });
}

export interface RouterParts {
  readonly config: OcpiConfig;
  readonly store: OcpiStore;
  readonly received: ReceivedObjects;
  readonly credentials: CredentialsModule;
}

/** Answers a request of a known caller. @param base our address up to the configured path @throws OcpiFault */
export async function answerOf(
  parts: RouterParts,
  route: OcpiRoute,
  caller: Caller,
  request: OcpiRequest,
  base: string,
): Promise<OcpiReply> {
  const { config, store, received, credentials } = parts;
  switch (route.kind) {
    case "versions":
      if (request.method !== "GET") throw methodNotAllowed("GET");
      return { data: config.versions.map((version) => ({ version, url: `${base}/${version}` })) };
    case "details":
      if (request.method !== "GET") throw methodNotAllowed("GET");
      return { data: { version: route.version, endpoints: endpointsOf(base, route.version, caller) } };
    case "credentials":
      return credentials.handle(route.version, caller, request, `${base}/versions`);
    case "module": {
      const { version, module } = route;
      if (!caller.peer.config.modules.includes(module)) throw noSuchEndpoint();
      return route.role === "receiver"
        ? received.receive(version, module, request)
        : offer(store, config, version, module, request);
    }
  }
}

/** Only what this peer may use. */
function endpointsOf(base: string, version: OcpiVersion, caller: Caller): object[] {
  const modules = OCPI_MODULES.filter((module) => caller.peer.config.modules.includes(module));
  return [
    // The role means nothing for credentials, but must be there (version details, Endpoint).
    { identifier: "credentials", role: "SENDER", url: `${base}/${version}/credentials` },
    ...modules.flatMap((module) => [
      { identifier: module, role: "SENDER", url: `${base}/${version}/sender/${module}` },
      { identifier: module, role: "RECEIVER", url: `${base}/${version}/receiver/${module}` },
    ]),
  ];
}
