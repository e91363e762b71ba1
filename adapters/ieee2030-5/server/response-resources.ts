import type { PolledDevice } from "../polled-device.ts";
import { echo } from "../xml/xml-write.ts";
import { created, failure } from "./answer.ts";
import { responseSet } from "./documents.ts";
import { type DevicePaths, RESPONSE_SETS } from "./paths.ts";
import { list, type Resource, single } from "./resource.ts";

/** Where a device says what it does about its controls, and may read what it has said lately. */
export function responseResources(device: PolledDevice, paths: DevicePaths): [string, Resource][] {
  // In a ResponseList all kinds have the name of their base.
  const shown = ({ id, document }: PolledDevice["responses"][number]) => ({
    ...echo(document, { href: `${paths.responses}/${id}` }),
    name: "Response",
  });
  return [
    [RESPONSE_SETS, list("ResponseSetList", { href: RESPONSE_SETS }, () => [responseSet(device, paths)])],
    [paths.responseSet, single(() => responseSet(device, paths))],
    [
      paths.responses,
      {
        ...list("ResponseList", { href: paths.responses }, () => device.responses.map(shown)),
        post: (document) => {
          const id = device.responded(document);
          if (id === undefined) return failure(400, "subject is no event of this device");
          return created(`${paths.responses}/${id}`);
        },
      },
    ],
    ...device.responses.map((one): [string, Resource] => [`${paths.responses}/${one.id}`, single(() => shown(one))]),
  ];
}
